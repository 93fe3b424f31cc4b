#!/bin/bash
# What goes wrong in one call stays in it, and ends as documented.
. "$(dirname "$0")/lib.sh"
export MEDIA_START_TIMEOUT_MS=600 MEDIA_LOST_TIMEOUT_MS=600 ESL_MAX_CONNECTIONS=3

# A voice program that is killed now and then: a wrapper that dies when told to.
cat >"$work/voice" <<V
#!/bin/bash
if [ -e "$work/kill-once" ]; then rm "$work/kill-once"; kill -KILL \$\$; fi
if [ -e "$work/kill-always" ]; then kill -KILL \$\$; fi
exec espeak-ng "\$@"
V
chmod +x "$work/voice"
export TTS_COMMAND=$work/voice
start
secretaries

call "no audio: given back to the dialplan" 'fail-audio
expect return within 5s' --number 8100
check "and the log says what to check" grep -q 'event=audio-failed.*firewall' "$work/log"
call "audio that stops: given back" 'wait greeting
fail-audio
expect return within 5s' --number 8100
call "foreign and garbage datagrams are not heard" 'wait greeting
inject foreign 50
inject garbage 50
dtmf 1
expect transfer 201 within 6s' --number 8100
check "but counted" grep -qE 'foreign=[1-9]' "$work/log"

# One call is broken in every way while another goes on talking.
printf '%s\n' 'wait greeting' 'sleep 2s' 'dtmf 1' 'expect transfer 201 within 6s' >"$work/steady"
vai call --script "$work/steady" --number 8100 >"$work/steady.out" 2>&1 &
steady=$!
call "a control socket that dies ends that call" 'wait greeting
reset-control' --number 8100
check "it is logged as lost" wait_log 'outcome=lost' 3
wait $steady && ok "the other call did not notice" || { not_ok "the other call did not notice"; cat "$work/steady.out"; }

touch "$work/kill-once"
call "a killed voice helper costs one retry" 'wait greeting
dtmf 5
expect speech within 5s' --number 8100
touch "$work/kill-always"
call "a voice that stays dead: given back" 'expect return within 10s' --number 8102
rm "$work/kill-always"
call "and the next call is served" 'wait greeting
dtmf 1
expect transfer 201 within 6s' --number 8100

# Over the limit: refused at once, so that the dialplan goes on.
for i in 1 2 3; do
    printf '%s\n' 'wait greeting' 'sleep 4s' 'hangup' >"$work/hold"
    vai call --script "$work/hold" --number 8101 >"$work/hold$i.out" 2>&1 &
    holders="${holders:-} $!"
done
wait_count 'event=call-start.*called=8101' 3 10
call "the call over ESL_MAX_CONNECTIONS goes on in its dialplan" 'expect return within 1s' --number 8100
check "and is logged" grep -q 'event=call-refused.*ESL_MAX_CONNECTIONS' "$work/log"
for p in $holders; do wait "$p" || cat "$work"/hold*.out; done

# What is not FreeSWITCH.
check "garbage on the control port is dropped" bash -c "
    exec 3<>/dev/tcp/127.0.0.1/$ESL_SERVER_PORT
    head -c 20000 /dev/urandom >&3 2>/dev/null
    timeout 8 cat <&3 >/dev/null 2>&1 # ends, or is reset where some of it was not read; 124: it hung
    [ \$? != 124 ]"
call "and calls go on" 'wait greeting
dtmf 1
expect transfer 201 within 6s' --number 8100
stop
[ "$code" = 0 ] && ok "stops clean" || { not_ok "stops clean ($code)"; tail -n 30 "$work/log"; }
