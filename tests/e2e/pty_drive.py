"""A person at a terminal: starts a program in a pty and plays a script.

usage: pty_drive.py SCRIPT -- PROGRAM ARGUMENTS...

SCRIPT, one step a line:
    send TEXT      keys; \\t \\r \\e and \\xNN are understood
    expect REGEX   wait until the output since the last `expect` has it (10 s)
    refuse REGEX   fail if the output since the last `expect` has it
    signal NAME    to the program
    run COMMAND    in a shell, beside the program
    resize R C     the terminal has R rows and C columns now
    exit CODE      wait for its end with this code

Prints what the terminal showed; exit code 1 and the step when one fails.
"""
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import fcntl
import termios
import time

LIMIT_S = 10


class Terminal:
    def __init__(self, argv):
        self.seen, self.at = "", 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvp(argv[0], argv)
        self.resize(24, 100)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, wait_s):
        """False at the end of the program."""
        ready, _, _ = select.select([self.fd], [], [], wait_s)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        # Colours are for people; a sequence cut in two by the read is joined again.
        self.seen = re.sub("\x1b\\[[0-9;]*m", "", self.seen + data.decode("utf-8", "replace"))
        return bool(data)

    def expect(self, pattern):
        until = time.monotonic() + LIMIT_S
        alive = True
        while True:
            found = re.search(pattern, self.seen[self.at:], re.S)
            if found:
                self.at += found.end()
                return True
            if not alive or time.monotonic() > until:
                return False
            alive = self.read(0.1)

    def end(self):
        until = time.monotonic() + LIMIT_S
        while time.monotonic() < until:
            if not self.read(0.05):
                break
        while time.monotonic() < until:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        os.kill(self.pid, signal.SIGKILL)
        return None


def keys(text):
    text = text.replace("\\e", "\x1b").replace("\\t", "\t").replace("\\r", "\r")
    return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m.group(1), 16)), text)


def play(t, word, rest):
    if word == "send":
        os.write(t.fd, keys(rest).encode())
        return True
    if word == "expect":
        return t.expect(rest)
    if word == "refuse":
        t.read(0)
        return not re.search(rest, t.seen[t.at:], re.S)
    if word == "signal":
        os.kill(t.pid, getattr(signal, "SIG" + rest))
        return True
    if word == "run":
        return subprocess.run(rest, shell=True, stdout=subprocess.DEVNULL).returncode == 0
    if word == "resize":
        t.resize(*map(int, rest.split()))
        return True
    if word == "exit":
        return t.end() == int(rest)
    raise SystemExit("unknown step " + word)


def main():
    split = sys.argv.index("--")
    steps = open(sys.argv[1], encoding="utf-8").read().splitlines()
    t = Terminal(sys.argv[split + 1:])
    for step in steps:
        word, _, rest = step.partition(" ")
        if word and not play(t, word, rest):
            print(t.seen)
            print("failed: " + step)
            os.kill(t.pid, signal.SIGKILL)
            return 1
    print(t.seen)
    return 0


sys.exit(main())
