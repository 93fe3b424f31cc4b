#!/bin/bash
# Transfers that come back, in each mode: who is called is busy, does not answer, answers, or answers
# and hangs up first; and what becomes of the ringing when somebody goes away.
. "$(dirname "$0")/lib.sh"
export MEDIA_START_TIMEOUT_MS=1500 MEDIA_LOST_TIMEOUT_MS=2000 TRANSFER_RING_TIMEOUT=4
export WS_HOST=127.0.0.1 WS_PORT=$(free_tcp) SIP_HOST=127.0.0.1 SIP_PORT=$(free_tcp)
export ESL_HOST=127.0.0.1 ESL_PORT=$(free_tcp) ESL_PASSWORD=a-secret

swift() { # a secretary of few words, so that the tone and the reasons can be told apart by time
    cat >"$work/swift.yaml" <<'Y'
name: swift
extension: "8110"
language: pt-BR
greeting: Olá.
silence_ms: 20000
end_silence_ms: 500
destinations:
  - {name: vendas, number: "201", digit: "1"}
  - {name: suporte, number: "202", digit: "2"}
prompts:
  menu: Diga um nome.
  transferring: Já vou.
  transfer-busy: Está ocupado.
  transfer-no-answer: Ninguém atendeu.
  transfer-returned: De volta.
  go-on: Pois não.
Y
    vai secretary import "$work/swift.yaml" >"$work/out" 2>&1 || not_ok "the test's secretary is imported"
}

# The announcement and a second of the ringing tone, then why it failed; and the conversation goes on.
refused() { # what the human does, what the caller does then
    echo "human $1
wait greeting
dtmf 1
wait answer within 6s
wait speech within 4s
wait silence within 8s
human answers talks 30s
$2
expect transfer 202 within 12s"
}
answered='human answers after 2s talks 30s
wait greeting
dtmf 1
wait answer within 6s
expect transfer 201 within 6s'
returned='human answers after 300ms talks 1500ms
wait greeting
dtmf 1
expect transfer 201 within 10s
expect unbridge within 6s
wait speech within 6s
wait silence within 8s
human answers talks 30s
dtmf 2
expect transfer 202 within 12s'
finished() { # the call in the background met its expectations
    wait "$caller" && return
    cat "$work/said"
    return 1
}
logged() { # what, pattern: in the log since the last call began
    check "$mode: $1" grep -qE "$2" "$work/log"
}

for mode in esl rtp dual websocket; do
    case $mode in
    dual) how=(--number 8110 --audio-stream open) ;;
    websocket) how=(--stream "ws://127.0.0.1:$WS_PORT/stream/swift/{uuid}") ;;
    *) how=(--number 8110) ;;
    esac
    AUDIO_MODE=$mode start
    [ $mode = esl ] && swift
    call "$mode: busy: it rings, he is told, and goes on" "$(refused 'busy after 2500ms' 'say "quero falar com suporte"')" \
        --voice pt-br "${how[@]}"
    logged "the log says why" 'event=transfer-failed.*USER_BUSY'
    call "$mode: nobody answers: back in time" "$(refused 'no-answer after 60s' 'dtmf 2')" "${how[@]}"
    logged "the log says so" 'event=transfer-failed.*nobody answered in time'
    check "$mode: it rings no more" grep -q 'cancel of who was called' "$work/said"
    call "$mode: he answers, we are out of it" "$answered" "${how[@]}"
    logged "as a transfer" 'event=call-end outcome=transferred.*destination=201'
    stop
    check "$mode: no call is left behind" grep -q 'step=no-new-calls running=0' "$work/log"

    AUDIO_MODE=$mode TRANSFER_RETURN=always start
    call "$mode: always: back when he hangs up, and on" "$returned" "${how[@]}"
    logged "the audio came back in the same mode" "event=came-back|event=audio-again mode=$mode"
    stop
done

mode=esl AUDIO_MODE=esl start
call "a star ends the ringing" 'human no-answer after 60s
wait greeting
dtmf 1
wait answer within 6s
dtmf *
human answers talks 30s
wait answer within 6s
dtmf 2
expect transfer 202 within 10s' --number 8110
call "who hangs up while it rings leaves no ringing behind" 'human no-answer after 60s
wait greeting
dtmf 1
wait answer within 6s
hangup' --number 8110
check "it was ended" grep -q 'cancel of who was called' "$work/said"
call "given back while it rings: the dialplan goes on" 'human no-answer after 60s
wait greeting
dtmf 1
wait answer within 6s
fail-audio
expect return within 6s' --number 8110
check "and it rings no more" grep -q 'cancel of who was called' "$work/said"
stop

start
printf '%s\n' 'human answers after 2500ms talks 30s
wait greeting
dtmf 1
wait answer within 6s
expect transfer 201 within 8s' >"$work/script"
vai call --number 8110 --script "$work/script" --timeout 60 >"$work/said" 2>&1 &
caller=$!
wait_log 'event=transfer destination=201' 20
stop
check "told to stop while it rings: the caller reaches whom he wanted" finished
check "and it stops cleanly" test "$code" = 0

printf '%s\n' 'human no-answer after 60s
wait greeting
dtmf 1
expect return within 20s' >"$work/script"
start
vai call --number 8110 --script "$work/script" --timeout 60 >"$work/said" 2>&1 &
caller=$!
wait_log 'event=transfer destination=201' 20
stop KILL
check "killed while it rings: the dialplan goes on" finished

TRANSFER_RETURN=never start
call "never: FreeSWITCH has the caller at once" 'human busy
wait greeting
dtmf 1
expect transfer 201 within 6s' --number 8110
stop
