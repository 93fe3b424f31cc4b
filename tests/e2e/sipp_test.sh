#!/bin/bash
# The user agent (tests/peers/sip_peer.c) against sipp, which knows nothing of ours: the scenarios of
# tests/sipp, load, loss, TCP, tokens, limits. $1 is the voice-ai binary, the peer lies beside it.
. "$(dirname "$0")/lib.sh"
peer=$(dirname "$bin")/peers/sip_peer
scenarios=$here/../sipp
export SIP_HOST=127.0.0.1 ANY_PORT=1
peer_pid=""

peer_stop() {
    [ -n "$peer_pid" ] || return 0
    exec 8>&-
    wait "$peer_pid"
    peer_code=$?
    peer_pid=""
}
trap 'exec 8>&-; [ -n "$peer_pid" ] && kill "$peer_pid" 2>/dev/null; finish' EXIT

said() { # pattern, seconds: until the peer has said it
    local line
    while IFS= read -r -t "$2" -u 7 line; do
        [[ $line =~ $1 ]] && { echo "$line"; return 0; }
    done
    return 1
}

peer_start() { # settings...
    rm -f "$work/in" "$work/heard"
    mkfifo "$work/in" "$work/heard"
    env "$@" "$peer" <"$work/in" >"$work/heard" 2>"$work/peer.err" &
    peer_pid=$!
    exec 8>"$work/in" 7<"$work/heard"
    port=$(said '^ready ' 20 | cut -d' ' -f2)
}

clean() {
    cat "$work/peer.err"
    [ "$peer_code" = 0 ] && [ ! -s "$work/peer.err" ]
}

peer_end() { # name: it stops by itself, without a word of the sanitizers
    peer_stop
    check "$1" clean
}

sipp_run() { # arguments
    timeout 60 sipp "127.0.0.1:$port" -i 127.0.0.1 -nostdin -recv_timeout 10000 -trace_err \
        -error_file "$work/sipp.err" "$@" >"$work/sipp.log" 2>&1 ||
        { tail -c 1500 "$work/sipp.err" 2>/dev/null; return 1; }
}

scenario() { # file, called number, more
    local name=$1 number=$2
    shift 2
    check "sipp $name $*" sipp_run -sf "$scenarios/$name.xml" -s "$number" -m 1 "$@"
}

stats() { # field: its value now
    local line
    echo stats >&8
    line=$(said '^stats ' 10)
    line=${line##*" $1="}
    echo "${line%% *}"
}

command -v sipp >/dev/null || { not_ok "sipp is installed (package sip-tester)"; exit 1; }

peer_start SIP_ALLOW_DIRECT=true ESL_MAX_CONNECTIONS=1000
while read -r name number; do
    scenario "$name" "$number"
done <<'S'
cancel wait
bye_no_ack 8000
hold 8000
codec_change 8000
bad_sdp 8000
no_codec 8000
bad_type 8000
bad_require 8000
busy busy
late_offer 8000
late_bad 8000
update 8000
info 8000
options 8000
bye bye
rel100 ring
timer 8000
timer_short 8000
refer refer
glare hold
unknown_dialog 8000
no_method 8000
S
check "the digit by INFO was heard" said '^digit 8000 5' 10
for name in cancel:wait hold:8000 late_offer:8000 bye:bye; do
    scenario "${name%:*}" "${name#*:}" -t t1
done
before=$(stats invites)
check "200 calls, 50 per second" sipp_run -sn uac -s 8000 -r 50 -m 200 -d 300
check "they were 200 INVITEs" test $(($(stats invites) - before)) = 200
check "100 calls by TCP" sipp_run -sn uac -s 8000 -r 50 -m 100 -d 300 -t t1
check "no dialog is left" test "$(stats dialogs)" = 0
before=$(stats invites)
check "50 calls, every tenth datagram lost" sipp_run -sn uac -s 8000 -r 25 -m 50 -d 200 -lost 10
check "what was sent again made no second call" test $(($(stats invites) - before)) = 50
peer_end "it ends cleanly after them"

peer_start SIP_ALLOW_DIRECT=false
scenario refused 8000
scenario refused 0123456789abcdef0123456789abcdef
echo expect >&8
token=$(said '^expecting ' 10 | cut -d' ' -f3)
scenario late_offer "$token"
scenario refused "$token"
check "both numbers and the used token were refused" test "$(stats no_token)" = 3
peer_end "it ends cleanly with tokens"

peer_start SIP_ALLOW_DIRECT=true ESL_MAX_CONNECTIONS=1
check "a call holds the only place" sipp_run -sf "$scenarios/cancel.xml" -s wait -m 1
sipp "127.0.0.1:$port" -i 127.0.0.1 -nostdin -sn uac -s 8000 -m 1 -d 20000 >/dev/null 2>&1 &
holder=$!
said '^established 8000' 20 >/dev/null
scenario full 8000
kill "$holder" 2>/dev/null
wait "$holder" 2>/dev/null
peer_end "it ends cleanly with a call whose other side is gone"
