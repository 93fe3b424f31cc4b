#!/bin/bash
# Calls through the OpenAI driver, with the real binary and a strict server of that protocol.
. "$(dirname "$0")/lib.sh"
build=$(dirname "$bin")
server=$here/../fakes/ai/openai_server.mjs
recordings=${VA_SHARED_DIR:-$here/../../../shared}/recordings/providers
server_pid=""
trap '[ -n "$server_pid" ] && kill "$server_pid" 2>/dev/null; finish' EXIT

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "skipped: node and npm are needed"
    exit 0
fi
[ -d "$build/npm/node_modules/ws" ] ||
    npm install --prefix "$build/npm" --no-audit --no-fund ws >"$work/npm.log" 2>&1 || {
    echo "skipped: npm cannot install the module ws"
    cat "$work/npm.log"
    exit 0
}
export NODE_PATH=$build/npm/node_modules

# The server itself, against what the real one said.
if [ -d "$recordings" ]; then
    node "$here/../fakes/ai/openai_check.mjs" "$recordings"/openai-*.jsonl "$recordings"/azure-*.jsonl \
        "$recordings"/xai-*-turn.jsonl || bad=1
else
    echo "skipped: no recordings to check the server against"
fi

# And clients that are not ours against it.
clients=$build/npm-openai
if [ -d "$clients/node_modules/@openai/agents-realtime" ] ||
    npm install --prefix "$clients" --no-audit --no-fund ws openai @openai/agents-realtime >"$work/npm.log" 2>&1; then
    NODE_PATH=$clients/node_modules node "$here/../fakes/ai/openai_clients.mjs" || bad=1
else
    echo "skipped: npm cannot install OpenAI's clients"
    cat "$work/npm.log"
fi

serve() { # scenario, more options: a server of its own; sets $port, its log is $work/server
    stop_server
    printf '%s' "$1" >"$work/scenario"
    shift
    : >"$work/server"
    rm -f "$work/port"
    mkfifo "$work/port"
    node "$server" --scenario "$work/scenario" --log "$work/server" "$@" >"$work/port" 2>"$work/server.err" &
    server_pid=$!
    read -r -t 20 _ port <"$work/port"
    export OPENAI_BASE_URL=http://127.0.0.1:$port/v1
}
stop_server() {
    [ -n "$server_pid" ] && kill "$server_pid" 2>/dev/null && wait "$server_pid" 2>/dev/null
    server_pid=""
}
seen() { grep -q "$1" "$work/server"; } # in the server's log
unseen() { ! grep "$1" "$work/server"; }
fine() { # the server refused nothing
    check "$1: nothing was refused" unseen '"event":"refused"'
}
tone() { # channel of the last recording must be mostly of that frequency somewhere for 300 ms
    python3 - "$(ls -t "$DATA_DIR"/recordings/*.wav | head -n 1)" "$1" <<'P'
import math, struct, sys, wave
with wave.open(sys.argv[1]) as w:
    rate, n = w.getframerate(), w.getnframes()
    pcm = struct.unpack("<%dh" % (2 * n), w.readframes(n))[1::2]
hz, step = float(sys.argv[2]), rate // 20
def share(x):  # of the energy that is at hz (Goertzel)
    c = [math.cos(2 * math.pi * hz * i / rate) for i in range(len(x))]
    s = [math.sin(2 * math.pi * hz * i / rate) for i in range(len(x))]
    a, b = sum(map(lambda u, v: u * v, x, c)), sum(map(lambda u, v: u * v, x, s))
    e = sum(v * v for v in x)
    return (a * a + b * b) / (e * len(x) / 2) if e > len(x) * 1e5 else 0
good = sum(share(pcm[i:i + step]) > 0.9 for i in range(0, len(pcm) - step, step))
sys.exit(0 if good >= 6 else "only %d of the pieces are %g Hz" % (good, hz))
P
}
no_gap() { # agent's channel of the last recording: sound, then never a second of nothing, for N seconds
    python3 - "$(ls -t "$DATA_DIR"/recordings/*.wav | head -n 1)" "$1" "$2" <<'P'
import struct, sys, wave
with wave.open(sys.argv[1]) as w:
    rate, n = w.getframerate(), w.getnframes()
    pcm = struct.unpack("<%dh" % (2 * n), w.readframes(n))[1::2]
step, start, span = rate // 50, float(sys.argv[2]), float(sys.argv[3])
loud = [max(map(abs, pcm[i:i + step])) > 300 for i in range(0, n - step, step)]
first = next(i for i in range(int(start * 50), len(loud)) if loud[i])
quiet = longest = 0
for on in loud[first:first + int(span * 50)]:
    quiet = 0 if on else quiet + 1
    longest = max(longest, quiet)
print("longest silence %d ms" % (longest * 20))
sys.exit(longest >= 50)
P
}
noise() { # file, milliseconds
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
noise "$work/cough.wav" 250

export RECORD_CALLS=true AI_PROVIDER=openai OPENAI_API_KEY=sk-test WORKERS=1

# ---- a conversation
serve '{"answers":[{"text":"Olá, aqui é a Teste.","hz":400,"ms":1200},
                   {"text":"Abrimos às nove.","hz":700,"ms":1500},
                   {"tool":{"name":"transfer","arguments":{"destination":"vendas"}}},
                   {"text":"Olá de novo.","ms":3000},
                   {"tool":{"name":"transfer","arguments":{"destination":"vendas"}}}],
        "words":["que horas abre","quero falar com vendas"]}'
start
secretaries
wait_up() { # until the server has it
    exec 7< <(exec tail -n +1 -f "$work/server" 2>/dev/null)
    while IFS= read -r -t 10 -u 7 line; do [[ $line =~ $1 ]] && break; done
    exec 7<&-
}
wait_up upgrade
check "a connection is prepared before any call" seen '"event":"upgrade"'
call "a question is answered, a wish is a transfer" 'wait greeting
say "que horas vocês abrem"
expect speech within 4s
wait silence
say "quero falar com vendas"
expect transfer 201 within 6s' --number 8100 --voice pt-br
vai calls show last >"$work/show"
check "the transcript has what was said" bash -c "grep -q 'Abrimos' '$work/show' && grep -q 'que horas abre' '$work/show'"
check "the answer was heard as it was sent" tone 700
check "the greeting went to the model word for word" seen 'instructions.*Olá'
check "the caller's number is no part of the prompt" unseen '"type":"session.update".*1000'
fine "conversation"

call "keys are told" 'wait speech
dtmf 1
expect transfer 201 within 6s' --number 8100
check "as text" seen 'keypad: 1'

# ---- barge-in
stop_server
export -n OPENAI_BASE_URL
stop
serve '{"answers":[{"text":"Olá.","ms":400},{"text":"Uma resposta muito longa que ninguém ouve até o fim.","ms":20000,"hz":500},
                   {"text":"Pois não.","ms":600,"hz":900}],
        "words":["conte","espere"],"late_deltas":3,"pace_ms":5}'
start
call "words end the answer" 'wait greeting
say "conte uma história"
expect speech within 4s
barge-in 1500ms say "espere um pouco por favor"
expect silence within 500ms
expect speech within 5s
wait silence
hangup' --number 8100 --voice pt-br
vai calls show last >"$work/show"
check "the transcript has the part that was heard" grep -q '…' "$work/show"
truncated=$(sed -n 's/.*"event":"truncated".*"ms":\([0-9]*\).*/\1/p' "$work/server" | head -n 1)
heard=$(sed -n 's/.*event=interrupted.*heard_ms=\([0-9]*\).*/\1/p' "$work/log" | head -n 1)
check "the model is told the very milliseconds ($truncated of ours $heard)" [ "$truncated" = "${heard:-none}" ]
check "the last answer was heard" tone 900
fine "barge-in"
stop

serve '{"answers":[{"text":"Olá, um texto mais longo do que de costume, para que se possa tossir.","ms":6000,"hz":500}],"words":[""]}'
start
call "a cough lets it go on" "barge-in 1500ms wav $work/cough.wav
sleep 3s
expect speech within 2s
wait silence within 20s
hangup" --number 8100
check "nothing was cancelled" unseen 'response.cancel\|truncated'
check "the cough was deleted over there" seen 'conversation.item.delete'
check "one answer, the greeting" [ "$(grep -c '"event":"answer"' "$work/server")" = 1 ]
fine "cough"
stop

# ---- loss
serve '{"answers":[{"text":"Olá.","ms":600},{"text":"Isto vai ser interrompido.","ms":4000,"drop_after_ms":500},
                   {"text":"Onde estávamos?","ms":900,"hz":800}],"words":["conte"],"pace_ms":50}'
start
call "a connection that breaks in mid-word is made again" 'wait greeting
say "conte uma história"
expect speech within 4s
sleep 4s
hangup' --number 8100 --voice pt-br
check "the conversation went on" tone 800
check "with its history" seen '"role":"assistant".*Olá'
fine "loss"
stop

serve '{"answers":[{"text":"Olá.","ms":600},{"text":"Isto ninguém vai ouvir até o fim.","ms":9000,"drop_after_ms":1000,"die":true}],
        "words":["conte"],"pace_ms":90}'
start
call "a server that dies in mid-sentence: the attendant takes over" 'wait greeting
say "conte uma história"
expect speech within 4s
wait silence within 30s
dtmf 1
expect transfer 201 within 6s' --number 8100 --voice pt-br
check "and speaks within a second" no_gap 2 3
check "what was heard of the answer is in its history" grep -q 'event=provider-open provider=attendant history=[2-9]' "$work/log"
stop

serve '{"answers":[{"text":"Olá.","ms":600}],"words":["tchau"],"session_ms":4000}'
start
call "a session that ends is renewed between the words" 'wait greeting
sleep 4s
say "tchau para você"
expect speech within 4s
wait silence
hangup' --number 8101 --voice pt-br
check "more than one session" bash -c "[ \$(grep -c '\"event\":\"upgrade\"' '$work/server') -ge 3 ]"
check "nobody was cut off" unseen '"event":"closed","code":1006'
stop

# ---- failure: the embedded agent takes over
serve '{"answers":[{"text":"Olá.","ms":600}]}' --api-key other
start
call "a wrong key: the attendant speaks" 'expect speech within 5s
wait greeting within 30s
dtmf 1
expect transfer 201 within 6s' --number 8100
check "the log says why" grep 'session-failed.*401' "$work/log"
stop
unset OPENAI_API_KEY
start
call "no key: likewise" 'expect speech within 5s
wait greeting within 30s
dtmf 1
expect transfer 201 within 6s' --number 8100
check "the setting is named" grep -q 'OPENAI_API_KEY is not set' "$work/log"
check "keys are never logged" bash -c "! grep -q sk-test '$work/log'"
stop
export OPENAI_API_KEY=sk-test

# ---- TLS
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext 'subjectAltName=DNS:localhost' -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
serve '{"answers":[{"text":"Olá.","ms":900,"hz":600}]}' --cert "$work/cert.pem" --key "$work/key.pem"
export OPENAI_BASE_URL=https://localhost:$port/v1
start
call "an unknown certificate: the attendant speaks" 'expect speech within 5s
wait greeting within 30s
dtmf 1
expect transfer 201 within 6s' --number 8100
check "the log names the setting" grep -q TLS_CA_FILE "$work/log"
stop
export TLS_CA_FILE=$work/cert.pem
start
call "with its authority it is trusted" 'wait greeting
hangup' --number 8100
check "and heard" tone 600
check "the next handshake is a resumed one" seen '"resumed":true'
stop
[ "$code" = 0 ] && ok "stops clean" || { not_ok "stops clean ($code)"; tail -n 30 "$work/log"; }
