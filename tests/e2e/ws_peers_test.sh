#!/bin/bash
# WebSocket peers that are not ours: npm's ws as client and as server, plain and TLS, and a browser.
#     ws_peers_test.sh BUILD/voice-ai
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "$(dirname "$1")")
peer=$build/peers/ws_peer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ -x "$peer" ] || {
    echo "not ok $peer is not built"
    exit 1
}
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "skipped: node and npm are needed"
    exit 0
fi
[ -d "$build/npm/node_modules/ws" ] ||
    npm install --prefix "$build/npm" --no-audit --no-fund ws >"$work/npm.log" 2>&1 || {
    echo "skipped: npm cannot install the module ws"
    cat "$work/npm.log"
    exit 0
}

# An authority; certificates of it: good, of another host, expired; and one that signed itself.
cert() { # name, subjectAltName, days (negative: expired), signed by (ca or itself)
    local by=(-x509)
    openssl ecparam -name prime256v1 -genkey -noout -out "$work/$1.key"
    openssl req -new -key "$work/$1.key" -subj "/CN=$1" -out "$work/$1.csr"
    printf 'subjectAltName=%s\nbasicConstraints=CA:%s\n' "$2" "$([ "$1" = ca ] && echo TRUE || echo FALSE)" >"$work/ext"
    if [ "$4" = self ]; then by=(-signkey "$work/$1.key"); else
        by=(-CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial)
    fi
    openssl x509 -req -in "$work/$1.csr" "${by[@]}" -days "$3" -extfile "$work/ext" -out "$work/$1.pem"
}
{
    cert ca DNS:ca 10 self
    cert good DNS:localhost,IP:127.0.0.1 10 ca
    cert other DNS:other.example 10 ca
    cert expired DNS:localhost -1 ca
    cert self DNS:localhost 10 self
} >"$work/openssl.log" 2>&1 || cat "$work/openssl.log"

chromium=$(command -v chromium || command -v chromium-browser)
[ -n "$chromium" ] || echo "skipped: no chromium for the browser's part"
NODE_PATH=$build/npm/node_modules node "$here/ws_peers.js" "$peer" "$work" ${chromium:+"$chromium"}
