#!/usr/bin/env python3
"""What docs/evidence/ claims about the load generator, measured here and now.

    bench/validation/loadgen_proofs.py [stall] [delays] [median] [opening] [crowd] [memory]     (default: all)

Each proof prints what it measured, what is claimed, and ok or NOT MET; the exit status is 1 if any was not met. They judge
times, so they want a machine with two CPUs at rest, and are no part of tests/run_all.sh. `crowd` and `memory` open 100,000 connections.
"""

import contextlib
import heapq
import json
import os
import resource
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

from proofs import BUILD, judge, run_chosen

LOADGEN = BUILD / "loadgen" / "loadgen"
CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU, LOAD_CPU = CPUS[0], CPUS[-1]


@contextlib.contextmanager
def server(*options, name="epoll_level", preexec_fn=None):
    command = ["taskset", "-c", str(SERVER_CPU), BUILD / "servers" / f"server_{name}", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=preexec_fn)
    try:
        process.target = json.loads(process.stdout.readline())["address"]
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(timeout=10)


def load(target, *more, patience=60, **options):
    named = [f"--{name.replace('_', '-')}={value}" for name, value in {"cpus": LOAD_CPU, **options}.items()]
    done = subprocess.run([LOADGEN, "--target", target, *named, *more, "--json", "-", "--quiet"],
                          stdout=subprocess.PIPE, text=True, timeout=patience)
    return json.loads(done.stdout.splitlines()[-1])


def milliseconds(ns):
    return f"{ns / 1e6:.1f} ms"


def stall():
    """The server stands still for 1 s of a 5 s run at 20,000 requests a second."""
    marks = []

    def stop_and_go(process):
        time.sleep(2)
        for signal_number, pause in ((signal.SIGSTOP, 1), (signal.SIGCONT, 0)):
            process.send_signal(signal_number)
            marks.append(time.monotonic())
            time.sleep(pause)

    with server() as process:
        switch = threading.Thread(target=stop_and_go, args=(process,))
        switch.start()
        result = load(process.target, rate="20k", connections=64, duration="5s")
        switch.join()
    over = (marks[1] - marks[0] - 1) * 1e9  # A sleep of 1 s is longer on a busy machine.
    latency = result["latency_ns"]
    judge(f"stall of {1e3 + over / 1e6:.1f} ms in 5 s at 20k/s: requests", result["requests"], "100000", result["requests"] == 100_000)
    for name, claimed, within in (("p99", 950, 20), ("p99_9", 995, 10)):
        judge(f"  {name}, less what the stall was longer than 1 s", milliseconds(latency[name] - over),
              f"{claimed} +- {within} ms", abs(latency[name] - over - claimed * 1e6) <= within * 1e6)


def median():
    """Unstalled, at the rate that a closed loop of one connection makes, which the open loop is then asked for. Both poll:
    an open loop sleeps only when no request is due soon, a closed loop for each answer, and is woken 10 to 40 us late."""
    closed, opened, differences = [], [], []
    with server() as process:
        for _ in range(9):
            one = load(process.target, "--busy-poll", connections=1, duration="1s", warmup="200ms")
            rate = round(one["achieved"]["requests_per_second"])
            two = load(process.target, "--busy-poll", connections=64, duration="1s", warmup="200ms", rate=rate)
            closed.append(one["latency_ns"]["p50"] / 1e3), opened.append(two["latency_ns"]["p50"] / 1e3)
            differences.append(opened[-1] - closed[-1])
    apart = statistics.median(differences)
    judge(f"median latency at {rate} requests a second: closed loop {statistics.median(closed):.1f} us, open loop "
          f"{statistics.median(opened):.1f} us, apart (median of {len(differences)} pairs)",
          f"{apart:+.1f} us", "at most 15 us", abs(apart) <= 15)


class DelayingEcho(threading.Thread):
    """Answers the n-th message after delays[n % len(delays)] seconds: it polls instead of sleeping, and notes how long it really took."""

    def __init__(self, delays, size=64):
        super().__init__(daemon=True)
        self.delays, self.size, self.ending, self.taken = delays, size, False, []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.listener.setblocking(False)
        self.target = "127.0.0.1:%d" % self.listener.getsockname()[1]

    def run(self):
        os.sched_setaffinity(0, {SERVER_CPU})
        selector, due, number = selectors.EpollSelector(), [], 0
        selector.register(self.listener, selectors.EVENT_READ)
        while not self.ending:
            for key, _ in selector.select(0):
                if key.fileobj is self.listener:
                    connection, _ = self.listener.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(connection, selectors.EVENT_READ)
                    continue
                try:
                    message = key.fileobj.recv(self.size)
                except ConnectionResetError:
                    message = b""
                if not message:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    continue
                now = time.monotonic()
                heapq.heappush(due, (now + self.delays[number % len(self.delays)], number, now, key.fileobj, message))
                number += 1
            while due and due[0][0] <= time.monotonic():
                _, _, came, connection, message = heapq.heappop(due)
                connection.sendall(message)
                self.taken.append(time.monotonic() - came)


def delays():
    """Delays of 100 to 424 ms, 1 ms apart, are found again to within a histogram bucket of what the server really took, for on a
    machine that others share it is late now and then. Of the eight requests with one delay each percentile names one in the middle."""
    steps = [0.1 + (n * 97 % 325) / 1000 for n in range(325)]
    echo = DelayingEcho(steps)
    echo.start()
    result = load(echo.target, rate=400, connections=400, requests=8 * len(steps))
    echo.ending = True
    expected = sorted(echo.taken)
    judge("known delays: answers", len(expected), 8 * len(steps), len(expected) == result["latency_ns"]["count"] == 8 * len(steps))
    for name, quantile in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        true = expected[-(-int(quantile * 1e6) * len(expected) // 1_000_000) - 1] * 1e9
        width = 2 ** (int(true).bit_length() - 11)
        judge(f"known delays: {name}", f"{result['latency_ns'][name] / 1e6:.3f} ms for {true / 1e6:.3f} ms",
              f"within a bucket of {width / 1e3:.0f} us", abs(result["latency_ns"][name] - true) <= width)


def opening():
    times = []
    with server() as process:
        for _ in range(3):
            result = load(process.target, connections=8000, requests=8000)
            times.append(result["achieved"]["opening_ns"])
            assert result["achieved"]["connections"] == 8000, result["errors"]
    judge("opening 8,000 connections", milliseconds(statistics.median(times)), "less than 500 ms",
          statistics.median(times) < 500e6)


@contextlib.contextmanager
def large_server():
    """In as many processes as 120,000 connections need under the descriptor limit."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with server("--workers", str(-(-120_000 // (limit - 100))), name="epoll_multiprocess") as process:
        yield process


def memory():
    """What 80,000 more connections add to the program's peak, with as many threads."""
    with large_server() as process:
        for role in ("connections", "idle"):
            peaks = []
            for count in (20_000, 100_000):
                result = load(process.target, patience=120, **{"connections": 6, "threads": 6, "requests": 6, role: count})
                peaks.append(result["memory"]["peak_bytes"])
            each = (peaks[1] - peaks[0]) / 80_000
            judge(f"user memory of a connection ({role})", f"{each:.0f} bytes", "at most 128", each <= 128)


def crowd():
    with large_server() as process:
        result = load(process.target, connections=100_000, requests=100_000, patience=120)
    opened = result["achieved"]["opening_ns"] / 1e9
    judge("100,000 connections", f"{result['achieved']['connections']} open after {opened:.2f} s on {result['asked']['threads']} "
          f"threads, status {result['status']}", "all, within 5 s, no error",
          result["achieved"]["connections"] == 100_000 and opened < 5 and result["status"] == "ok")


if __name__ == "__main__":
    sys.exit(run_chosen(__doc__, (stall, delays, median, opening, crowd, memory)))
