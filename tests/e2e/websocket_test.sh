#!/bin/bash
# AUDIO_MODE=websocket: the channel of `voice-ai call` streams by itself, and the daemon connects to
# its Event Socket.
. "$(dirname "$0")/lib.sh"
export MEDIA_START_TIMEOUT_MS=1000 MEDIA_LOST_TIMEOUT_MS=600 AUDIO_MODE=websocket
export WS_HOST=127.0.0.1 WS_PORT=$(free_tcp)
export ESL_HOST=127.0.0.1 ESL_PORT=$(free_tcp) ESL_PASSWORD=a-secret
url=ws://127.0.0.1:$WS_PORT
quick=$url/stream/quick/{uuid}
talk='wait greeting
say "quero falar com vendas"
expect transfer 201 within 12s'
interrupt='barge-in 1500ms say "quero falar com vendas"
expect silence within 450ms
expect transfer 201 within 12s'

WS_PLAYBACK=broadcast start
secretaries
call "spoken words are understood, and transferred" "$talk" --voice pt-br --stream "$quick"
call "a digit transfers, with its context" 'wait greeting
dtmf 2
expect transfer 202 within 8s' --stream "$quick"
call "the default secretary is interrupted by voice" "$interrupt" --voice pt-br --stream "$url"
call "a topic is answered, then no: farewell and hang-up" 'wait greeting
dtmf 5
wait answer
say "não"
expect hangup NORMAL_CLEARING within 12s' --voice pt-br --stream "$quick"
call "the caller hangs up" 'wait greeting
hangup' --stream "$quick"
call "the variable names the secretary too" 'wait greeting
hangup' --stream "$url" --var voice_ai_secretary=quick
carried=$(grep -c 'event=call-end.*mode=websocket ' "$work/log")
check "it carried all of them to their end" test "$carried" = 6
call "audio stops, esl goes on" 'wait greeting
fail-audio
sleep 1300ms
resume-audio
dtmf 1
expect transfer 201 within 12s' --stream "$quick"
check "the log says so" grep -qE 'event=audio-failed mode=websocket.*next=esl' "$work/log"
call "given back, it goes where the dialplan says" 'wait greeting
fail-audio
expect transfer 200 within 8s' --stream "$quick" --var voice_ai_return="200 XML default"
stop
check "it stops cleanly" test "$code" = 0

start
call "chosen by itself: unicast beside the stream" "$talk" --voice pt-br --stream "$quick"
check "it is" grep -q 'event=playback mode=websocket way=unicast' "$work/log"
vai call --stream "$url/stream/8999/{uuid}" --calls 20 --rate 20 --hold 3 --json >"$work/load" 2>&1
check "twenty calls at once" grep -q '"answered":20,"refused":0,"lost_calls":0' "$work/load"
stop

WS_PLAYBACK=binary start
call "commercial edition, binary" "$interrupt" --voice pt-br --stream "$url" --audio-stream commercial
ESL_PASSWORD=wrong vai call --stream "$quick" --say x --timeout 20 >"$work/said" 2>&1
code=$?
check "a wrong password takes no call" test $code = 2
stop
vai call --stream "$quick" --say x >"$work/said" 2>&1
code=$?
check "no daemon" test $code = 2
