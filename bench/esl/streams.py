"""The streams the fake sends, and what is right of them, computed by code none of the peers has."""
import json
import os
import re
import sys
from urllib.parse import quote_from_bytes, unquote_to_bytes

WORK = f"{sys.argv[1]}/bench-esl"
L1_NAMES = (b"Event-Name", b"Unique-ID", b"variable_sip_call_id")
CONTROL = (b"CHANNEL_CREATE", b"CHANNEL_ANSWER", b"CHANNEL_BRIDGE", b"CHANNEL_UNBRIDGE", b"CHANNEL_UUID",
           b"CHANNEL_UNPARK", b"CHANNEL_HANGUP", b"CHANNEL_DESTROY", b"CHANNEL_EXECUTE_COMPLETE",
           b"CHANNEL_HANGUP_COMPLETE")


def path(stream):
    return f"{WORK}/events-{stream}.bin"


# ---- reading -----------------------------------------------------------------------------------

def bodies(stream):
    data = open(path(stream), "rb").read()
    at = 0
    while at < len(data):
        end = data.index(b"\n\n", at)
        n = int(re.search(rb"Content-Length: (\d+)", data[at:end])[1])
        yield data[end + 2 : end + 2 + n]
        at = end + 2 + n


def events_of(stream):
    """Of each event its headers as (name, decoded value) in order, and its body."""
    for text in bodies(stream):
        if stream.startswith("json"):
            pairs = [(k.encode(), v.encode()) for k, v in json.loads(text, object_pairs_hook=list)]
            inner = b"".join(v for k, v in pairs if k == b"_body")
            yield [p for p in pairs if p[0] != b"_body"], inner
        else:
            head, _, inner = text.partition(b"\n\n")
            yield [(k, unquote_to_bytes(v)) for k, v in (x.rsplit(b": ", 1) for x in head.split(b"\n") if x)], inner


def mix(data):
    return sum(data) + len(data)


def reference(stream):
    """Number of events, and checksums of level 1, 2, and 2 with names folded, of one round."""
    count = l1 = l2 = folded = 0
    for pairs, inner in events_of(stream):
        last = dict(pairs)
        body = mix(inner) if inner else 0
        count += 1
        l1 += sum(mix(last.get(n, b"")) if n in last else 0 for n in L1_NAMES)
        l2 += body + sum(mix(k) + mix(v) for k, v in pairs)
        folded += body + sum(mix(k) + mix(v) for k, v in last.items())
    return dict(count=count, l1=l1, l2=l2, folded=folded, bytes=os.path.getsize(path(stream)))


# ---- making ------------------------------------------------------------------------------------

def text_of(format_, pairs, inner=b""):
    """As FreeSWITCH would say it."""
    if inner:
        pairs = pairs + [(b"Content-Length", str(len(inner)).encode())]
    if format_ == "json":
        body = pairs + ([(b"_body", inner)] if inner else [])
        text = b"{" + b",".join(json.dumps(k.decode()).encode() + b":" + json.dumps(v.decode(), ensure_ascii=False).encode()
                                for k, v in body) + b"}"
    else:
        text = b"".join(k + b": " + quote_from_bytes(v, safe="!$'()*,/~").encode() + b"\n"
                        for k, v in pairs) + b"\n" + inner
    return b"Content-Length: %d\nContent-Type: text/event-%s\n\n" % (len(text), format_.encode()) + text


def write(stream, messages):
    with open(path(stream), "wb") as f:
        f.writelines(messages)


def is_control(event):
    return dict(event[0])[b"Event-Name"] in CONTROL


def numbered(event, i):
    return [(k, str(i).encode() if k == b"Event-Sequence" else v) for k, v in event[0]]


def make_mixed(format_):
    """The recording; after each third event a HEARTBEAT of 300 bytes; after each 40th a MESSAGE with a
    body of 1, 8 or 64 KB: lines, blank lines and letters that are two bytes long."""
    line = "Olá, isto é uma linha de texto; 100% dela conta.\n\n".encode()
    messages = []
    for i, (pairs, _) in enumerate(events_of(format_)):
        messages.append(text_of(format_, pairs))
        last = dict(pairs)
        if i % 3 == 2:
            messages.append(text_of(format_, [
                (b"Event-Name", b"HEARTBEAT"), (b"Core-UUID", last[b"Core-UUID"]),
                (b"Event-Date-Timestamp", last[b"Event-Date-Timestamp"]), (b"Event-Sequence", str(i).encode()),
                (b"Event-Info", b"System Ready"), (b"Session-Count", b"%d" % (i % 100))]))
        if i % 40 == 39:
            size = (1024, 8192, 65536)[i // 40 % 3]
            body = (line * (size // len(line) + 1))[:size - 8]
            while body[-1] >= 0x80:  # not in the middle of a letter
                body = body[:-1]
            messages.append(text_of(format_, [(b"Event-Name", b"MESSAGE"), (b"Core-UUID", last[b"Core-UUID"]),
                                              (b"proto", b"sip"), (b"from", b"1001@example.com")], body))
    write(f"{format_}-mixed", messages)


def make_calls(format_):
    """Of 50 events one is of the life of a channel. @return events, control ones among them"""
    events = list(events_of(format_))
    control = [e for e in events if is_control(e)]
    ordinary = [e for e in events if not is_control(e)]
    mixed = [(control[i // 50 % len(control)] if i % 50 == 49 else ordinary[i % len(ordinary)]) for i in range(2500)]
    write(f"{format_}-calls", [text_of(format_, e[0]) for e in mixed])
    return len(mixed), sum(map(is_control, mixed))


def make_numbered(format_):
    """The recording with Event-Sequence 1, 2, 3 … @return events"""
    events = list(events_of(format_))
    write(f"{format_}-numbered", [text_of(format_, numbered(e, i + 1)) for i, e in enumerate(events)])
    return len(events)
