#!/bin/bash
# AUDIO_MODE=dual with the mod_audio_stream of `voice-ai call`: every way for our side (WS_PLAYBACK),
# both editions; and a stream that ends in mid-call.
. "$(dirname "$0")/lib.sh"
export MEDIA_START_TIMEOUT_MS=1000 MEDIA_LOST_TIMEOUT_MS=600 AUDIO_MODE=dual
export WS_HOST=127.0.0.1 WS_PORT=$(free_tcp)
talk='wait greeting
say "quero falar com vendas"
expect transfer 201 within 12s'
interrupt='barge-in 1500ms say "quero falar com vendas"
expect silence within 450ms
expect transfer 201 within 12s'
way() { # way: the log says that our side went by it
    check "our side goes by $1" grep -q "event=playback mode=dual way=$1" "$work/log"
}

WS_PLAYBACK=broadcast start
secretaries
conversations dual --audio-stream open
way files
call "16 kHz" "$talk" --number 8100 --voice pt-br --audio-stream open --rate-hz 16000
call "audio stops, esl goes on" 'wait greeting
fail-audio
sleep 1300ms
resume-audio
dtmf 1
expect transfer 201 within 12s' --number 8100 --audio-stream open
check "the log says so" grep -qE 'event=audio-failed mode=dual.*next=esl' "$work/log"
stop
check "it stops cleanly" test "$code" = 0

start
call "open edition: chosen by itself" "$talk" --number 8100 --voice pt-br --audio-stream open
way unicast
call "and interrupted" "$interrupt" --number 8000 --voice pt-br --audio-stream open
vai call --number 8999 --calls 20 --rate 20 --hold 3 --audio-stream open --json >"$work/load" 2>&1
check "twenty calls at once" grep -q '"answered":20,"refused":0,"lost_calls":0' "$work/load"
stop

for way in json binary; do
    WS_PLAYBACK=$way start
    call "commercial edition, $way" "$interrupt" --number 8000 --voice pt-br --audio-stream commercial
    way $way
    stop
done

AUDIO_FALLBACK='' WS_PLAYBACK=broadcast WS_ADVERTISE_URL="ws://127.0.0.1:$(free_tcp)" start
call "a stream that cannot connect: given back" 'expect return within 6s' --number 8100 --audio-stream open
check "the log says what to check" grep -qE 'event=audio-failed.*WS_ADVERTISE_URL' "$work/log"
stop
