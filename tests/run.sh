#!/bin/bash
# The whole suite: source checks, unit tests under ASan+UBSan, threaded parts under TSan, end to end
# with the real binary. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/.."
passed=0
failed=0
log=build-asan/test-logs
mkdir -p "$log"

count() { # name, exit code, log file: counts cmocka's and our own "ok" lines
    local name=$1 code=$2 file=$3 good bad
    good=$(grep -cE '^\[ +OK \]|^ok ' "$file")
    bad=$(grep -E '^\[  FAILED  \] [a-z]|^not ok ' "$file" | sort -u | grep -c .) # cmocka lists twice
    # A program that died (sanitizer, crash) failed once more than it could say.
    if [ "$code" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
    passed=$((passed + good))
    failed=$((failed + bad))
    printf '%-34s %3d ok' "$name" "$good"
    if [ "$bad" = 0 ]; then echo; else
        printf ', %d FAILED (%s)\n' "$bad" "$file"
        grep -vE '^\[ (RUN  |     OK) ' "$file" | tail -n 40 | sed 's/^/    /'
    fi
}

run() { # name, command...
    local name=$1
    shift
    timeout 300 "$@" >"$log/$name.log" 2>&1
    count "$name" $? "$log/$name.log"
}

# Several at a time, counted in their order. TEST_SLOT keeps their ports apart (tests/e2e/lib.sh).
run_all() { # how many at a time, prefix of their names, argument of each, programs...
    local jobs=$1 prefix=$2 arg=$3 t name
    shift 3
    printf '%s\n' "$@" | xargs -P "$jobs" --process-slot-var=TEST_SLOT -I '{}' bash -c '
        name=$2$(basename "$1" .sh)
        timeout 600 "$1" $3 >"$4/$name.log" 2>&1
        echo $? >"$4/$name.code"' _ '{}' "$prefix" "$arg" "$log"
    for t in "$@"; do
        name=$prefix$(basename "$t" .sh)
        count "$name" "$(cat "$log/$name.code")" "$log/$name.log"
    done
}

build() { # folder, targets ("": all), cmake options...
    local dir=$1 targets=$2
    shift 2
    # shellcheck disable=SC2086
    if ! { cmake -G Ninja -S . -B "$dir" "$@" && ninja -C "$dir" $targets; } >"$log/build-$dir.log" 2>&1; then
        grep -E 'error|FAILED|warning' "$log/build-$dir.log" | head -n 20
        echo "building $dir failed ($log/build-$dir.log)"
        failed=$((failed + 1))
        echo "$passed passed, $failed failed"
        exit 1
    fi
}

export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp history_size=4"

# Those with threads.
tsan="net_test net_tls_test net_http_test store_test media_recorder_test ai_tts_test ai_asr_test
      ai_chain_test call_test call_server_test call_sip_test leg_sip_test leg_rtp_test
      leg_ws_hub_test leg_ws_tls_test fakefs_line_test"

run layers tests/layers.sh
build build "" -DTESTS=OFF
build build-asan "" -DSANITIZE=address,undefined -DCMAKE_BUILD_TYPE=Debug
run_all 2 "" "" build-asan/tests/*_test
build build-tsan "$tsan" -DSANITIZE=thread -DCMAKE_BUILD_TYPE=Debug
# shellcheck disable=SC2086
run_all 2 tsan- "" $(printf 'build-tsan/tests/%s ' $tsan)
# Calls take their time and little of the machine's, but for a thousand of them.
many=tests/e2e/many_calls_test.sh
run many_calls_test "$many" build-asan/voice-ai
npm install --prefix build-asan/npm --no-audit --no-fund ws >"$log/npm.log" 2>&1 # for several of them
# shellcheck disable=SC2046
run_all 3 "" build-asan/voice-ai $(ls tests/e2e/*_test.sh | grep -v "^$many\$")
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
