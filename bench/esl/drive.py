"""Starts the fake and the drivers, and prints tables."""
import json
import os
import signal
import statistics
import subprocess
import sys
import threading

from streams import WORK

BUILD = sys.argv[1]
PEER_DIR = f"{BUILD}/peers"
FAKE = f"{BUILD}/fakes/esl_fake"
CORES = os.sched_getaffinity(0)
CLIENT, SERVER = str(min(CORES)), str(max(CORES))


def node(name):
    return ["node", "--no-warnings", f"{PEER_DIR}/{name}.mjs"]


# rounds: how often the recording is sent; jobs of B5 and calls of B6: one at a time, and else; held: of B6
ALL = {
    "floor": dict(cmd=[f"{WORK}/floor"], formats="plain json", rounds=200, jobs=(20000, 400000)),
    "ours": dict(cmd=[f"{BUILD}/bench/esl_client_bench"], formats="plain json", rounds=200,
                 jobs=(20000, 400000), out=[f"{BUILD}/bench/esl_outbound_bench"], calls=(5000, 20000), held=(5000, 10000)),
    "libesl": dict(cmd=[f"{WORK}/libesl_driver"], formats="plain json", rounds=20, jobs=(10000, 20000),
                   out=[f"{WORK}/libesl_driver", "outbound"], calls=(2000, 3000), held=(1000,)),
    "esl": dict(cmd=node("esl"), formats="plain json", rounds=20, jobs=(3000, 10000),
                out=node("esl") + ["outbound"], calls=(2000, 3000), held=(1000,)),
    "esl-lite": dict(cmd=node("esl-lite"), formats="json", rounds=20, jobs=(3000, 10000)),
    "modesl": dict(cmd=node("modesl"), formats="plain json", rounds=20, jobs=(200, 1000),
                   out=node("modesl") + ["outbound"], calls=(60, 500), held=(300,)),
}


def exists(peer):
    program = peer["cmd"][-1]
    if program.endswith(".mjs"):
        return os.path.exists(program) and os.path.isdir(f"{PEER_DIR}/node_modules")
    return os.path.exists(program)


PEERS = {n: p for n, p in ALL.items() if n in os.environ.get("PEERS", " ".join(ALL)).split()}


class Fake:
    def __init__(self, *options):
        self.p = subprocess.Popen(["taskset", "-c", SERVER, FAKE, *options], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
        self.port = self.p.stdout.readline().split()[1]
        self.said = []
        self.reader = threading.Thread(target=lambda: self.said.extend(self.p.stdout), daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.terminate()
        self.p.wait()
        self.reader.join()


def start_driver(cmd, *args):
    return subprocess.Popen(["taskset", "-c", CLIENT, *cmd, *map(str, args)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def report_of(p, timeout=90):
    """What a driver said last, or None."""
    try:
        return json.loads(p.communicate(timeout=timeout)[0].strip().split("\n")[-1])
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        p.kill()
        p.wait()
        if p.returncode < 0 and p.returncode != -signal.SIGKILL:
            print(f"{p.args[3]}: {signal.Signals(-p.returncode).name}", flush=True)
        return None


def run_driver(peer, *args):
    return report_of(start_driver(peer["cmd"], *args))


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


