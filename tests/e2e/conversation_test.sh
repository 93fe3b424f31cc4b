#!/bin/bash
# Conversations with the real binary, the embedded agent, its real voice and recogniser.
. "$(dirname "$0")/lib.sh"
export RECORD_CALLS=true
start
secretaries

call "spoken Portuguese is understood and transferred" 'wait greeting
say "quero falar com vendas"
expect transfer 201 within 8s' --number 8100 --voice pt-br
call "an alias means its destination" 'wait greeting
say "comercial"
expect transfer 201 within 8s' --number 8100 --voice pt-br
call "spoken English is understood" 'wait greeting within 30s
say "I would like to speak with sales" voice en-us
expect transfer 201 within 10s' --number 8001
call "a digit interrupts the greeting and transfers, with its context" 'wait speech
dtmf 2
expect transfer 202 within 6s' --number 8100
check "the context is the destination's" grep -q 'destination="202 XML other"' "$work/log"
call "the caller may interrupt by voice" 'barge-in 1500ms say "quero falar com vendas"
expect silence within 400ms
expect transfer 201 within 10s' --number 8000 --voice pt-br
call "a topic is answered, then no: farewell and hang-up" 'wait greeting
dtmf 5
wait answer
say "não"
expect hangup NORMAL_CLEARING within 10s' --number 8100 --voice pt-br
call "not understood twice: the default destination" 'wait greeting
say "minha filha fez aniversário na semana passada"
wait answer
say "eu gosto muito de macarrão com queijo"
expect transfer 200 within 10s' --number 8100 --voice pt-br
call "a silent caller is asked, then said goodbye to" 'wait greeting
expect speech within 4s
wait silence
expect hangup NORMAL_CLEARING within 10s' --number 8100
call "the longest duration ends with a farewell" 'wait greeting
expect hangup NORMAL_CLEARING within 20s' --number 8101
call "a transfer survives socket_resume=true" 'wait speech
dtmf 1
expect transfer 201 within 6s' --number 8100 --var socket_resume=true
call "an unknown number gets the default secretary" 'wait speech
dtmf 1
expect transfer 201 within 6s' --number 7777
call "an unanswered channel is answered first" 'wait speech
dtmf 1
expect transfer 201 within 6s' --number 8100 --unanswered
call "wideband: 16 kHz frames" 'wait greeting
say "quero falar com vendas"
expect transfer 201 within 8s' --number 8100 --voice pt-br --rate-hz 16000
call "48 kHz frames" 'wait greeting
say "quero falar com vendas"
expect transfer 201 within 8s' --number 8100 --voice pt-br --rate-hz 48000
call "ptime 30 ms" 'wait greeting
dtmf 1
expect transfer 201 within 6s' --number 8100 --ptime 30

call "a message is taken" 'wait greeting
dtmf 9
wait answer
sleep 700ms
say "por favor ligue para mim amanhã de manhã"
expect speech within 10s
wait silence
say "não"
expect hangup within 10s' --number 8100 --voice pt-br
check "the message is listed" bash -c "'$bin' --env /dev/null messages | grep -q messages/"
file=$(vai messages | awk 'NR==2 {print $NF}')
check "and its audio is there" test -s "$file"
call "hanging up in a message keeps what was said" 'wait greeting
dtmf 9
wait answer
sleep 700ms
say "ligue para mim amanhã de manhã por favor"
hangup' --number 8100 --voice pt-br
check "the unfinished message is kept too" wait_log 'event=message .*ms=' 5
check "two messages are listed" bash -c "[ \$('$bin' --env /dev/null messages | grep -c messages/) = 2 ]"

vai calls show last >"$work/show"
check "calls show tells how it ended" grep -q 'outcome *hung-up' "$work/show"
check "the transcript has both sides" bash -c "grep -q ' agent ' '$work/show' && grep -q ' caller ' '$work/show'"
check "recordings are written" bash -c "ls '$DATA_DIR'/recordings/*.wav | grep -q ."
check "no part file is left" bash -c "! ls '$DATA_DIR'/recordings/*.part 2>/dev/null | grep -q ."
stop
[ "$code" = 0 ] && ok "stops clean" || { not_ok "stops clean ($code)"; tail -n 30 "$work/log"; }
