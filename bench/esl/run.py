"""Runs the drivers against the fake and prints the tables; started by bench/esl.sh.

    run.py BUILD_DIR CONNECT_REPLY

A driver's figure counts only when it saw every event and its checksum is that of the recorded
stream, which is computed here, by other code than any of the peers'. "folded" is a stream whose
headers that occur twice were made one (an object of names): told, but let through.
"""
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from urllib.parse import unquote_to_bytes

BUILD, CONNECT = sys.argv[1], sys.argv[2]
WORK, PEER_DIR = f"{BUILD}/bench-esl", f"{BUILD}/peers"
FAKE = f"{BUILD}/fakes/esl_fake"
RUNS = int(os.environ.get("RUNS", "3"))
ONLY = os.environ.get("ONLY", "B1 B2 B4 B5 B6").split()
CORES = os.sched_getaffinity(0)
CLIENT, SERVER = str(min(CORES)), str(max(CORES))
L1_NAMES = (b"Event-Name", b"Unique-ID", b"variable_sip_call_id")


def node(name):
    return ["node", "--no-warnings", f"{PEER_DIR}/{name}.mjs"]


# rounds: how often the recording is sent; jobs of B5 and calls of B6: one at a time, and else
ALL = {
    "floor": dict(cmd=[f"{WORK}/floor"], formats="plain json", rounds=200, jobs=(20000, 400000)),
    "ours": dict(cmd=[f"{BUILD}/bench/esl_client_bench"], formats="plain json", rounds=200,
                 jobs=(20000, 400000), out=[f"{BUILD}/bench/esl_outbound_bench"], calls=(5000, 20000), held=5000),
    "libesl": dict(cmd=[f"{WORK}/libesl_driver"], formats="plain json", rounds=20, jobs=(10000, 20000),
                   out=[f"{WORK}/libesl_driver", "outbound"], calls=(2000, 3000), held=1000),
    "esl": dict(cmd=node("esl"), formats="plain json", rounds=20, jobs=(3000, 10000),
                out=node("esl") + ["outbound"], calls=(2000, 3000), held=1000),
    "esl-lite": dict(cmd=node("esl-lite"), formats="json", rounds=20, jobs=(3000, 10000)),
    "modesl": dict(cmd=node("modesl"), formats="plain json", rounds=20, jobs=(200, 1000),
                   out=node("modesl") + ["outbound"], calls=(60, 500), held=300),
}


def exists(peer):
    program = peer["cmd"][-1]
    if program.endswith(".mjs"):
        return os.path.exists(program) and os.path.isdir(f"{PEER_DIR}/node_modules")
    return os.path.exists(program)


PEERS = {n: p for n, p in ALL.items() if n in os.environ.get("PEERS", " ".join(ALL)).split()}


# ---- what is right -----------------------------------------------------------------------------

def mix(data):
    return sum(data) + len(data)


def recorded_events(format_):
    """Headers of each recorded event as (name, decoded value), in order."""
    data = open(f"{WORK}/events-{format_}.bin", "rb").read()
    at = 0
    while at < len(data):
        end = data.index(b"\n\n", at)
        n = int(re.search(rb"Content-Length: (\d+)", data[at:end])[1])
        body = data[end + 2 : end + 2 + n]
        if format_ == "json":
            pairs = json.loads(body, object_pairs_hook=list)
            yield [(k.encode(), v.encode()) for k, v in pairs]
        else:
            lines = body.split(b"\n\n")[0].split(b"\n")
            yield [(k, unquote_to_bytes(v)) for k, v in (x.rsplit(b": ", 1) for x in lines if x)]
        at = end + 2 + n


def reference(format_):
    """Number of events, and checksums of level 1, 2, and 2 with names folded, of one round."""
    count = l1 = l2 = folded = 0
    for pairs in recorded_events(format_):
        last = dict(pairs)
        count += 1
        l1 += sum(mix(last.get(n, b"")) if n in last else 0 for n in L1_NAMES)
        l2 += sum(mix(k) + mix(v) for k, v in pairs)
        folded += sum(mix(k) + mix(v) for k, v in last.items())
    return dict(count=count, l1=l1, l2=l2, folded=folded)


def gate(ref, rounds, level, got):
    """"" when right, else what is wrong."""
    want = ref["count"] * rounds
    if got["events"] != want:
        return f"FAILED: {got['events']} of {want} events"
    if got["sum"] == ref[f"l{level}"] * rounds:
        return ""
    if level == 2 and got["sum"] == ref["folded"] * rounds:
        return "folded"
    return f"FAILED: checksum {got['sum']}, not {ref[f'l{level}'] * rounds}"


def worst(gates):
    """What to say of several runs."""
    gates = list(gates)
    failed = [g for g in gates if g.startswith("FAILED")]
    if failed and len(gates) > 1:
        return f"{failed[0]} ({len(failed)} of {len(gates)} runs)"
    return failed[0] if failed else max(gates) or "ok"


# ---- running -----------------------------------------------------------------------------------

class Fake:
    def __init__(self, *options):
        self.p = subprocess.Popen(["taskset", "-c", SERVER, FAKE, *options], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
        self.port = self.p.stdout.readline().split()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.terminate()
        self.p.wait()


def run_driver(peer, *args):
    """What the driver reported, or None."""
    try:
        p = subprocess.run(["taskset", "-c", CLIENT, *peer["cmd"], *map(str, args)], timeout=90,
                           capture_output=True, text=True, check=False)
        return json.loads(p.stdout.strip().split("\n")[-1])
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None


def spread(values, unit=1.0):
    values = [v / unit for v in values]
    text = f"{statistics.median(values):,.0f}"
    return text + (f" ({min(values):,.0f}–{max(values):,.0f})" if len(values) > 1 else "")


def table(title, head, rows):
    print(f"\n== {title}")
    rows = [head] + [[str(c) for c in r] for r in rows]
    wide = [max(len(r[i]) for r in rows) for i in range(len(head))]
    for i, r in enumerate(rows):
        print("| " + " | ".join(c.ljust(w) for c, w in zip(r, wide)) + " |")
        if i == 0:
            print("|" + "|".join("-" * (w + 2) for w in wide) + "|")
    sys.stdout.flush()


def usable(key="cmd"):
    for name, peer in PEERS.items():
        if key not in peer:
            continue
        if name == "ours" and key == "out" or exists(peer):
            yield name, peer


# ---- B1, B2, B4: events ------------------------------------------------------------------------

def events(peer, format_, level, rounds, count, chunk=262144):
    fake = ("--blast", f"{WORK}/events-{format_}.bin", "--format", format_, "--chunk", str(chunk),
            "--count", str(count))
    with Fake(*fake) as f:
        return run_driver(peer, "events", f.port, format_, level, count)


def event_rows(name, peer, format_, ref):
    for level in (1, 2):
        if name == "floor" and level == 2:
            continue
        got = [events(peer, format_, level, peer["rounds"], ref["count"] * peer["rounds"])
               for _ in range(RUNS)]
        if None in got:
            yield [name, f"L{level}", "-", "-", "-", "FAILED: no report"]
            continue
        say = worst(gate(ref, peer["rounds"], level, g) for g in got) if name != "floor" else ""
        yield [name, f"L{level}", spread([g["events"] / g["wall_s"] for g in got]),
               spread([g["events"] / g["cpu_s"] for g in got]),
               round(max(g["rss_kb"] for g in got) / 1024) or "-", say]


def parser_rows(format_, ref):
    """Ours without a socket: from memory."""
    got = {1: [], 2: []}
    for _ in range(RUNS):
        with open(f"{WORK}/events-{format_}.bin", "rb") as f:
            out = subprocess.run(["taskset", "-c", CLIENT, f"{BUILD}/bench/esl_parser_bench"], stdin=f,
                                 capture_output=True, text=True, check=True).stdout
        for m in re.finditer(r"L(\d): (\d+) events, (\d+) events per CPU second, checksum (\d+)", out):
            got[int(m[1])].append(dict(events=int(m[2]), rate=int(m[3]), sum=int(m[4])))
    for level, runs in got.items():
        say = worst(gate(ref, 20, level, g) for g in runs)
        yield ["ours, parser only", f"L{level}", "-", spread([g["rate"] for g in runs]), "-", say]


def bench_events(part, format_):
    ref = reference(format_)
    rows = []
    for name, peer in usable():
        if format_ in peer["formats"]:
            rows += event_rows(name, peer, format_, ref)
    if "ours" in PEERS:
        rows += parser_rows(format_, ref)
    table(f"{part} {format_}: events", ["peer", "level", "per second", "per CPU second", "MB", "gate"], rows)


def bench_chunks():
    rows = []
    for name, peer in usable():
        format_ = "plain" if "plain" in peer["formats"] else "json"
        rates = []
        for chunk, count in ((262144, 2580 * peer["rounds"] // 2), (65536, 2580 * peer["rounds"] // 2),
                             (1448, 2580 * peer["rounds"] // 2), (1, 258)):
            got = [events(peer, format_, 1, 1, count, chunk) for _ in range(RUNS)]
            good = [g for g in got if g and g["events"] == count]
            rates.append(statistics.median(g["events"] / g["cpu_s"] for g in good) if good else 0)
        rows.append([name, format_] + [f"{r / rates[0]:.3f}" if rates[0] and r else "FAILED" for r in rates[1:]])
    table("B4 events per CPU second when the server writes small pieces, 1.00 is the whole event",
          ["peer", "format", "65,536", "1,448", "1 byte"], rows)


# ---- B5: bgapi ---------------------------------------------------------------------------------

def bench_bgapi():
    rows = []
    for name, peer in usable():
        for window in (1, 16, 256, 4096):
            count = peer["jobs"][window > 1]
            got = []
            for _ in range(RUNS):
                with Fake() as f:
                    got.append(run_driver(peer, "bgapi", f.port, window, max(count, window)))
            if None in got:
                rows.append([name, window, "-", "-", "-", "-", "FAILED: no report"])
                continue
            whole = all(g["rt"] >= max(count, window) for g in got)
            latency = [statistics.median(g[k] for g in got) for k in ("p50_us", "p99_us")]
            rows.append([name, window, spread([g["rt"] / g["wall_s"] for g in got]),
                         spread([g["rt"] / g["cpu_s"] for g in got])] +
                        [f"{v:,.0f}" if v else "-" for v in latency] +
                        ["ok" if whole else f"FAILED: {min(g['rt'] for g in got)} of {count}"])
    table("B5 bgapi round trips", ["peer", "window", "per second", "per CPU second", "p50 µs", "p99 µs", "gate"], rows)


# ---- B6: outbound ------------------------------------------------------------------------------

class Server:
    """A peer that waits for calls."""

    def __init__(self, name, peer, hold):
        cmd = ["taskset", "-c", CLIENT, *peer["out"]]
        if name != "ours":
            with socket.create_server(("127.0.0.1", 0)) as s:
                self.port = s.getsockname()[1]
            cmd.append(str(self.port))
        self.p = subprocess.Popen(cmd + (["hold"] if hold else []), stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
        line = self.p.stdout.readline()
        if name == "ours":
            self.port = int(line.split()[1])
        time.sleep(0.1 if name == "libesl" else 0)  # it says "ready" before it listens

    def rss_kb(self):
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{self.p.pid}/status").read())[1])

    def cpu_s(self):
        parts = open(f"/proc/{self.p.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.p.kill()
        self.p.wait()


def dial(port, *options):
    reply = ["--connect-reply", CONNECT] if os.path.exists(CONNECT) else []
    return subprocess.Popen(["taskset", "-c", SERVER, FAKE, "--dial", f"127.0.0.1:{port}", *reply,
                             *map(str, options)], stdout=subprocess.PIPE, text=True)


def call_run(name, peer, inflight):
    server = Server(name, peer, False)
    before = server.cpu_s()
    p = dial(server.port, "--sessions", peer["calls"][inflight > 1], "--inflight", inflight)
    try:
        got = json.loads(p.communicate(timeout=90)[0])
        got["cpu"] = max(server.cpu_s() - before, 0.01)
    except (subprocess.TimeoutExpired, json.JSONDecodeError, OSError):
        p.kill()
        got = None
    server.end()
    return got


def hold_run(name, peer):
    """KB per held connection, or None."""
    server = Server(name, peer, True)
    before = server.rss_kb()
    p = dial(server.port, "--sessions", peer["held"], "--inflight", 50, "--hold-ms", 1500)
    try:
        p.stdout.readline()  # all are held
        time.sleep(1)        # what is only freed later is not counted
        kb = (server.rss_kb() - before) / peer["held"]
        whole = json.loads(p.communicate(timeout=60)[0].split("\n")[-2])["errors"] == 0
    except (subprocess.TimeoutExpired, json.JSONDecodeError, OSError, IndexError):
        p.kill()
        kb, whole = 0, False
    server.end()
    return kb if whole else None


def bench_outbound():
    rows, held = [], []
    for name, peer in usable("out"):
        for inflight in (1, 50, 500):
            got = [call_run(name, peer, inflight) for _ in range(RUNS)]
            if None in got:
                rows.append([name, inflight, "-", "-", "-", "-", "FAILED: no report"])
                continue
            errors = sum(g["errors"] for g in got)
            rows.append([name, inflight, spread([g["per_s"] for g in got]),
                         spread([g["sessions"] / g["cpu"] for g in got]),
                         f"{statistics.median(g['p50_us'] for g in got):,.0f}",
                         f"{statistics.median(g['p99_us'] for g in got):,.0f}",
                         "ok" if not errors else f"FAILED: {errors} errors"])
        kb = [hold_run(name, peer) for _ in range(RUNS)]
        held.append([name, peer["held"], "FAILED" if None in kb else f"{statistics.median(kb):.1f}"])
    table("B6 outbound sessions: connect, one api, exit",
          ["peer", "in flight", "per second", "per CPU second", "p50 µs", "p99 µs", "gate"], rows)
    table("B6 held connections", ["peer", "held", "KB each (RSS)"], held)


PARTS = {"B1": lambda: bench_events("B1", "plain"), "B2": lambda: bench_events("B2", "json"),
         "B4": bench_chunks, "B5": bench_bgapi, "B6": bench_outbound}
for missing in [n for n, p in PEERS.items() if not exists(p)]:
    print(f"left out: {missing} (not built or not installed)")
for part in ONLY:
    PARTS[part]()
print(f"\n{RUNS} runs each, median (least–most); client on core {CLIENT}, server on core {SERVER}; "
      f"load at the end {os.getloadavg()[0]:.1f}")
