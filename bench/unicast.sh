#!/bin/bash
# How many unicast calls one core carries, against the floor (bare recvfrom/sendto) in the same run.
#
#     bench/unicast.sh [BUILD_DIR]        CALLS=1000 RATE=100 SECONDS_MEASURED=20 WAV=caller.wav
#
# The daemon has one worker; CPU and memory are those of its process, read from /proc while all
# calls are up. Daemon and caller each need a core: the machine should be otherwise idle.
set -eu
build=${1:-build}
calls=${CALLS:-1000} rate=${RATE:-100} window=${SECONDS_MEASURED:-20}
port=${PORT:-18022}
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

# measure NAME: drives what runs as $pid, leaves "cpu% rssKB … " in $work/NAME
measure() {
    local before now ticks
    before=$(rss)
    "$build/voice-ai" --env /dev/null call --to "127.0.0.1:$port" --calls "$calls" --rate "$rate" \
        --hold "$hold" --settle 2 --number 8999 --json "${voice[@]}" >"$work/json" &
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
        -v mem=$((now - before)) -v name="$1" '{
            cpu = ticks / hz / window
            printf "%s %d %.3f %.0f %.1f %.1f %s %s %s %s %s %s %s %s\n", name, $3, cpu,
                (cpu > 0 ? calls / cpu : 0), cpu * 1e6 / calls / 50, mem / calls, $5, $6, $7, $4, $1, $2, $8,
                $9
        }' "$work/figures" >>"$work/rows"
    return 0
}

"$build/bench/floor_bench" "$port" 20000 40000 >"$work/log" 2>&1 &
pid=$!
await
measure floor
stop

mkdir "$work/data"
DATA_DIR=$work/data "$build/voice-ai" --env /dev/null secretary import \
    "$(dirname "$0")/secretary.yaml" >/dev/null
ESL_SERVER_PORT=$port ESL_SERVER_HOST=127.0.0.1 WORKERS=1 DATA_DIR=$work/data \
    RTP_PORT_MIN=40000 RTP_PORT_MAX=59999 UNICAST_PORT_MIN=20000 UNICAST_PORT_MAX=39999 \
    ESL_MAX_CONNECTIONS=$((calls + 100)) RECORD_CALLS=false LOG_LEVEL=${LOG_LEVEL:-warn} \
    "$build/voice-ai" --env /dev/null serve >"$work/log" 2>&1 &
pid=$!
await
measure voice-ai
stop

awk 'BEGIN {
        printf "%-9s %6s %7s %10s %9s %8s %7s %7s %7s %6s %8s %6s\n", "", "calls", "cores",
            "calls/core", "µs/frame", "KB/call", "p50 ms", "p99 ms", "max ms", "lost", "refused",
            "ended"
    }
    {
        printf "%-9s %6s %7s %10s %9s %8s %7s %7s %7s %6s %8s %6s\n", $1, $2, $3, $4, $5, $6, $7,
            $8, $9, $10, $11, $12
        cores[$1] = $3
        if ($13 > 5 || $14 > 0)
            note = note sprintf("%s: the caller itself was late (p99 %s ms, %s frames skipped); " \
                "this machine is too busy for these figures\n", $1, $13, $14)
    }
    END {
        if (cores["floor"] > 0)
            printf "\nCPU: %.2f times the floor\n", cores["voice-ai"] / cores["floor"]
        printf "%s", note
    }' "$work/rows"
