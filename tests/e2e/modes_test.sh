#!/bin/bash
# A mode whose audio does not come is followed by the next, and the caller does not notice. The fake
# FreeSWITCH has no mod_audio_stream and nobody who calls our SIP port.
. "$(dirname "$0")/lib.sh"
export MEDIA_START_TIMEOUT_MS=600 MEDIA_LOST_TIMEOUT_MS=600
export WS_HOST=127.0.0.1 WS_PORT=$(free_tcp) SIP_HOST=127.0.0.1 SIP_PORT=$(free_tcp)
talk='wait greeting
dtmf 1
expect transfer 201 within 6s'

AUDIO_MODE=dual start
secretaries
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
