#!/bin/bash
# The same conversation in each mode; and a mode whose audio does not come is followed by the next,
# and the caller does not notice. All with the fake FreeSWITCH of `voice-ai call`.
. "$(dirname "$0")/lib.sh"
export MEDIA_START_TIMEOUT_MS=600 MEDIA_LOST_TIMEOUT_MS=600
export WS_HOST=127.0.0.1 WS_PORT=$(free_tcp) SIP_HOST=127.0.0.1 SIP_PORT=$(free_tcp)
talk='wait greeting
dtmf 1
expect transfer 201 within 6s'

AUDIO_MODE=rtp start
secretaries
conversations rtp
call "rtp: wideband callers" "$talk" --number 8100 --rate-hz 16000
call "rtp: its audio stops, esl goes on" 'wait greeting
fail-audio
sleep 1500ms
resume-audio
say "quero falar com vendas"
expect transfer 201 within 12s' --number 8100 --voice pt-br
check "the log says so" grep -qE 'event=audio-failed mode=rtp.*next=esl' "$work/log"
vai call --number 8999 --calls 20 --rate 20 --hold 3 --json >"$work/load" 2>&1
check "rtp: twenty calls at once" grep -q '"answered":20,"refused":0,"lost_calls":0' "$work/load"
stop
check "rtp: stops clean" test "$code" = 0

AUDIO_MODE=rtp RTP_CODECS=G722 start
call "rtp: G.722" "$talk" --number 8100 --rate-hz 16000
check "it is G.722" grep -q 'sip G722 with' "$work/said"
stop

AUDIO_MODE=rtp SIP_ADVERTISE_ADDRESS=127.0.0.2 start
call "rtp at an address where nobody is: esl" "$talk" --number 8100
check "the log says what FreeSWITCH said" \
    grep -qE 'event=audio-failed mode=rtp.*could not call us at 127.0.0.2.*next=esl' "$work/log"
stop

AUDIO_MODE=dual start
call "dual without its module: esl" "$talk" --number 8100
check "the log says what to load, and where it goes on" \
    grep -qE 'event=audio-failed mode=dual.*load mod_audio_stream.*next=esl' "$work/log"
check "the record of the call names the mode that carried it" grep -q 'event=call-end.*mode=esl' "$work/log"
stop

AUDIO_MODE=websocket start
call "websocket without a stream: esl" "$talk" --number 8100
check "the log says so" grep -qE 'event=leg-open mode=websocket.*cannot use it' "$work/log"
stop

AUDIO_MODE=dual AUDIO_FALLBACK='' start
call "no mode left: given back" 'expect return within 5s' --number 8100
check "the log says that none is left" grep -q 'event=no-audio' "$work/log"
check "the daemon listens where it says" grep -qE "event=ready.*ws=127.0.0.1:$WS_PORT" "$work/log"

taken() { # name, port setting, more settings
    local name=$1 port=$2 out code
    shift 2
    out=$(env DATA_DIR="$work/other" ESL_SERVER_PORT="$(free_tcp)" "$@" "$bin" --env /dev/null serve 2>&1)
    code=$?
    if [ $code = 2 ] && grep -q "$port" <<<"$out"; then ok "$name"; else not_ok "$name (exit $code): $out"; fi
}
taken "a taken port of streams" "$WS_PORT" AUDIO_MODE=dual
SIP_PORT=$WS_PORT taken "a taken port of SIP" "$WS_PORT" AUDIO_MODE=rtp SIP_TRANSPORT=tcp
stop
[ "$code" = 0 ] && ok "and the one that runs is not hurt" || not_ok "and the one that runs is not hurt"
