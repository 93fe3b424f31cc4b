#!/bin/bash
# WebSocket legs and their port against npm's ws, which plays FreeSWITCH's streaming modules: both
# editions of mod_audio_stream, mod_audio_fork, and clients that mean no good. Once with the daemon.
#     ws_leg_test.sh BUILD/voice-ai
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "$(dirname "$1")")
peer=$build/peers/ws_leg_peer
log=$(mktemp)
trap 'rm -f "$log"' EXIT

[ -x "$peer" ] || {
    echo "not ok $peer is not built"
    exit 1
}
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "skipped: node and npm are needed"
    exit 0
fi
[ -d "$build/npm/node_modules/ws" ] ||
    npm install --prefix "$build/npm" --no-audit --no-fund ws >"$log" 2>&1 || {
    echo "skipped: npm cannot install the module ws"
    cat "$log"
    exit 0
}
NODE_PATH=$build/npm/node_modules node "$here/ws_modules.js" "$peer" "$(realpath "$1")"
