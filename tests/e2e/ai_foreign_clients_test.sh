#!/bin/bash
# The services' own JavaScript clients against our local server of their protocols: what one author
# believes on both sides of a wire, another one's client contradicts.
. "$(dirname "$0")/lib.sh"
clients=$(dirname "$bin")/npm-live
trap finish EXIT

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "skipped: node and npm are needed"
    exit 0
fi
for package in ws @google/genai @deepgram/sdk @elevenlabs/client; do
    [ -d "$clients/node_modules/$package" ] ||
        npm install --prefix "$clients" --no-audit --no-fund "$package" >"$work/npm.log" 2>&1 || {
        echo "skipped: npm cannot install $package"
        cat "$work/npm.log"
    }
done
[ -d "$clients/node_modules/ws" ] || exit 0
NODE_PATH=$clients/node_modules node "$here/../fakes/ai/live_clients.mjs" || bad=1
