#!/bin/bash
# AI_PROVIDER=pipeline with the real binary: spoken question, spoken answer, through local servers.
. "$(dirname "$0")/lib.sh"
if ! command -v node >/dev/null; then
    echo "skipped: node is not installed (tools/deps.sh test)"
    exit 0
fi
build=$(dirname "$bin")
export NODE_PATH=$build/npm/node_modules
server_pid=""
trap '[ -n "$server_pid" ] && kill "$server_pid" 2>/dev/null; finish' EXIT

serve() { # scenario, options: a server of its own; sets $port, $server_log
    [ -n "$server_pid" ] && kill "$server_pid" 2>/dev/null && wait "$server_pid" 2>/dev/null
    printf '%s' "$1" >"$work/scenario.json"
    shift
    server_log=$work/server.log
    : >"$server_log"
    coproc NODE { exec node "$here/../fakes/ai/pipeline_server.mjs" "$work/scenario.json" "$server_log" "$@"; }
    server_pid=$NODE_PID
    read -r _ port <&"${NODE[0]}"
    [ -n "$port" ] || { not_ok "the local server starts"; exit 1; }
}

seen() { # what was asked of the server
    check "$1" grep -qE "$2" "$server_log"
    grep -qE "$2" "$server_log" || sed 's/^/    /' "$server_log"
}

run() { # start the daemon with what is exported now
    start
    secretaries
}

rest() {
    stop
    [ "$code" = 0 ] && ok "stops clean ($1)" || { not_ok "stops clean ($1: $code)"; tail -n 30 "$work/log"; }
}

export AI_PROVIDER=pipeline LLM_MODEL=test AI_FIRST_AUDIO_TIMEOUT_MS=20000

# ---- a model alone, with the embedded ear and voice
serve '{"llm": [
  {"text": "Claro. Vou transferir você para vendas agora.", "reasoning": "They want sales.",
   "tool": {"name": "transfer", "arguments": {"destination": "vendas"}}}
]}'
LLM_BASE_URL=http://127.0.0.1:$port/v1 run
call "a model, the embedded ear and the embedded voice: asked, answered, transferred" 'wait greeting
say "quero falar com vendas"
expect speech within 8s
expect transfer 201 within 10s' --number 8100 --voice pt-br
seen "the model was told the caller's words and its tools" \
    '"content":"vendas".*"tools":\["transfer","take_message","end_call"\]'
vai calls show last >"$work/show"
check "the transcript has both sides, sentence by sentence" bash -c \
    "grep -q 'Vou transferir' '$work/show' && grep -q ' caller .*vendas' '$work/show'"
check "what was only thought was not said" bash -c "! grep -q 'They want' '$work/show'"
call "a key is told to the model" 'wait speech
dtmf 1
expect transfer 201 within 10s' --number 8100
seen "as a note of what happened" 'keys: 1'
rest "model alone"

# ---- everything over the network: OpenAI's kind of ear, model and voice
serve '{"key": "k-secret-1", "stt": ["Eu queria saber", "o horário de vocês."],
 "llm": [{"text": "**Abrimos** às 9h. Fechamos às 18h. Deseja mais alguma coisa?", "split": true, "no_finish": true},
         {"text": "Até logo!", "tool": {"name": "end_call"}, "one_fragment": true, "no_done": true}]}'
export STT_PROVIDER=openai STT_BASE_URL=http://127.0.0.1:$port/v1 STT_API_KEY=k-secret-1
export TTS_PROVIDER=openai TTS_BASE_URL=http://127.0.0.1:$port/v1 TTS_API_KEY=k-secret-1
export LLM_BASE_URL=http://127.0.0.1:$port/v1 LLM_API_KEY=k-secret-1
run
call "words that end in the middle are waited on; question, answer, goodbye" 'wait greeting
say "eu queria saber"
sleep 900ms
say "o horário de vocês"
wait answer within 15s
say "obrigado tchau"
expect hangup NORMAL_CLEARING within 15s' --number 8100 --voice pt-br
seen "both parts were one turn" '"content":"Eu queria saber o horário de vocês."'
seen "the voice got sentences without markup" '"tts":"openai","text":"Abrimos às 9h."'
seen "one after the other" '"tts":"openai","text":"Fechamos às 18h."'
seen "the ear got a WAV in the caller's language" '"stt":"openai".*"language":"pt"'
check "the key is nowhere in the log" bash -c "! grep -q k-secret '$work/log'"
rest "OpenAI's kind"

# ---- barge-in: the answer is cut, its connections closed, the model told what was heard
serve '{"stt": ["Quero falar com alguém."],
 "llm": [{"text": "Esta é uma resposta muito longa que ninguém quer ouvir até o fim. Ela continua e continua. Ainda não acabou. E mais uma frase. E outra frase aqui. E a última frase de todas.", "piece_ms": 150},
         {"text": "Pois não."}]}'
export STT_BASE_URL=http://127.0.0.1:$port/v1 TTS_BASE_URL=http://127.0.0.1:$port/v1 LLM_BASE_URL=http://127.0.0.1:$port/v1
run
call "the caller may interrupt" 'wait greeting
say "bom dia"
expect speech within 10s
barge-in 2000ms say "não é isso que eu queria saber agora"
expect silence within 1500ms
sleep 1s
expect speech within 10s
wait silence
hangup' --number 8100 --voice pt-br
seen "the model's connection was closed" '"closed_by_client":"/v1/chat/completions"'
check "the model was told what was heard, and no more" bash -c "
    grep '\"llm\"' '$server_log' | tail -n 1 | grep -q 'Esta é uma' &&
    ! grep '\"llm\"' '$server_log' | tail -n 1 | grep -q 'última frase'"
rest "barge-in"

# ---- the other protocols
serve '{"stt": ["Quero falar com vendas."], "key": "k-2",
 "llm": [{"text": "Um momento.", "reasoning": "hm", "tool": {"name": "transfer", "arguments": {"destination": "Comercial"}}, "split": true}]}'
LLM_PROVIDER=anthropic ANTHROPIC_API_KEY=k-2 LLM_API_KEY= LLM_BASE_URL=http://127.0.0.1:$port \
    TTS_PROVIDER=elevenlabs ELEVENLABS_API_KEY=k-2 TTS_BASE_URL=http://127.0.0.1:$port \
    STT_BASE_URL=http://127.0.0.1:$port/v1 run
call "Anthropic thinks, ElevenLabs speaks; an alias means its destination" 'wait greeting
say "quero falar com vendas"
expect speech within 8s
expect transfer 201 within 10s' --number 8100 --voice pt-br
seen "Anthropic was asked" '"llm":"anthropic"'
seen "ElevenLabs spoke in the line's format" 'output_format=ulaw_8000'
rest "Anthropic and ElevenLabs"

serve '{"stt": ["Bom dia."], "llm": [{"text": "Bom dia! Tchau!", "tool": {"name": "end_call"}, "whole": false}]}'
TTS_PROVIDER=piper TTS_BASE_URL=http://127.0.0.1:$port LLM_BASE_URL=http://127.0.0.1:$port/v1 \
    STT_BASE_URL=http://127.0.0.1:$port/v1 run
call "Piper speaks" 'wait greeting
say "bom dia"
expect hangup NORMAL_CLEARING within 12s' --number 8100 --voice pt-br
seen "Piper was asked" '"tts":"piper"'
rest "Piper"

# ---- failure
serve '{"stt": ["Quero falar com vendas."], "llm": [{"text": "Uma frase que não tem fim porque o servidor morre antes disso acontecer", "piece_ms": 30, "drop_after": 6}]}'
STT_BASE_URL=http://127.0.0.1:$port/v1 TTS_PROVIDER=embedded LLM_BASE_URL=http://127.0.0.1:$port/v1 run
call "the model dies in the middle of a sentence: the attendant goes on" 'wait greeting
say "bom dia"
expect speech within 10s
wait silence within 20s
dtmf 1
expect transfer 201 within 10s' --number 8100 --voice pt-br
check "the log says what happened" grep -q 'broke off' "$work/log"
rest "model dies"

serve '{"key": "k-right"}'
STT_PROVIDER=embedded TTS_PROVIDER=embedded LLM_API_KEY=k-wrong-secret LLM_BASE_URL=http://127.0.0.1:$port/v1 run
call "a wrong key: the attendant goes on" 'wait greeting
say "quero falar com vendas"
expect transfer 201 within 15s' --number 8100 --voice pt-br
check "the log names the key's refusal" grep -q 'refuses the key' "$work/log"
check "and not the key" bash -c "! grep -q k-wrong '$work/log'"
rest "wrong key"

# ---- Deepgram hears: words before the turn is over
if [ -d "$NODE_PATH/ws" ] || npm install --prefix "$build/npm" --no-audit --no-fund ws >"$work/npm.log" 2>&1; then
    serve '{"stt": ["Eu queria falar com vendas, por favor."],
     "llm": [{"text": "Claro.", "tool": {"name": "transfer", "arguments": {"destination": "vendas"}}}]}' --ws
    STT_PROVIDER=deepgram DEEPGRAM_API_KEY=k-dg STT_BASE_URL=ws://127.0.0.1:$port TTS_PROVIDER=embedded \
        LLM_BASE_URL=http://127.0.0.1:$port/v1 run
    call "Deepgram hears" 'wait greeting
say "eu queria falar com vendas por favor"
expect transfer 201 within 12s' --number 8100 --voice pt-br
    seen "it got the caller's audio, and was told the turn's end" '"deepgram":"Finalize","bytes":[1-9][0-9]{4}'
    seen "the model got its words" 'Eu queria falar com vendas, por favor'
    rest "Deepgram"
else
    echo "skipped: npm cannot install the module ws"
    cat "$work/npm.log"
fi

# ---- TLS: a certificate is believed when its authority is known, and not else
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$work/key.pem" \
    -addext subjectAltName=IP:127.0.0.1 -out "$work/cert.pem" 2>/dev/null
serve '{"llm": [{"text": "Sim, claro.", "tool": {"name": "transfer", "arguments": {"destination": "suporte"}}}]}' \
    --tls "$work/cert.pem" "$work/key.pem"
export STT_PROVIDER=embedded TTS_PROVIDER=embedded LLM_API_KEY= LLM_BASE_URL=https://127.0.0.1:$port/v1
TLS_CA_FILE=$work/cert.pem run
call "over TLS" 'wait greeting
say "quero falar com vendas"
expect transfer 202 within 12s' --number 8100 --voice pt-br
rest "TLS"
run
call "an unknown authority: the attendant goes on" 'wait greeting
say "quero falar com vendas"
expect transfer 201 within 15s' --number 8100 --voice pt-br
check "the log names the certificate and the setting" grep -q 'certificate.*TLS_CA_FILE' "$work/log"
rest "unknown authority"

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=elsewhere -keyout "$work/key2.pem" \
    -addext subjectAltName=DNS:elsewhere.example -out "$work/cert2.pem" 2>/dev/null
serve '{"llm": [{"text": "Sim."}]}' --tls "$work/cert2.pem" "$work/key2.pem"
LLM_BASE_URL=https://127.0.0.1:$port/v1 TLS_CA_FILE=$work/cert2.pem vai provider test pipeline >"$work/tried" 2>&1
check "a certificate of another host is refused, although its authority is known" \
    grep -q 'WRONG.*certificate of 127.0.0.1' "$work/tried"
LLM_BASE_URL=http://127.0.0.1:$port/v1 vai provider test pipeline >"$work/tried" 2>&1
check "http:// to a port that speaks TLS is said" grep -q 'WRONG.*127.0.0.1' "$work/tried"
LLM_BASE_URL=http://127.0.0.1:$port/v1 vai provider test pipeline:stt=nobody >"$work/tried" 2>&1
check "an option that does not exist is said, with those that do" \
    grep -q 'WRONG.*embedded|openai|deepgram' "$work/tried"
