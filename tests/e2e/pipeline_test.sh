#!/bin/bash
# AI_PROVIDER=pipeline with the real binary: spoken question, spoken answer, through local servers.
. "$(dirname "$0")/lib.sh"
if ! command -v node >/dev/null; then
    echo "skipped: node is not installed (tools/deps.sh test)"
    exit 0
fi
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

export AI_PROVIDER=pipeline AI_FALLBACK=""

# ---- a model alone, with the embedded ear and voice
serve '{"llm": [
  {"text": "Claro. Vou transferir você para vendas agora.", "tool": {"name": "transfer", "arguments": {"destination": "vendas"}}, "reasoning": "They want sales."}
]}'
export LLM_BASE_URL=http://127.0.0.1:$port/v1 LLM_MODEL=test
start
secretaries
call "a model, the embedded ear and the embedded voice: asked, answered, transferred" 'wait greeting
say "quero falar com vendas"
expect speech within 8s
expect transfer 201 within 10s' --number 8100 --voice pt-br
seen "the model was told the caller's words and its tools" '"content":"vendas".*"tools":\["transfer","take_message","end_call"\]'
vai calls show last >"$work/show"
check "the transcript has both sides, sentence by sentence" bash -c "grep -q 'Vou transferir' '$work/show' && grep -q ' caller .*vendas' '$work/show'"
check "what was only thought was not said" bash -c "! grep -q 'They want' '$work/show'"
stop
[ "$code" = 0 ] && ok "stops clean" || { not_ok "stops clean ($code)"; tail -n 30 "$work/log"; }
