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

import load
import streams
from drive import (BUILD, CLIENT, CORES, FAKE, PEERS, SERVER, Fake, exists, report_of, run_driver, spread, start_driver,
                   table, usable)

CONNECT = sys.argv[2]
RUNS = int(os.environ.get("RUNS", "3"))
ONLY = os.environ.get("ONLY", "B1 B2 B3 B4 B5 B6 B7 B8").split()
REAL = os.environ.get("REAL")


# ---- the gate ----------------------------------------------------------------------------------

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


# ---- B1, B2, B4: events ------------------------------------------------------------------------

def events(peer, stream, level, count, chunk=262144):
    format_ = stream.split("-")[0]
    fake = ("--blast", streams.path(stream), "--format", format_, "--chunk", str(chunk), "--count", str(count))
    with Fake(*fake) as f:
        return run_driver(peer, "events", f.port, format_, level, count)


def event_rows(name, peer, stream, ref, rounds):
    mean = ref["bytes"] / ref["count"] / 1e6
    for level in (1, 2):
        if name == "floor" and level == 2:
            continue
        got = [events(peer, stream, level, ref["count"] * rounds) for _ in range(RUNS)]
        if None in got:
            yield [name, f"L{level}", "-", "-", "-", "-", "FAILED: no report"]
            continue
        say = worst(gate(ref, rounds, level, g) for g in got) if name != "floor" else ""
        per_cpu = [g["events"] / g["cpu_s"] for g in got]
        yield [name, f"L{level}", spread([g["events"] / g["wall_s"] for g in got]), spread(per_cpu),
               f"{statistics.median(per_cpu) * mean:,.0f}", round(max(g["rss_kb"] for g in got) / 1024) or "-", say]


def parser_rows(format_, ref):
    """Ours without a socket: from memory."""
    got = {1: [], 2: []}
    for _ in range(RUNS):
        with open(streams.path(format_), "rb") as f:
            out = subprocess.run(["taskset", "-c", CLIENT, f"{BUILD}/bench/esl_parser_bench"], stdin=f,
                                 capture_output=True, text=True, check=True).stdout
        for m in re.finditer(r"L(\d): (\d+) events, (\d+) events per CPU second, checksum (\d+)", out):
            got[int(m[1])].append(dict(events=int(m[2]), rate=int(m[3]), sum=int(m[4])))
    for level, runs in got.items():
        say = worst(gate(ref, 20, level, g) for g in runs)
        yield ["ours, parser only", f"L{level}", "-", spread([g["rate"] for g in runs]), "-", "-", say]


EVENT_HEAD = ["peer", "level", "per second", "per CPU second", "MB per CPU second", "RSS MB", "gate"]


def bench_events(part, format_):
    ref = streams.reference(format_)
    rows = []
    for name, peer in usable():
        if format_ in peer["formats"]:
            rows += event_rows(name, peer, format_, ref, peer["rounds"])
    if "ours" in PEERS:
        rows += parser_rows(format_, ref)
    table(f"{part} {format_}: events", EVENT_HEAD, rows)


def bench_mixed():
    for format_ in ("plain", "json"):
        streams.make_mixed(format_)
        ref = streams.reference(f"{format_}-mixed")
        rows = []
        for name, peer in usable():
            if format_ in peer["formats"]:
                rows += event_rows(name, peer, f"{format_}-mixed", ref, max(peer["rounds"] // 4, 1))
        table(f"B3 {format_}: events of 300 bytes to 64 KB", EVENT_HEAD, rows)


def bench_chunks():
    rows = []
    for name, peer in usable():
        format_ = "plain" if "plain" in peer["formats"] else "json"
        rates = []
        for chunk, count in ((262144, 2580 * peer["rounds"] // 2), (65536, 2580 * peer["rounds"] // 2),
                             (1448, 2580 * peer["rounds"] // 2), (1, 258)):
            got = [events(peer, format_, 1, count, chunk) for _ in range(RUNS)]
            good = [g for g in got if g and g["events"] == count]
            rates.append(statistics.median(g["events"] / g["cpu_s"] for g in good) if good else 0)
        rows.append([name, format_] + [f"{r / rates[0]:.2g}" if rates[0] and r else "FAILED" for r in rates[1:]])
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


def bench_real():
    """One connection and eight, each a process of the driver, against a real FreeSWITCH."""
    rows = []
    for name, peer in usable():
        for many in (1, 8):
            got = []
            for _ in range(RUNS):
                running = [start_driver(peer["cmd"], "bgapi", REAL, 256, 4000 // many) for _ in range(many)]
                got.append([report_of(p) for p in running])
            whole = all(g and g["rt"] >= 4000 // many for run in got for g in run)
            rows.append([name, many] + ([
                spread([sum(g["rt"] for g in run) / max(g["wall_s"] for g in run) for run in got]),
                spread([sum(g["rt"] for g in run) / max(sum(g["cpu_s"] for g in run), 0.001) for run in got]),
                "ok"] if whole else ["-", "-", "FAILED"]))
    table("B5 bgapi round trips of a real FreeSWITCH, window 256: the server bounds them",
          ["peer", "connections", "per second", "per CPU second of the client", "gate"], rows)


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


def hold_run(name, peer, held):
    """KB per held connection, or None."""
    server = Server(name, peer, True)
    before = server.rss_kb()
    p = dial(server.port, "--sessions", held, "--inflight", 50, "--hold-ms", 1500)
    try:
        p.stdout.readline()  # all are held
        time.sleep(1)        # what is only freed later is not counted
        kb = (server.rss_kb() - before) / held
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
        for many in peer["held"]:
            kb = [hold_run(name, peer, many) for _ in range(RUNS)]
            held.append([name, many, "FAILED" if None in kb else f"{statistics.median(kb):.1f}"])
    table("B6 outbound sessions: connect, one api, exit",
          ["peer", "in flight", "per second", "per CPU second", "p50 µs", "p99 µs", "gate"], rows)
    table("B6 held connections", ["peer", "held", "KB each (RSS)"], held)


PARTS = {"B1": lambda: bench_events("B1", "plain"), "B2": lambda: bench_events("B2", "json"),
         "B3": bench_mixed, "B4": bench_chunks, "B5": bench_bgapi, "REAL": bench_real, "B6": bench_outbound,
         "B7": load.bench_slow, "B8": load.bench_soak}
for missing in [n for n, p in PEERS.items() if not exists(p)]:
    print(f"left out: {missing} (not built or not installed)")
for part in ONLY + (["REAL"] if REAL and "B5" in ONLY else []):
    PARTS[part]()
print(f"\n{RUNS} runs each, median (least–most); client on core {CLIENT}, server on core {SERVER}; "
      f"load at the end {os.getloadavg()[0]:.1f}")
