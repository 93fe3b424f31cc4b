#!/bin/bash
# make demo: start the daemon on embedded defaults, place one spoken call, show it, leave it running.
set -eu
bin=$(realpath "$1")
data=$PWD/var/demo
mkdir -p "$data"
tools/deps.sh run

free_port() { # first free TCP port from $1 on
    local port=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    echo "$port"
}

# The daemon of an earlier demo makes room.
if [ -f "$data/pid" ] && grep -qs voice-ai "/proc/$(cat "$data/pid")/comm"; then
    kill "$(cat "$data/pid")" || true
    tail --pid="$(cat "$data/pid")" -f /dev/null
fi

export DATA_DIR=$data RECORD_CALLS=true PUBLISH_TRANSCRIPT=true
ESL_SERVER_PORT=$(free_port "${ESL_SERVER_PORT:-8022}")
export ESL_SERVER_PORT
setsid "$bin" --env /dev/null serve >"$data/log" 2>&1 </dev/null &
pid=$!
echo "$pid" >"$data/pid"
if ! grep -q -m1 event=ready < <(timeout 60 tail --pid=$pid -n +1 -f "$data/log"); then
    cat "$data/log" >&2
    exit 1
fi
echo "voice-ai is running (pid $pid, log var/demo/log), FreeSWITCH's place is 127.0.0.1:$ESL_SERVER_PORT"
echo
echo "A caller rings 8000, hears the greeting and asks for sales, in Portuguese:"
echo
status=0
"$bin" --env /dev/null call --number 8000 --from 5511987654321 --voice pt-br \
    --say "quero falar com vendas" --wav-out "$data/call.wav" || status=$?
echo
echo "What the daemon kept of it:"
"$bin" --env /dev/null calls show last || status=$?
cat <<TEXT

The caller's side of it is in var/demo/call.wav, the daemon's own recording is named above
(both stereo: caller left, agent right).

voice-ai goes on running. Call it again:
  ESL_SERVER_PORT=$ESL_SERVER_PORT build/voice-ai call --say "qual é o horário de funcionamento"
  ESL_SERVER_PORT=$ESL_SERVER_PORT build/voice-ai call --number 8001 --voice en-us --say "I would like to speak with support"
Point FreeSWITCH at it: copy freeswitch/dialplan/900_voice_ai_esl.xml, port $ESL_SERVER_PORT, then call 8000.
Stop it: kill $pid
TEXT
exit $status
