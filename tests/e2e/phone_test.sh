#!/bin/bash
# `voice-ai call --sip`: a phone of ours against the daemon's SIP port, with the scripts of
# `voice-ai call`. sip_test.sh has phones of others.
. "$(dirname "$0")/lib.sh"
SIP_PORT=$(free_tcp)
export SIP_PORT SIP_HOST=127.0.0.1 SIP_ALLOW_DIRECT=true
start
secretaries

phone() { # name, script, more options
    local name=$1 script=$2
    shift 2
    call "$name" "$script" --sip "8100@127.0.0.1:$SIP_PORT" --voice pt-br "$@"
}
talk='wait greeting
say "quero falar com vendas"
expect transfer 201 within 12s'
phone "a spoken conversation ends in a REFER (PCMU)" "$talk" --codecs PCMU
check "the codec is said" grep -q 'sip PCMU with' "$work/said"
phone "PCMA" "$talk" --codecs PCMA
phone "G.722 at 16 kHz" "$talk" --rate-hz 16000
check "it is G.722" grep -q 'sip G722 with' "$work/said"
phone "Opus at 48 kHz" "$talk" --rate-hz 48000
check "it is Opus" grep -q 'sip opus with' "$work/said"
phone "a key by RFC 4733 interrupts the greeting" 'wait speech
dtmf 2
expect transfer 202 within 8s'
phone "barge-in by voice" 'barge-in 200ms say "quero falar com vendas"
expect silence within 400ms
expect transfer 201 within 12s' --number 8000
# The announcement is over after 4 s; on a calm machine what follows the refusal joins it without a pause.
phone "a busy human is a failed REFER, the agent is back" 'human busy
wait greeting
dtmf 1
expect speech within 5s
sleep 6s
expect speech within 10s
hangup'
check "the daemon was told" grep -q 'REFER to 201: 486' "$work/said"
phone "a topic is answered, then no: farewell and BYE" 'wait greeting
dtmf 5
wait answer
say "não"
expect hangup NORMAL_CLEARING within 10s'
phone "packets of others and garbage are not heard" 'wait greeting
inject foreign 50
inject garbage 20
say "quero falar com vendas"
expect transfer 201 within 12s'
check "they were counted" grep -qE 'event=call-end.*foreign=[1-9].*bad_size=[1-9]' "$work/log"
phone "audio that stops ends the call" 'wait greeting
fail-audio
expect hangup within 15s'
call "the number may stand apart" 'wait greeting
hangup' --sip "localhost:$SIP_PORT" --number 8100

vai call --sip "8999@127.0.0.1:$SIP_PORT" --calls 20 --rate 20 --hold 3 --json >"$work/load" 2>&1
check "twenty phones at once" grep -q '"answered":20,"refused":0,"lost_calls":0' "$work/load"

refused() { # name, what the error says, options...
    local name=$1 what=$2 code
    shift 2
    vai call "$@" >"$work/out" 2>&1
    code=$?
    if [ $code = 2 ] && grep -qF -- "$what" "$work/out"; then ok "$name"; else
        not_ok "$name (exit $code)"
        sed 's/^/    /' "$work/out"
    fi
}
refused "no such codec" "--codecs" --sip "127.0.0.1:$SIP_PORT" --codecs GSM
refused "no host names" "numeric IP" --sip "pbx.invalid:5060"
refused "no variables" "--sip" --sip "127.0.0.1:$SIP_PORT" --var a=b
refused "nobody there" "is a daemon there" --sip "127.0.0.1:$(free_tcp)"
stop
check "it stops cleanly" test "$code" = 0

SIP_ALLOW_DIRECT=false AUDIO_MODE=rtp start
refused "direct calls are not allowed" "403" --sip "8100@127.0.0.1:$SIP_PORT"
stop
