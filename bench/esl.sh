#!/bin/bash
# The Event Socket library beside its peers: same bytes, same fake FreeSWITCH, client and server
# pinned to a core each, a gate of correctness before every figure (bench/esl/README.md).
#     bench/esl.sh BUILD_DIR
# RUNS=3          runs per figure; medians are shown, with the least and the most
# ONLY="B1 B5"    these parts alone: B1 plain, B2 json, B3 mixed sizes, B4 chunks, B5 bgapi, B6 outbound,
#                 B7 slow consumer, B8 soak
# SOAK_S=60, DROP_MS=1000, SOAK_RATE=2000   of B8: seconds, pause between losses, events per second
# REAL=PORT       also bgapi of a FreeSWITCH that listens there
# PEERS="ours libesl"  these alone; of floor ours libesl esl esl-lite modesl
# LIBESL=DIR      folder of the official C library: libesl.a (or .libs/), include/ (or src/include/)
# VA_SHARED_DIR   where recordings/freeswitch/ is; default: ../shared beside the source
set -eu
build=$(realpath "${1:-build}")
cd "$(dirname "$0")/.."
recordings=${VA_SHARED_DIR:-$PWD/../shared}/recordings/freeswitch
peers=$build/peers
work=$build/bench-esl
mkdir -p "$peers" "$work"

for format in plain json; do
    if [ ! -e "$recordings/events-$format.bin.xz" ]; then
        echo "no recording at $recordings; set VA_SHARED_DIR" >&2
        exit 2
    fi
    [ -e "$work/events-$format.bin" ] || xz -dc "$recordings/events-$format.bin.xz" >"$work/events-$format.bin"
done
targets="esl_fake esl_parser_bench esl_outbound_bench esl_client_bench esl_load_bench"
# shellcheck disable=SC2086
ninja -C "$build" $targets >/dev/null

if command -v npm >/dev/null; then
    if [ ! -d "$peers/node_modules/modesl" ]; then
        npm install --no-save --silent --no-audit --no-fund --prefix "$peers" \
            esl@11.2.1 esl-lite@3.2.0 modesl@1.2.1
    fi
    cp bench/esl/*.mjs "$peers/"
else
    echo "no npm: the Node libraries are left out"
fi

cc=${CC:-cc}
$cc -O2 -std=gnu17 -D_GNU_SOURCE bench/esl/floor.c -o "$work/floor"
if [ -n "${LIBESL:-}" ]; then
    lib=$LIBESL/libesl.a
    [ -e "$lib" ] || lib=$LIBESL/.libs/libesl.a
    $cc -O2 -std=gnu17 -D_GNU_SOURCE -I"$LIBESL/include" -I"$LIBESL/src/include" \
        bench/esl/libesl_driver.c "$lib" -lpthread -lm -o "$work/libesl_driver"
else
    rm -f "$work/libesl_driver"
    echo "LIBESL is not set: the official C library is left out"
fi

echo "== $(nproc) cores, $(awk -F: '/model name/ {print $2; exit}' /proc/cpuinfo), load $(cut -d' ' -f1-3 /proc/loadavg)"
exec python3 bench/esl/run.py "$build" "$recordings/connect.bin"
