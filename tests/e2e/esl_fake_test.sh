#!/bin/bash
# The fake Event Socket (tests/fakes) answers as FreeSWITCH did: the client's side of the recordings
# is played to it, and the shape of what comes back must be the recorded one.
. "$(dirname "$0")/lib.sh"
fake=$(dirname "$bin")/fakes/esl_fake
recordings=${VA_SHARED_DIR:-$here/../../../shared}/recordings/freeswitch

if [ ! -x "$fake" ]; then
    not_ok "esl_fake is built ($fake)"
    exit 1
fi
if ! command -v python3 >/dev/null; then
    echo "skipped: no python3"
    exit 0
fi
python3 "$here/esl_fake_modes.py" "$fake" || bad=1
if [ ! -d "$recordings" ]; then
    echo "skipped: no recordings at $recordings"
    exit $bad
fi
for file in "$recordings"/inbound-*.jsonl; do
    name=$(basename "$file" .jsonl)
    rm -f "$work/port" # else the port of the fake before may be read, while the shell still opens it
    "$fake" --password S3nha-Forte >"$work/port" &
    pid=$!
    until grep -q '^port' "$work/port" 2>/dev/null; do kill -0 "$pid" || break; done
    check "replay of $name" timeout 60 python3 "$here/esl_fake_replay.py" "$file" \
        "$(cut -d' ' -f2 "$work/port")"
    stop
    [ "$code" = 0 ] || not_ok "the fake ends well after $name (exit $code)"
done
exit $bad
