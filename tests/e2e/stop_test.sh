#!/bin/bash
# SIGTERM: no new calls, running ones end within DRAIN_TIMEOUT, exit 0. A second one ends at once.
. "$(dirname "$0")/lib.sh"
export DRAIN_TIMEOUT=6
start
secretaries

printf '%s\n' 'wait greeting' 'expect return within 15s' >"$work/drained"
vai call --script "$work/drained" --number 8101 >"$work/call.out" 2>&1 &
caller=$!
wait_log 'event=call-start' 5
began=$SECONDS
kill -TERM "$pid"
wait_log 'step=no-new-calls' 5
check "no new calls" bash -c "! (exec 3<>/dev/tcp/127.0.0.1/$ESL_SERVER_PORT) 2>/dev/null"
wait "$pid"
code=$?
pid=""
[ $code = 0 ] && ok "exit 0" || { not_ok "exit 0 ($code)"; tail -n 20 "$work/log"; }
[ $((SECONDS - began)) -le 6 ] && ok "within DRAIN_TIMEOUT" || not_ok "within DRAIN_TIMEOUT"
wait $caller && ok "the running call was given back to the dialplan" ||
    { not_ok "the running call was given back to the dialplan"; cat "$work/call.out"; }

export DRAIN_TIMEOUT=60
start
echo 'expect return within 15s' >"$work/cut"
vai call --script "$work/cut" --number 8101 >"$work/call.out" 2>&1 &
caller=$!
wait_log 'event=call-start' 5
began=$SECONDS
kill -TERM "$pid"
wait_log 'step=no-new-calls' 5
kill -TERM "$pid"
wait "$pid"
code=$?
pid=""
[ $code = 0 ] && [ $((SECONDS - began)) -le 3 ] && ok "a second SIGTERM ends at once" ||
    { not_ok "a second SIGTERM ends at once ($code)"; tail -n 20 "$work/log"; }
wait $caller && ok "and gives the call back" || { not_ok "and gives the call back"; cat "$work/call.out"; }
