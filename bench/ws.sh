#!/bin/bash
# WebSocket messages per CPU second, plain and TLS, each beside its floor, and frames beside wslay's.
#     bench/ws.sh BUILD_DIR [connections] [rounds]
set -eu
build=$(realpath "${1:-build}")
shift || true
command -v openssl >/dev/null || {
    echo "skipped: the openssl command makes the certificate"
    exit 0
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost \
    -days 2 -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
"$build/bench/ws_bench" "$work/cert.pem" "$work/key.pem" "$@"
"$build/bench/ws_frame_bench"
