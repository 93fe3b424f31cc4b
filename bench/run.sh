#!/bin/bash
# make bench: every figure of docs/figures.md, each beside its floor or ratio, in one run.
#     bench/run.sh BUILD_DIR        CALLS=1000 (see bench/modes.sh)
set -eu
build=$(realpath "${1:-build}")
cd "$(dirname "$0")/.."
echo "== $(nproc) cores, $(awk -F: '/model name/ {print $2; exit}' /proc/cpuinfo), load $(cut -d' ' -f1 /proc/loadavg)"
echo
echo "== calls with speech both ways in each audio mode, one worker thread, beside the floor"
bench/modes.sh "$build"
echo
echo "== media: cost per 20 ms frame, clock lateness"
"$build/bench/media_bench" 1000 5
echo
echo "== the receive half of an RTP leg: cost per 20 ms frame, memory per stream"
"$build/bench/rtp_bench"
"$build/bench/rtp_stream_bench"
echo
echo "== WebSocket messages of 300 bytes, plain and TLS, beside the floor; frames beside wslay's"
bench/ws.sh "$build"
echo
echo "== conversations with the OpenAI driver over TLS, datagrams both ways, one worker, beside the floor"
"$build/bench/openai_bench" "${AI_CALLS:-300}" 5
echo
echo "== WebSocket legs, a frame each way every 20 ms, beside plain TCP"
"$build/bench/ws_leg_bench" 200 5
if [ -n "${ESL_EVENTS:-}" ]; then # a recorded stream of text/event-plain messages
    echo
    echo "== Event Socket parser over $ESL_EVENTS"
    xz -dcf "$ESL_EVENTS" | "$build/bench/esl_parser_bench"
fi
