# Sourced by the end-to-end tests: a daemon of its own per test file, on ports that are free, in a
# folder that goes away. $1 is the voice-ai binary.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$(realpath "$1")
work=$(mktemp -d)
pid=""
bad=0

slot=${TEST_SLOT:-0} # 0 … 2: scripts that run at the same time have ports of their own

free_tcp() { # a free TCP port; the daemon says so itself should somebody be faster
    local port
    while :; do
        port=$((16000 + slot * 1300 + RANDOM % 1300))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

ESL_SERVER_PORT=$(free_tcp)
# Below 32768: what the kernel gives to anybody who asks for any port begins there.
RTP_PORT_MIN=$((10000 + slot * 2000 + RANDOM % 100))
RTP_PORT_MAX=$((RTP_PORT_MIN + 1900))
UNICAST_PORT_MIN=$((20000 + slot * 4000 + RANDOM % 100))
UNICAST_PORT_MAX=$((UNICAST_PORT_MIN + 3900))
ESL_SERVER_HOST=127.0.0.1
DATA_DIR=$work/data
export ESL_SERVER_PORT RTP_PORT_MIN RTP_PORT_MAX UNICAST_PORT_MIN UNICAST_PORT_MAX ESL_SERVER_HOST DATA_DIR

vai() { "$bin" --env /dev/null "$@"; }

ok() { echo "ok $1"; }
not_ok() {
    echo "not ok $1"
    bad=1
}
check() { # name, command...
    local name=$1
    shift
    if "$@" >"$work/out" 2>&1; then ok "$name"; else
        not_ok "$name"
        sed 's/^/    /' "$work/out"
    fi
}

wait_count() { # pattern, how often, seconds: until the log has it so often
    local n=0 line tail_pid
    exec 9< <(exec tail -n +1 -f "$work/log" 2>/dev/null)
    tail_pid=$!
    while [ $n -lt "$2" ] && IFS= read -r -t "$3" -u 9 line; do
        [[ $line =~ $1 ]] && n=$((n + 1))
    done
    exec 9<&-
    kill "$tail_pid" 2>/dev/null
    [ $n -ge "$2" ]
}

wait_log() { # pattern, seconds: until the log has it
    wait_count "$1" 1 "$2"
}

start() { # start the daemon, wait until it is ready; settings from the environment
    : >"$work/log" # here, not in the child: wait_log must not find an older daemon's lines
    "$bin" --env /dev/null serve >>"$work/log" 2>&1 </dev/null &
    pid=$!
    wait_log 'event=ready' 60 || {
        not_ok "the daemon starts"
        cat "$work/log"
        exit 1
    }
}

stop() { # signal (TERM); sets $code
    kill -"${1:-TERM}" "$pid"
    wait "$pid"
    code=$?
    pid=""
}

call() { # name, script text, more options: one scripted call that must meet its expectations
    local name=$1 script=$2
    shift 2
    printf '%s\n' "$script" >"$work/script"
    check "$name" vai call --script "$work/script" --timeout 90 "$@"
    cp "$work/out" "$work/said" # what it reported; check overwrites its own
}

secretaries() { # quick ones, so that a test does not wait for politeness
    cat >"$work/test.yaml" <<'Y'
name: quick
extension: "8100"
company: Teste
language: pt-BR
greeting: Olá.
farewell: Até logo.
silence_ms: 1500
silence_prompts: 1
message_max_s: 10
end_silence_ms: 500
destinations:
  - {name: vendas, aliases: [comercial], number: "201", digit: "1"}
  - {name: suporte, number: "202", context: other, digit: "2"}
  - {name: telefonista, number: "200", digit: "0", default: true}
topics:
  - {name: horário, phrases: [horário de funcionamento], answer: "Abrimos às nove horas.", digit: "5"}
prompts:
  menu: Diga um nome.
  still-there: Alô?
  anything-else: Mais alguma coisa?
  message-start: Fale após o sinal.
---
name: brief
extension: "8101"
language: pt-BR
greeting: Olá.
farewell: Até logo.
max_duration_s: 10
silence_ms: 60000
---
name: lonely
extension: "8102"
language: en-US
greeting: Hello.
prompts:
  menu: Say something.
  message-start: Speak now.
  give-up-message: Speak after the tone.
Y
    vai secretary import "$work/test.yaml" >"$work/out" 2>&1 || {
        not_ok "the test's secretaries are imported"
        cat "$work/out"
    }
}

conversations() { # mode, more options: what a caller can do in every mode
    local mode=$1 carried
    shift
    call "$mode: spoken words are understood, and transferred" 'wait greeting
say "quero falar com vendas"
expect transfer 201 within 12s' --number 8100 --voice pt-br "$@"
    call "$mode: a digit interrupts the greeting and transfers, with its context" 'wait speech
dtmf 2
expect transfer 202 within 8s' --number 8100 "$@"
    call "$mode: the caller interrupts by voice" 'barge-in 1500ms say "quero falar com vendas"
expect silence within 450ms
expect transfer 201 within 12s' --number 8000 --voice pt-br "$@"
    call "$mode: a topic is answered, then no: farewell and hang-up" 'wait greeting
dtmf 5
wait answer
say "não"
expect hangup NORMAL_CLEARING within 12s' --number 8100 --voice pt-br "$@"
    call "$mode: the caller hangs up" 'wait greeting
hangup' --number 8100 "$@"
    carried=$(grep -c "event=call-end.*mode=$mode " "$work/log")
    check "$mode: it carried all of them to their end" test "$carried" = 5
}

finish() {
    [ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null
    rm -rf "$work"
    exit $bad
}
trap finish EXIT
