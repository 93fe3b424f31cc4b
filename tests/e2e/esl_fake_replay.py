"""Play the client's side of a recorded inbound connection to the fake and compare shapes.

    esl_fake_replay.py RECORDING PORT

A command is sent when as many answers have come as had come in the recording. Answers must be equal
but for uuids, numbers and the host's name. Events are compared by kind: their first header names
must be the recorded ones, in that order; a channel's events may lack headers, never add or reorder.
"""
import base64
import json
import re
import socket
import sys

EXACT = {"API", "BACKGROUND_JOB", "CUSTOM"}  # all headers; of the others a part
# What the rows of a live channel are depends on when FreeSWITCH's database got to write them.
LIVE = ("api show channels", "api show calls", "api uuid_dump")


def messages(data):
    """Whole messages at the front of data as (head, body), and what is left."""
    out = []
    while True:
        data = data.lstrip(b"\n")
        end = data.find(b"\n\n")
        if end < 0:
            return out, data
        head = data[:end]
        length = re.search(rb"^Content-Length: (\d+)$", head, re.M)
        n = int(length[1]) if length else 0
        if len(data) < end + 2 + n:
            return out, data
        out.append((head.decode(), data[end + 2 : end + 2 + n].decode(errors="surrogateescape")))
        data = data[end + 2 + n :]


def is_answer(message):
    return not message[0].startswith("Content-Length") and "log/data" not in message[0]


def load(path):
    steps, seen = [], b""
    for line in open(path, encoding="utf-8"):
        one = json.loads(line)
        data = one["text"].encode() if "text" in one else base64.b64decode(one["b64"])
        if one["from"] == "fs":
            seen += data
        elif one["from"] == "client":
            steps.append((sum(map(is_answer, messages(seen)[0])), data))
    return steps, messages(seen)[0]


def play(steps, port, total):
    """Send each command in its turn; read until the fake closes or all has come."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    data, answers = b"", 0
    for needed, command in steps + [(total, b"")]:
        while answers < needed:
            more = sock.recv(65536)
            if not more:
                break
            data += more
            answers = sum(map(is_answer, messages(data)[0]))
        sock.sendall(command)
    sock.settimeout(0.3)
    try:
        while more := sock.recv(65536):
            data += more
    except TimeoutError:
        pass
    return messages(data)[0]


def shape(text):
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", text)
    return re.sub(r"\d+", "0", text)


def event_headers(message):
    """Kind of an event and its header names in order."""
    head, body = message
    if "event-json" in head:
        pairs = json.loads(body, object_pairs_hook=list)
        names, values = [p[0] for p in pairs], dict(pairs)
        return values["Event-Name"], names
    if "event-xml" in head:
        names = re.findall(r"^ +<([^/>]+)>", body, re.M)
        return re.search(r"<Event-Name>(\w+)", body)[1], names
    lines = body.split("\n\n")[0].split("\n")
    names = [line.split(": ")[0] for line in lines if line]
    return re.findall(r"^Event-Name: (\w+)", body, re.M)[-1], names


def part_of(some, whole):
    it = iter(whole)
    return all(name in it for name in some)


def first_events(all_messages):
    out = {}
    for m in all_messages:
        if "text/event" in m[0]:
            kind, names = event_headers(m)
            out.setdefault(kind, []).append((shape(m[0]), names))
    return out


def compare_events(want, got):
    bad = 0
    for kind, seen in got.items():
        recorded = want.get(kind)
        if not recorded:
            continue
        same = [w[1] for w in recorded]
        for head, names in seen:
            own = [n for n in names if not n.startswith("variable_")]
            fits = names in same if kind in EXACT else any(part_of(own, w) for w in same)
            if head != recorded[0][0] or not fits:
                print(f"{kind}: {head!r} {names}\n  recorded: {same[0]}")
                bad += 1
                break
    for kind in EXACT & want.keys() - got.keys():
        print(f"{kind}: recorded, never sent")
        bad += 1
    return bad


def compare_answers(want, got, commands):
    bad = abs(len(want) - len(got))
    if bad:
        print(f"{len(want)} answers recorded, {len(got)} came")
    for i, (w, g) in enumerate(zip(want, got)):
        live = 0 < i <= len(commands) and commands[i - 1].startswith(LIVE) and len(w[1]) < 4000
        if live and shape(w[0]) == shape(g[0]):
            continue
        if shape(w[0]) != shape(g[0]) or shape(w[1]) != shape(g[1]):
            print(f"answer {i}: recorded {w}\n  got {g}")
            bad += 1
    return bad


def main():
    steps, want = load(sys.argv[1])
    want_answers = [m for m in want if is_answer(m)]
    got = play(steps, int(sys.argv[2]), len(want_answers))
    commands = [c.decode(errors="replace") for _, c in steps]
    bad = compare_answers(want_answers, [m for m in got if is_answer(m)], commands)
    bad += compare_events(first_events(want), first_events(got))
    logs = [[shape(m[0]) for m in side if "log/data" in m[0]] for side in (want, got)]
    if logs[0] != logs[1]:
        print(f"log lines: recorded {logs[0]}, got {logs[1]}")
        bad += 1
    sys.exit(bad != 0)


main()
