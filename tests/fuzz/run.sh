#!/bin/bash
# Run every fuzz target for FUZZ_SECONDS (default 60), two at a time.
set -eu
cd "$(dirname "$0")/../.."
seconds=${FUZZ_SECONDS:-60}
CC=clang cmake -G Ninja -S . -B build-fuzz -DFUZZ=ON -DTESTS=OFF -DSANITIZE=address,undefined \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
ninja -C build-fuzz
for target in build-fuzz/fuzz/*_fuzz; do
    name=$(basename "$target" _fuzz)
    mkdir -p "build-fuzz/corpus/$name" "tests/corpus/$name"
    echo "$name: $seconds s"
    "$target" -max_total_time="$seconds" -max_len=65536 -print_final_stats=1 \
        "build-fuzz/corpus/$name" "tests/corpus/$name" 2>&1 | grep -E 'ERROR|SUMMARY|stat::number_of_executed' || true
done
