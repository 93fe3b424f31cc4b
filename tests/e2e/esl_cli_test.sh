#!/bin/bash
# `voice-ai esl` against a fake Event Socket: good and bad input of every option, what it says when
# it cannot connect, events, reconnects, the prompt at a real terminal, completion.
set -u
bin=$(realpath "$1")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fake_bin=$(dirname "$bin")/fakes/esl_fake
work=$(mktemp -d)
bad=0
fakes=""
finish() {
    for p in $fakes ${follower:-}; do kill "$p" 2>/dev/null; done
    [ $bad = 1 ] && [ -s "$work/fake.err" ] && sed 's/^/    esl_fake: /' "$work/fake.err"
    rm -rf "$work"
    exit $bad
}
trap finish EXIT
export HOME=$work XDG_STATE_HOME=$work/state ESL_PASSWORD=ClueCon TERM=xterm
unset NO_COLOR ESL_HOST

ok() { echo "ok $1"; }
not_ok() {
    echo "not ok $1"
    bad=1
}
fake() { # options...: another fake; sets $port
    : >"$work/fake"
    "$fake_bin" "$@" >"$work/fake" 2>>"$work/fake.err" &
    fakes="$fakes $!"
    last_fake=$!
    port=""
    until [ -n "$port" ]; do port=$(awk '$1 == "port" {print $2}' "$work/fake"); done
}
esl() { timeout 20 "$bin" --env /dev/null esl -P "$port" "$@"; }
says() { # name, exit code, regex of stdout and stderr, arguments...
    local name=$1 want=$2 words=$3 out code
    shift 3
    out=$(esl "$@" 2>&1 </dev/null)
    code=$?
    if [ $code = "$want" ] && grep -qE -- "$words" <<<"$out"; then ok "$name"; else not_ok "$name (exit $code): $out"; fi
}
refuses() { # name, regex, arguments...: exit 2 and one line on stderr
    local name=$1 words=$2 out code
    shift 2
    out=$(esl "$@" 2>&1 >"$work/stdout" </dev/null)
    code=$?
    if [ $code = 2 ] && [ "$(wc -l <<<"$out")" = 1 ] && [ ! -s "$work/stdout" ] && grep -qE -- "$words" <<<"$out"; then
        ok "$name"
    else
        not_ok "$name (exit $code): $out"
    fi
}

fake
main=$port

# ---- commands ----------------------------------------------------------------------------------
says "a command in one word" 0 '^UP ' 'status'
says "in several words" 0 '^hello you$' echo hello you
says "a no is exit code 1, and printed as it came" 1 '^-ERR nonsense' nonsense
says "-x, again and again" 0 '^a' -x 'echo a' -x 'echo b'
[ "$(esl echo one -x 'echo two' -x 'echo three' </dev/null | tr '\n' ' ')" = "one two three " ] && ok "in their order" || not_ok "in their order"
says "one no among others" 1 'b' -x nonsense -x 'echo b'
says "--bg waits for the output" 0 '^later$' --bg echo later
says "--bg with a no" 1 '^-ERR USER_BUSY' --bg 'originate fake/busy &park()'
says "behind --, a dash is text" 0 '^-x$' -- echo -x
says "a short dash word in a command is text" 0 '^a -1$' echo a -1
says "-t" 0 '^UP ' -t 5 status
says "values in every spelling" 0 '^UP ' "-P$port" --timeout=5 --host=127.0.0.1 status
out=$(printf 'echo a\n\n# no command\n  echo b  \necho c' | esl)
[ "$out" = $'a\nb\nc' ] && ok "commands of a pipe" || not_ok "commands of a pipe: $out"
printf 'echo a\nnonsense\n' >"$work/commands"
out=$(esl <"$work/commands")
[ $? = 1 ] && [ "$(wc -l <<<"$out")" = 2 ] && ok "commands of a file" || not_ok "commands of a file: $out"
refuses "nothing to do" 'no command in the arguments and none on stdin'
refuses "a line break in a command" 'one line' -x $'echo a\nexit'
says "--watch" 0 'every 0.05 s: echo x' --watch 0.05 --count 3 echo x
[ "$(esl --watch=0.05 --count 3 echo tick </dev/null | grep -c '^tick')" = 3 ] && ok "as often as --count says" || not_ok "as often as --count says"

# ---- wrong use ---------------------------------------------------------------------------------
says "--help" 0 'usage: voice-ai esl' --help
refuses "an unknown option" 'did you mean --watch' --wach
refuses "an unknown option behind a command" 'did you mean --count' echo --conut 3
refuses "a port" '1 to 65535' -P 99999 status
refuses "a timeout" 'seconds' -t soon status
refuses "a count" 'number from 1' -f --count 0
refuses "a level" 'warning' -l loud
refuses "a colour" 'auto, always' --color red status
refuses "a filter" 'HEADER=VALUE' -f --filter nothing
refuses "a user without domain" 'USER@DOMAIN' -u bob status
refuses "a variable" 'NAME=VALUE' originate fake/answer 1 --var x
refuses "an option at the end" 'missing' status -t
refuses "-f with a command" 'runs no command' -f -x status
refuses "-l with words" 'runs no command' -l 7 status
refuses "--json without -f" 'belong to -f' --json status
refuses "--watch of nothing" 'missing' --watch
refuses "originate of nobody" 'ENDPOINT' originate
refuses "a password file that is not there" 'cannot read' --password-file "$work/none" status
: >"$work/empty"
refuses "an empty password file" 'empty' --password-file "$work/empty" status

# ---- no connection -----------------------------------------------------------------------------
echo ClueCon >"$work/password"
says "--password-file" 0 '^UP ' --password-file "$work/password" status
refuses "a wrong password" 'password' -p wrong status
port=1
refuses "nobody listens" 'listen|refused|mod_event_socket' status
port=$main
refuses "a host nobody knows" 'host|name' -H no-such-host.invalid status
fake --refuse-acl
refuses "an address that is not welcome" 'acl' status
fake --not-freeswitch
refuses "a port that is something else" '[Ee]vent [Ss]ocket|FreeSWITCH' status
export ESL_CONNECT_TIMEOUT=1 ESL_READ_TIMEOUT=1
fake --user bob@example.org
says "a user of the directory" 0 '^UP ' -u bob@example.org status
ESL_USER=bob@example.org says "or of the settings" 0 '^UP ' status
refuses "and one nobody knows" 'user|password' -u eve@example.org status
fake --silent
refuses "a silent port" 'says? nothing|silent|auth/request|does not' status
fake --half-open-after-auth
refuses "a peer that falls silent" 'answer|half|silent' status
unset ESL_CONNECT_TIMEOUT ESL_READ_TIMEOUT
port=$main

fake
esl -t 15 msleep 9000 >"$work/cut" 2>&1 </dev/null &
cut=$!
for ((i = 0; i < 50; i++)); do esl show channels >/dev/null 2>&1; done
kill $last_fake
wait $cut
[ $? = 2 ] && [ "$(wc -l <"$work/cut")" = 1 ] && grep -q 'connection ended' "$work/cut" &&
    ok "a connection lost while a command runs" || not_ok "a connection lost while a command runs: $(cat "$work/cut")"
port=$main

# ---- events ------------------------------------------------------------------------------------
call() { esl --bg "originate fake/${1:-answer} &park()" >/dev/null; }
follow() { # file, arguments...: start to follow; ready when FreeSWITCH has answered
    local file=$1
    shift
    "$bin" --env /dev/null esl -P "$port" "$@" >"$file" 2>"$file.err" </dev/null &
    follower=$!
}
until_seen() { # file, regex: calls are made until it is there
    local i
    for ((i = 0; i < 50; i++)); do
        grep -qE "$2" "$1" && return 0
        call "${3:-answer}"
    done
    return 1
}
follow "$work/f" -f
until_seen "$work/f" 'CHANNEL_ANSWER' && ok "events, one line each" || not_ok "events, one line each: $(cat "$work"/f*)"
grep -qE '^[0-9:.]{12} CHANNEL_CREATE +[0-9a-f]{8} ' "$work/f" && ok "time, name, uuid" || not_ok "time, name, uuid: $(head -2 "$work/f")"
grep -q $'\033' "$work/f" && not_ok "no colours in a file" || ok "no colours in a file"
kill -INT $follower
wait $follower
code=$?
[ $code = 0 ] && ok "Ctrl-C ends it well" || not_ok "Ctrl-C ends it well ($code): $(cat "$work/f.err")"

follow "$work/j" -f --json --count 3 CHANNEL_CREATE,CHANNEL_ANSWER
until_seen "$work/j" 'CHANNEL_CREATE'
until ! kill -0 $follower 2>/dev/null; do call; done
wait $follower
code=$?
check_json='import json,sys
rows = [json.loads(l) for l in open(sys.argv[1], encoding="utf-8", errors="strict")]
assert len(rows) == 3 and all(r["Event-Name"].startswith("CHANNEL_") and r["Unique-ID"] for r in rows)'
[ $code = 0 ] && python3 -c "$check_json" "$work/j" && ok "--json, --count" || not_ok "--json, --count ($code): $(cat "$work"/j*)"

follow "$work/full" -f --full --count 1 CHANNEL_CREATE
until_seen "$work/full" 'Unique-ID: '
grep -q '^    Event-Name: CHANNEL_CREATE' "$work/full" && ok "--full" || not_ok "--full: $(cat "$work/full")"
follow "$work/color" -f --color always --count 1 CHANNEL_CREATE
until_seen "$work/color" 'CHANNEL_CREATE'
grep -q $'\033' "$work/color" && ok "--color always" || not_ok "--color always"
follow "$work/filter" -f --filter Hangup-Cause=USER_BUSY ALL
until_seen "$work/filter" 'USER_BUSY' busy
until_seen "$work/filter" 'USER_BUSY.*USER_BUSY|CHANNEL_HANGUP_COMPLETE' busy
grep -qv USER_BUSY "$work/filter" && not_ok "--filter: $(cat "$work/filter")" || ok "--filter"
kill $follower
uuid=$(esl 'originate fake/answer &park()' | sed 's/+OK //')
follow "$work/uuid" -f --uuid "$uuid" ALL


for ((i = 0; i < 50; i++)); do
    [ -s "$work/uuid" ] && break
    esl "uuid_setvar $uuid a b" >/dev/null
    esl "uuid_kill $uuid" >/dev/null
    call
done

kill $follower
wait $follower
grep -qv "${uuid:0:8}" "$work/uuid" && not_ok "--uuid: $(cat "$work/uuid")" || ok "--uuid"
says "too few events in time" 1 'only 0 of 5' -f --count 5 -t 0.3 SHUTDOWN
says "a misspelled event" 1 'did you mean CHANNEL_ANSWER' -f --count 5 -t 0.3 CHANEL_ANSWER SHUTDOWN
out=$(esl -f ALL 2>&1 </dev/null | head -c 0; echo "${PIPESTATUS[0]}") &
reader=$!
for ((i = 0; i < 20; i++)); do call; done
wait $reader && ok "a reader that goes away ends it" || not_ok "a reader that goes away ends it: $out"

fake --drop-after-ms 400
follow "$work/again" -f ALL
for ((i = 0; i < 200; i++)); do
    grep -q 'connected again' "$work/again.err" && break
    sleep 0.05
done
grep -q 'trying again' "$work/again.err" && grep -q 'connected again' "$work/again.err" &&
    ok "it connects again and says so" || not_ok "it connects again and says so: $(cat "$work/again.err")"
kill $follower
fake
export ESL_RECONNECT_DELAY=0 ESL_MAX_RECONNECT_ATTEMPTS=2
follow "$work/gone" -f ALL
for ((i = 0; i < 50; i++)); do call; [ -s "$work/gone" ] && break; done
kill $last_fake
wait $follower
[ $? = 2 ] && grep -q ESL_MAX_RECONNECT_ATTEMPTS "$work/gone.err" && ok "it gives up when it is told to" || not_ok "it gives up when it is told to: $(cat "$work/gone.err")"
unset ESL_RECONNECT_DELAY ESL_MAX_RECONNECT_ATTEMPTS
port=$main

# ---- originate ---------------------------------------------------------------------------------
says "originate: answered" 0 '^answered [0-9a-f-]{36}$' originate fake/answer '&park()'
says "originate: busy" 1 '^busy USER_BUSY$' originate fake/busy 9196 --caller-id 'Me <12>' --var a=b -t 5
refuses "originate: an endpoint that could forge" 'endpoint' originate 'user/1 2' 5
refuses "originate: no caller" 'caller-id' originate fake/answer 5 --caller-id 'Me <>'
says "originate in quotes is FreeSWITCH's" 0 '^\+OK' 'originate fake/answer &park()'
fake --ring-ms 60000
# Without timeout(1), which passes a signal on twice; the second means "do not wait for it".
"$bin" --env /dev/null esl -P "$port" originate fake/answer '&park()' --cancel-on-signal >"$work/cancel" 2>&1 </dev/null &
caller=$!
for ((i = 0; i < 200; i++)); do
    esl show channels | grep -q fake/ && break
done
kill -INT $caller
wait $caller
[ $? = 1 ] && grep -q canceled "$work/cancel" && ok "Ctrl-C hangs up the ringing call" || not_ok "Ctrl-C hangs up the ringing call: $(cat "$work/cancel")"
port=$main

# ---- the prompt --------------------------------------------------------------------------------
prompt() { # name, script
    printf '%s\n' "$2" >"$work/script"
    if timeout 60 python3 "$here/pty_drive.py" "$work/script" -- "$bin" --env /dev/null esl -P "$port" >"$work/screen" 2>&1; then
        ok "$1"
    else
        not_ok "$1"
        sed 's/^/    /' "$work/screen"
    fi
}
prompt "prompt: commands, Ctrl-D" 'expect freeswitch@.*> 
send echo hello\r
expect \nhello
expect > 
send nonsense\r
expect -ERR nonsense
expect > 
send \x04
exit 0'
[ "$(stat -c %a "$work/state/voice-ai/esl_history")" = 600 ] && ok "the history is its owner's" || not_ok "the history is its owner's"
prompt "prompt: history of the last time" 'expect > 
send \e[A\e[A
expect echo hello
send  again\r
expect \nhello again
expect > 
send /quit\r
exit 0'
prompt "prompt: Ctrl-C clears the line" 'expect > 
send rubbish
expect rubbish
send \x03
expect \^C
send echo clean\r
expect \nclean
expect > 
send /exit\r
exit 0'
prompt "prompt: Tab" 'expect > 
send sta\t
expect tus 
send \r
expect UP 
expect > 
send /no\t
expect /noevents +/nolog
send e\t\r
expect > 
send /event CHANNEL_ANSW\t
expect ER 
send \x03
expect \^C
send \x04
exit 0'
prompt "prompt: a lone Escape does not hang it" 'expect > 
send \e
run sleep 0.3
resize 10 20
send echo alive\r
expect \nalive
expect > 
send \x04
exit 0'
prompt "prompt: editing" "expect > 
send cho ömx\x01e\x05\x7f\r
expect \nöm
expect > 
send \x04
exit 0"
prompt "prompt: events come above the line" "expect > 
send /event ALL\r
expect events are shown
expect > 
send half a line
expect half a line
run $bin --env /dev/null esl -P $port -x 'originate fake/answer &park()'
expect CHANNEL_ANSWER.*> half a line
send \x03
expect \^C
send /noevents\r
expect no more events
send /log 9\r
expect levels
send /nosuch\r
expect /help
send /help\r
expect /filter
send /bg echo background\r
expect background
send /filter Caller-Context default\r
expect only events
send /filter delete\r
expect no filters
send \x04
exit 0"
fake
prompt "prompt: it says when the connection is lost" "expect > 
run kill $last_fake
expect not connected
send status\r
expect not connected
send \x04
exit 0"
port=$main

# ---- completion --------------------------------------------------------------------------------
complete() { # words...: prints what Tab offers for the last one
    ESL_PORT=$port DATA_DIR=$work/data bash -c '
        PATH=$1:$PATH; shift
        . "'"$here"'/../../completions/voice-ai.bash"
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _voice_ai 2>/dev/null
        printf "%s\n" "${COMPREPLY[@]}"' _ "$(dirname "$bin")" "$@"
}
offers() { # name, word that must be among them, words...
    local name=$1 want=$2
    shift 2
    complete "$@" | grep -qxF -- "$want" && ok "$name" || not_ok "$name: $(complete "$@" | head -5)"
}
offers "completion: commands" esl voice-ai e
offers "completion: options" --events voice-ai esl --ev
offers "completion: event names" CHANNEL_ANSWER voice-ai esl -f CHANNEL_AN
offers "completion: levels" warning voice-ai esl -l w
offers "completion: FreeSWITCH's commands" status voice-ai esl st
offers "completion: words of secretary" export voice-ai secretary ex
offers "completion: secretaries" recepcao voice-ai secretary show rec
fake --silent
began=$(date +%s%N)
timeout 5 "$bin" --env /dev/null esl -P "$port" --complete-names >"$work/out" 2>&1
code=$?
took=$((($(date +%s%N) - began) / 1000000))
[ $code = 0 ] && [ ! -s "$work/out" ] && [ $took -lt 2500 ] && ok "names never hang" || not_ok "names never hang ($code, $took ms): $(cat "$work/out")"
