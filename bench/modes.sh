#!/bin/bash
# How many calls one core carries in each audio mode, against the floor (bare recvfrom/sendto) in the
# same run.
#
#     bench/modes.sh [BUILD_DIR]        CALLS=1000 RATE=100 SECONDS_MEASURED=20 WAV=caller.wav
#                                       MODES="esl rtp sip dual binary websocket"
#
# esl: unicast. rtp: FreeSWITCH bridges to our SIP port, PCMU. sip: direct calls of phones, PCMU.
# dual: the caller by WebSocket, our side by unicast. binary: both by WebSocket. websocket: as dual,
# but streams begin by themselves and we connect to FreeSWITCH for each.
#
# The daemon has one worker; CPU and memory are those of its process, read from /proc while all
# calls are up. Daemon and caller each need a core: the machine should be otherwise idle. All three
# are real-time where this user may (as WORKER_PRIORITY=auto makes the worker), so that lateness is
# theirs and not that of a scheduler with other work.
set -eu
build=${1:-build}
calls=${CALLS:-1000} rate=${RATE:-100} window=${SECONDS_MEASURED:-20}
port=${PORT:-18022} sip_port=${SIP_PORT:-18060} ws_port=${WS_PORT:-18085}
esl_port=${ESL_PORT:-18021}
modes=${MODES:-esl rtp sip dual binary websocket}
ramp=$(((calls + rate - 1) / rate))
hold=$((ramp + window + 4))
work=$(mktemp -d)
pid=
stop() {
    if [ -n "$pid" ]; then
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
        pid=
    fi
}
trap 'stop; [ -n "${KEEP_LOG:-}" ] && cp "$work/log" "$KEEP_LOG"; rm -rf "$work"' EXIT
ulimit -n "$(ulimit -Hn)"
rank=()
if chrt -r 1 true 2>/dev/null; then rank=(chrt -r 1); fi
voice=()
[ -z "${WAV:-}" ] || voice=(--wav "$WAV")

cpu() { awk '{ print $14 + $15 }' "/proc/$pid/stat"; }            # clock ticks
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; }        # kB
await() {                                                         # the port answers
    for _ in $(seq 300); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    echo "nothing answers on port $port; its log:" >&2
    tail -5 "$work/log" >&2
    exit 1
}

# measure NAME OPTION…: drives what runs as $pid, leaves "cpu% rssKB … " in $work/NAME
measure() {
    local name=$1 before now ticks
    shift
    before=$(rss)
    "${rank[@]}" "$build/voice-ai" --env /dev/null call --calls "$calls" --rate "$rate" \
        --hold "$hold" --settle 2 --number 8999 --json "${voice[@]}" "$@" >"$work/json" &
    local load=$!
    sleep $((ramp + 2))
    ticks=$(cpu)
    sleep "$window"
    ticks=$(($(cpu) - ticks))
    now=$(rss)
    wait "$load" || true # refused and ended calls are in the table
    sed 's/.*"refused":\([0-9]*\),"lost_calls":\([0-9]*\),"peak":\([0-9]*\).*"lost":\([0-9]*\),.*"lateness_ms":{"p50":\([0-9.]*\),"p99":\([0-9.]*\),"max":\([0-9.]*\)}.*"own_p99_ms":\([0-9.]*\),"own_skipped":\([0-9]*\).*/\1 \2 \3 \4 \5 \6 \7 \8 \9/' \
        "$work/json" >"$work/figures"
    awk -v ticks="$ticks" -v hz="$(getconf CLK_TCK)" -v window="$window" -v calls="$calls" \
        -v mem=$((now - before)) -v name="$name" '{
            cpu = ticks / hz / window
            printf "%s %d %.3f %.0f %.1f %.1f %s %s %s %s %s %s %s %s\n", name, $3, cpu,
                (cpu > 0 ? calls / cpu : 0), cpu * 1e6 / calls / 50, mem / calls, $5, $6, $7, $4, $1, $2, $8,
                $9
        }' "$work/figures" >>"$work/rows"
    return 0
}

"${rank[@]}" "$build/bench/floor_bench" "$port" 20000 40000 >"$work/log" 2>&1 &
pid=$!
await
measure floor --to "127.0.0.1:$port"
stop

mkdir "$work/data"
DATA_DIR=$work/data "$build/voice-ai" --env /dev/null secretary import \
    "$(dirname "$0")/secretary.yaml" >/dev/null
export ESL_SERVER_PORT=$port ESL_SERVER_HOST=127.0.0.1 WORKERS=1 DATA_DIR=$work/data
export RTP_PORT_MIN=40000 RTP_PORT_MAX=59999 UNICAST_PORT_MIN=20000 UNICAST_PORT_MAX=39999
export SIP_HOST=127.0.0.1 SIP_PORT=$sip_port WS_HOST=127.0.0.1 WS_PORT=$ws_port
export ESL_HOST=127.0.0.1 ESL_PORT=$esl_port ESL_PASSWORD=bench
export ESL_MAX_CONNECTIONS=$((calls + 100)) RECORD_CALLS=false LOG_LEVEL=${LOG_LEVEL:-warn}
run_mode() { # NAME AUDIO_MODE OPTION…
    local name=$1 mode=$2
    shift 2
    AUDIO_MODE=$mode AUDIO_FALLBACK='' "$build/voice-ai" --env /dev/null serve >"$work/log" 2>&1 &
    pid=$!
    await
    measure "$name" "$@"
    stop
}
for mode in $modes; do
    case $mode in
    esl | rtp) run_mode "$mode" "$mode" --to "127.0.0.1:$port" ;;
    sip) SIP_ALLOW_DIRECT=true run_mode sip esl --sip "8999@127.0.0.1:$sip_port" --codecs PCMU ;;
    dual) WS_PLAYBACK=unicast run_mode dual dual --to "127.0.0.1:$port" --audio-stream open ;;
    binary)
        WS_PLAYBACK=binary run_mode binary dual --to "127.0.0.1:$port" --audio-stream commercial
        ;;
    websocket)
        WS_PLAYBACK=unicast run_mode websocket websocket \
            --stream "ws://127.0.0.1:$ws_port/stream/8999/{uuid}"
        ;;
    *) echo "no such mode: $mode" >&2 && exit 2 ;;
    esac
done

awk 'BEGIN {
        printf "%-9s %6s %7s %10s %9s %8s %7s %7s %7s %6s %8s %6s\n", "", "calls", "cores",
            "calls/core", "µs/frame", "KB/call", "p50 ms", "p99 ms", "max ms", "lost", "refused",
            "ended"
    }
    {
        printf "%-9s %6s %7s %10s %9s %8s %7s %7s %7s %6s %8s %6s\n", $1, $2, $3, $4, $5, $6, $7,
            $8, $9, $10, $11, $12
        cores[$1] = $3
        order[++rows] = $1
        if ($13 > 5 || $14 > 0)
            note = note sprintf("%s: the caller itself was late (p99 %s ms, %s frames skipped); " \
                "this machine is too busy for these figures\n", $1, $13, $14)
    }
    END {
        printf "\nCPU, times the floor:"
        for (i = 2; i <= rows && cores["floor"] > 0; i++)
            printf " %s %.2f", order[i], cores[order[i]] / cores["floor"]
        printf "\n"
        printf "%s", note
    }' "$work/rows"
