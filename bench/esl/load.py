"""B7, a consumer that is slower than FreeSWITCH, and B8, a connection that is lost again and again."""
import os
import re
import threading
import time

import streams
from drive import BUILD, PEERS, Fake, report_of, start_driver, table, usable

LOAD = [f"{BUILD}/bench/esl_load_bench"]
RATE = 10000       # events per second of B7 …
SECONDS = 5        # … for so long
LIMIT_S = 12       # then what is not handled yet is counted as waiting
RSS_MAX_MB = 64    # two shares of 16 MiB, and the driver's own lists
SOAK_S = int(os.environ.get("SOAK_S", "60"))
DROP_MS = int(os.environ.get("DROP_MS", "1000"))
SOAK_RATE = int(os.environ.get("SOAK_RATE", "2000"))
FORMATS = os.environ.get("SOAK_FORMATS", "plain json").split()


class Watch(threading.Thread):
    """Calls a function every `period` seconds until stopped, and keeps what it gave."""

    def __init__(self, period, look):
        super().__init__(daemon=True)
        self.period, self.look, self.seen, self.stop = period, look, [], threading.Event()
        self.start()

    def run(self):
        while not self.stop.wait(self.period):
            try:
                self.seen.append(self.look())
            except (OSError, IndexError, TypeError):  # not there yet, or gone
                pass

    def end(self):
        self.stop.set()
        self.join()
        return self.seen


def queues(port):
    """Bytes (not sent by the fake, not read by its client) of a connection; as `ss -tn` shows them."""
    unsent = unread = 0
    for line in open("/proc/net/tcp").readlines()[1:]:
        part = line.split()
        if part[3] == "01":
            tx, rx = (int(x, 16) for x in part[4].split(":"))
            unsent += tx if part[1].endswith(f":{port:04X}") else 0
            unread += rx if part[2].endswith(f":{port:04X}") else 0
    return unsent, unread


def percentile(values, share):
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else 0


# ---- B7 ----------------------------------------------------------------------------------------

def slow_run(cmd, format_, stream, busy, count):
    with Fake("--blast", streams.path(stream), "--format", format_, "--count", str(count), "--chunk", "65536",
              "--blast-per-s", str(RATE)) as fake:
        p = start_driver(cmd, "slow", fake.port, format_, busy, LIMIT_S, count)
        watch = Watch(0.01, lambda: queues(int(fake.port)))
        got = report_of(p)
        seen = watch.end()[: SECONDS * 100]  # while it was sent
    if not got:
        return None
    said = re.findall(r"blast (\d+) late_ms ([\d.]+)", "".join(fake.said))  # one per connection
    got["sent"] = sum(int(n) for n, _ in said)
    got["late_ms"] = max((float(ms) for _, ms in said), default=0)
    got["unsent"] = percentile([s[0] for s in seen], 0.99)
    got["unread"] = percentile([s[1] for s in seen], 0.99)
    return got


def slow_gate(got, count, control):
    """Of ours: what README.md promises."""
    wrong = []
    if got["sent"] != count:
        wrong.append(f"{got['sent']} of {count} sent")
    if got["handled"] + got["dropped"] + got["dropped_control"] + got["waiting"] != count:
        wrong.append("handled + dropped + waiting is not what was sent")
    if not got["waiting"] and got["lost"] != got["dropped"] + got["dropped_control"]:
        wrong.append("on_lost told another number")
    if got["dropped_control"] or not got["waiting"] and got["control"] != control:
        wrong.append(f"control events dropped: {got['dropped_control']}")
    if got["late_ms"] > 50 or got["unsent"] > 1 << 20:
        wrong.append("the socket was not drained")
    if got["rss_kb"] > RSS_MAX_MB * 1024:
        wrong.append("memory")
    if got["answered"] != got["asked"]:
        wrong.append("replies missing")
    return "FAILED: " + "; ".join(wrong) if wrong else "ok"


def slow_row(name, busy, format_, got, say):
    return [name, format_, f"{busy / 1000:g} ms", got["sent"], got["handled"],
            got.get("dropped", "-"), got.get("waiting", "-"),
            f"{got['unsent'] / 1024:,.0f} / {got['unread'] / 1024:,.0f}", f"{got['late_ms']:,.0f}",
            f"{got['answered']} of {got['asked']}", f"{got['p50_us'] / 1000:,.1f} / {got['p99_us'] / 1000:,.1f}",
            round(got["rss_kb"] / 1024), say]


def bench_slow():
    rows = []
    for name, peer in usable():
        if name == "floor":
            continue
        format_ = "plain" if "plain" in peer["formats"] else "json"
        round_, control = streams.make_calls(format_)
        count = RATE * SECONDS // round_ * round_
        for busy in (1000, 10000) if name == "ours" else (1000,):
            got = slow_run(LOAD if name == "ours" else peer["cmd"], format_, f"{format_}-calls", busy, count)
            if not got:
                rows.append([name, format_, f"{busy / 1000:g} ms"] + ["-"] * 9 + ["FAILED: no report"])
                continue
            say = slow_gate(got, count, control * (count // round_)) if name == "ours" else (
                f"FreeSWITCH waits: {got['sent']} of {count} sent" if got["sent"] < count else "")
            rows.append(slow_row(name, busy, format_, got, say))
    table(f"B7 handlers slower than the {RATE:,} events per second FreeSWITCH sends for {SECONDS} s",
          ["peer", "format", "handler", "sent", "handled", "dropped", "waiting", "Send-Q / Recv-Q p99 KB",
           "late ms", "api answered", "p50 / p99 ms", "RSS MB", "gate"], rows)


# ---- B8 ----------------------------------------------------------------------------------------

def slope(points):
    """Of a line through them (least squares), per hour."""
    n = len(points)
    mx, my = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    return 3600 * sum((x - mx) * (y - my) for x, y in points) / max(sum((x - mx) ** 2 for x, _ in points), 1e-9)


def look_at(pid):
    pages = int(open(f"/proc/{pid}/statm").read().split()[1])
    return time.monotonic(), pages * os.sysconf("SC_PAGE_SIZE") / 1024, len(os.listdir(f"/proc/{pid}/fd"))


def soak_gate(got, fake_said, fds):
    """Each connection of the fake became ready, brought events, and brought them in order."""
    blasts = sum(line.startswith("blast") for line in fake_said)
    wrong = [f"{k} {got[k]}" for k in ("doubled", "missing", "lost", "dropped", "empty", "twice", "unsolicited", "flawed")
             if got[k]]
    if got["connects"] != got["connections"] or got["connects"] != blasts:
        wrong.append(f"{got['connects']} ready, {got['connections']} with events, {blasts} subscribed at the fake")
    if got["answered"] + got["failed"] != got["asked"]:
        wrong.append("requests without a result")
    if max(fds) - min(fds) > 1:  # the one that is lost and made anew
        wrong.append(f"{min(fds)} to {max(fds)} descriptors")
    return "FAILED: " + "; ".join(wrong) if wrong else "ok"


def bench_soak():
    rows = []
    if "ours" not in PEERS:
        return
    for format_ in FORMATS:
        round_ = streams.make_numbered(format_)
        with Fake("--blast", streams.path(f"{format_}-numbered"), "--format", format_, "--count", str(10**9),
                  "--blast-per-s", str(SOAK_RATE), "--drop-after-ms", str(DROP_MS)) as fake:
            p = start_driver(LOAD, "soak", fake.port, format_, SOAK_S, round_)
            watch = Watch(0.5, lambda: look_at(p.pid))
            got = report_of(p, SOAK_S + 30)
            seen = [s for s in watch.end() if s[2] > 3]
        if not got or len(seen) < 4:
            rows.append([format_] + ["-"] * 7 + ["FAILED: no report"])
            continue
        warm = seen[len(seen) // 10:]
        rows.append([format_, got["connects"], f"{got['handled']:,}", f"{got['answered']:,} + {got['failed']}",
                     f"{warm[0][1]:,.0f} / {warm[-1][1]:,.0f}", f"{slope([s[:2] for s in warm]):+,.0f}",
                     f"{min(s[2] for s in warm)}–{max(s[2] for s in warm)}",
                     f"{got['cpu_s'] / got['wall_s'] * 100:.0f} %", soak_gate(got, fake.said, [s[2] for s in warm])])
    table(f"B8 {SOAK_S} s, connection lost every {DROP_MS} ms, {SOAK_RATE:,} events and 200 requests per second",
          ["format", "connections", "events", "requests answered + ended by the loss", "RSS KB first / last",
           "KB per hour", "descriptors", "CPU", "gate"], rows)
