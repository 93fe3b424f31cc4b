#!/bin/bash
# Calls through Gemini Live, ElevenLabs, Deepgram's agent, Ultravox, GPT-Live and xAI, with the real
# binary and strict servers of those protocols.
. "$(dirname "$0")/lib.sh"
build=$(dirname "$bin")
servers=$here/../fakes/ai
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

serve() { # scenario: a server of its own; its log is $work/server
    stop_server
    printf '%s' "$1" >"$work/scenario"
    : >"$work/server"
    rm -f "$work/port"
    mkfifo "$work/port"
    local server=live_server.mjs
    [ "$AI_PROVIDER" = xai ] && server="openai_server.mjs --dialect xai"
    # shellcheck disable=SC2086
    node "$servers"/$server --scenario "$work/scenario" --log "$work/server" >"$work/port" 2>"$work/server.err" &
    server_pid=$!
    read -r -t 20 _ port <"$work/port"
    export GEMINI_BASE_URL=http://127.0.0.1:$port ELEVENLABS_BASE_URL=http://127.0.0.1:$port
    export DEEPGRAM_AGENT_URL=ws://127.0.0.1:$port/v1/agent/converse
    export XAI_BASE_URL=http://127.0.0.1:$port/v1
    export ULTRAVOX_BASE_URL=http://127.0.0.1:$port OPENAI_BASE_URL=http://127.0.0.1:$port/v1
}
stop_server() {
    [ -n "$server_pid" ] && kill "$server_pid" 2>/dev/null && wait "$server_pid" 2>/dev/null
    server_pid=""
}
seen() { grep -q "$1" "$work/server"; }
unseen() { ! grep "$1" "$work/server"; }
prompt='\("event":"prompt"\|"type":"session.update"\)'

export GEMINI_API_KEY=sk-test DEEPGRAM_API_KEY=sk-test ULTRAVOX_API_KEY=sk-test OPENAI_API_KEY=sk-test
export ELEVENLABS_API_KEY=sk-test ELEVENLABS_AGENT_ID=a XAI_API_KEY=sk-test WORKERS=1

for AI_PROVIDER in gemini elevenlabs deepgram ultravox gpt-live xai; do
    export AI_PROVIDER
    serve '{"answers":[{"text":"Olá, aqui é a Teste.","ms":1200},
                       {"text":"Abrimos às nove.","hz":700,"ms":1500},
                       {"tool":{"name":"transfer","arguments":{"destination":"vendas"}}},
                       {"text":"Olá de novo.","ms":1000}],
            "words":["que horas abre","quero falar com vendas"],"handles":true}'
    start
    secretaries
    call "$AI_PROVIDER: a question is answered, a wish is a transfer" 'wait greeting
say "que horas vocês abrem"
expect speech within 5s
wait silence
say "quero falar com vendas"
expect transfer 201 within 8s' --number 8100 --voice pt-br
    vai calls show last >"$work/show"
    check "$AI_PROVIDER: the transcript has what was said" bash -c "grep -q 'Abrimos' '$work/show' && grep -q 'que horas abre' '$work/show'"
    check "$AI_PROVIDER: the prompt is known" seen "$prompt"
    check "$AI_PROVIDER: the caller's number is no part of it" unseen "$prompt.*1000"
    check "$AI_PROVIDER: nothing was refused" unseen '"event":"refused"'
    check "$AI_PROVIDER: nothing failed" bash -c "! grep -E 'session-failed|provider-failed|took-over' '$work/log'"
    stop
done

export AI_PROVIDER=gemini
serve '{"answers":[{"text":"Olá.","ms":600},{"text":"Isto vai ser interrompido.","ms":4000,"drop_after_ms":500},
                   {"text":"Onde estávamos?","ms":900}],"words":["conte"],"pace_ms":50,"handles":true}'
start
call "gemini: a connection that breaks in mid-word is resumed" 'wait greeting
say "conte uma história"
expect speech within 4s
sleep 3s
hangup' --number 8100 --voice pt-br
check "gemini: by its handle" seen '"resumed":"h-'
check "gemini: and told to go on" seen "Go on with the conversation"
check "gemini: nothing was refused" unseen '"event":"refused"'
stop
