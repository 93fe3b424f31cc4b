#!/bin/bash
# voice-ai provider: the list, and one spoken turn with whoever needs nothing.
. "$(dirname "$0")/lib.sh"
python3 - "$work/silent.wav" <<'P'
import sys, wave
with wave.open(sys.argv[1], "wb") as w:
    w.setparams((1, 2, 8000, 0, "NONE", ""))
    w.writeframes(bytes(16000))
P
exits() { # code, name, pattern in what it says, arguments...
    local want=$1 name=$2 pattern=$3 out code
    shift 3
    out=$(vai provider "$@" 2>&1)
    code=$?
    if [ $code = "$want" ] && grep -qE "$pattern" <<<"$out"; then ok "$name"; else
        not_ok "$name (exit $code)"
        sed 's/^/    /' <<<"$out"
    fi
}
exits 0 "the list" '^attendant +not needed +pcm .*holds answers' list
exits 0 "a key that is missing" '^gemini +GEMINI_API_KEY missing' list
GEMINI_API_KEY=k exits 0 "a key that is set" '^gemini +GEMINI_API_KEY set' list
GOOGLE_API_KEY=k exits 0 "a key under its other name" '^gemini +GOOGLE_API_KEY set' list
exits 2 "a test without its key" 'set GEMINI_API_KEY' test gemini
exits 0 "the list is the default" '^NAME ' 
exits 0 "a spoken turn" 'understood +horário' test attendant
exits 0 "in another language, at another rate" 'answered +We are open' test attendant --language en-US --rate-hz 16000
exits 0 "a question of one's own" 'everything as it should be' test attendant --say "quero deixar um recado"
exits 1 "a silent file is told" 'WRONG .*silent or too quiet' test attendant --wav "$work/silent.wav"
exits 2 "a missing file is told" 'nowhere.wav' test attendant --wav "$work/nowhere.wav"
exits 2 "an unknown provider" 'provider list' test martian
exits 2 "no provider" 'which one' test
exits 2 "an unknown option" 'not an option' test attendant --colour red
exits 2 "an option without its value" 'without its value' test attendant --say
exits 2 "both questions" 'not both' test attendant --say a --wav b
exits 2 "a rate nobody has" 'rate-hz' test attendant --rate-hz 11025
exits 2 "an unknown command" 'list or test' tset
