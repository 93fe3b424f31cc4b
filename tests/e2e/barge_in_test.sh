#!/bin/bash
# Sounds into the greeting, with the real binary, the embedded agent, its real voice and recogniser.
. "$(dirname "$0")/lib.sh"
noise() { # file, milliseconds: a burst of noise that swells and falls, with a second of nothing
    python3 - "$1" "$2" <<'P'
import math, random, struct, sys, wave
random.seed(7)
n = int(sys.argv[2]) * 8
pcm = [int(9000 * math.sin(math.pi * i / n) ** 0.5 * random.uniform(-1, 1)) for i in range(n)]
with wave.open(sys.argv[1], "wb") as w:
    w.setparams((1, 2, 8000, 0, "NONE", ""))
    w.writeframes(b"".join(struct.pack("<h", s) for s in pcm + [0] * 8000))
P
}
noise "$work/cough.wav" 300
start
secretaries

call "a cough silences the greeting, and it goes on" "barge-in 1500ms wav $work/cough.wav
expect silence within 150ms
sleep 1200ms
expect speech within 1s
wait silence within 30s" --number 8000
check "the log tells" wait_log 'event=went-on' 5
check "the greeting was not interrupted" bash -c "! grep -q 'event=interrupted' '$work/log'"
vai calls show last >"$work/show"
check "all of it is in the transcript" bash -c "grep -q ' agent ' '$work/show' && ! grep -q '…' '$work/show'"

call "two coughs are two pauses" "barge-in 1000ms wav $work/cough.wav
expect silence within 150ms
sleep 1200ms
expect speech within 1s
barge-in 500ms wav $work/cough.wav
expect silence within 150ms
sleep 1200ms
expect speech within 1s
wait silence within 30s" --number 8000
check "both went on" wait_count 'event=went-on' 3 5

call "speech ends it, and is understood" 'barge-in 1500ms say "quero falar com vendas"
expect silence within 400ms
expect transfer 201 within 10s' --number 8000 --voice pt-br
check "it was interrupted, once" [ "$(grep -c 'event=interrupted' "$work/log")" = 1 ]
vai calls show last >"$work/show"
check "what was not heard was not said" grep -q '…' "$work/show"
call "one short word ends it too" 'barge-in 1500ms say "suporte"
expect transfer 202 within 10s' --number 8000 --voice pt-br
stop

export BARGE_IN_CONFIRM_MS=0
start
call "BARGE_IN_CONFIRM_MS=0: any sound ends it" "barge-in 1500ms wav $work/cough.wav
sleep 1s" --number 8000
check "and it was interrupted" grep -q 'event=interrupted' "$work/log"
stop
[ "$code" = 0 ] && ok "stops clean" || { not_ok "stops clean ($code)"; tail -n 30 "$work/log"; }
