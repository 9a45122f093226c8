#!/usr/bin/env python3
"""How fast the models are beside the barest server, beside epoll_level, and beside what the libraries' own documentation writes.

    bench/validation/speed_table.py [--rounds 11] [--against stock_asio] [--rate 150k] [--connections 128] [--bytes 64] [--seconds 1]

Each round starts every server afresh, in random order, on one CPU, and loads it from another; a round gives one ratio for
each pair, and the table has their median and its 95 % interval, from the order of the ratios alone. Rounds, not single
figures, because a machine drifts.

At full speed the generator is as busy as the server, and what a server saves comes back in part as smaller batches and as
reads that come too early. With --rate all are held to one load, and what is compared is how many requests a second of their
own CPU time does."""

import argparse
import json
import math
import os
import pathlib
import random
import socket
import statistics
import subprocess
import sys
import time

BUILD = pathlib.Path(os.environ.get("MUXBENCH_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))

# (program, what it is held against): the ratio that it should reach, or None where nothing is asked.
# The barest server may be 5 % faster. Four models are held, within 10 %, to the ratios of the prototypes that the design was
# chosen by: 190, 198, 204 and 204 k/s beside 193. A library's model must be no slower than the library's stock server.
PAIRS = {
    ("epoll_level", "bare_epoll"): 0.95,
    ("epoll_edge", "epoll_level"): 0.9 * 190 / 193,
    ("poll", "epoll_level"): 0.9 * 198 / 193,
    ("select", "epoll_level"): 0.9 * 204 / 193,
    ("uring_multishot", "epoll_level"): 0.9 * 204 / 193,
    **{(name, "epoll_level"): None for name in ("epoll_oneshot", "aio_poll", "thread_per_connection", "libev", "libevent",
                                                "libuv", "asio_callback")},
    ("libev", "stock_libev"): 1,
    ("libevent", "stock_libevent"): 1,
    ("libevent", "stock_libevent_events"): 1,
    ("libuv", "stock_libuv"): 1,
    ("asio_callback", "stock_asio"): 1,
    ("asio_coroutine", "stock_asio"): 1,
    ("asio_threads", "stock_asio"): 1,
    ("asio_uring", "stock_asio_uring"): 1,
}


def program(name):
    yardstick = BUILD / "bench/validation/yardstick" / name
    return yardstick if yardstick.exists() else BUILD / "servers" / f"server_{name}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def running_ns(pid):
    """CPU time of a process's threads that live."""
    return sum(int(thread.read_text().split()[0]) for thread in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"))


class Server:
    """A model says where it listens; a yardstick is told. After it has ended, cpu_seconds is what it took beside its start."""

    def __init__(self, name, cpu):
        is_model = program(name).name.startswith("server_")
        port = None if is_model else free_port()
        self._process = subprocess.Popen(["taskset", "-c", str(cpu), program(name), *([] if is_model else [str(port)])],
                                         stdout=subprocess.PIPE, text=True)
        if is_model:
            line = self._process.stdout.readline()
            if not line:
                raise SystemExit(f"speed_table.py: {name} did not start; try {program(name)} by hand")
            self.address = json.loads(line)["address"]
        else:
            self.address = f"127.0.0.1:{port}"
            self._wait_for(port)
        self._start_seconds = running_ns(self._process.pid) / 1e9

    @staticmethod
    def _wait_for(port):
        for _ in range(6000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.01)
        raise SystemExit(f"speed_table.py: nothing listens on port {port} after 60 s")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._process.stdout.close()
        self.cpu_seconds = usage.ru_utime + usage.ru_stime - self._start_seconds


def requests_per_second(name, options, cpus):
    """Of the clock, or with --rate of the server's CPU time."""
    with Server(name, cpus[0]) as server:
        done = subprocess.run([BUILD / "loadgen/loadgen", "--target", server.address, "--connections", str(options.connections),
                               "--message-bytes", str(options.bytes), "--duration", f"{int(options.seconds * 1000)}ms",
                               "--cpus", str(cpus[1]), "--json", "-", *(["--rate", options.rate] if options.rate else [])],
                              stdout=subprocess.PIPE, text=True)
    result = json.loads(done.stdout or "{}")
    achieved = result.get("achieved", {}).get("requests_per_second", 0)
    if options.rate and result and achieved < 0.95 * result["asked"]["rate"]:
        raise SystemExit(f"speed_table.py: {name} did not reach --rate {options.rate}, only {achieved:.0f} a second; "
                         "take a rate that all reach")
    if done.returncode != 0:
        raise SystemExit(f"speed_table.py: the load on {name} failed, see above")
    if not options.rate:
        return achieved
    return result["requests_in_run"] / server.cpu_seconds


def median_interval(ratios):
    """The two ratios of n between which the median lies with 95 % confidence or more, whatever their distribution."""
    n = len(ratios)
    outside, place = 0.0, 0
    while place < n / 2 and outside + math.comb(n, place) / 2 ** n <= 0.025:
        outside += math.comb(n, place) / 2 ** n
        place += 1
    if place == 0:
        return None
    return sorted(ratios)[place - 1], sorted(ratios)[n - place]


def tell_target(ratio):
    return "" if ratio is None else f"{ratio:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11, help="6 or more give an interval (default 11)")
    parser.add_argument("--against", choices=sorted({other for _, other in PAIRS}), help="only what is held against this one")
    parser.add_argument("--rate", help="hold all to this many requests a second, such as 150k, and compare their CPU time")
    parser.add_argument("--connections", type=int, default=128)
    parser.add_argument("--bytes", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=1)
    options = parser.parse_args()
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        raise SystemExit("speed_table.py: one CPU for the server and one for the load are needed")
    pairs = [pair for pair in PAIRS if options.against in (None, pair[1])]
    names = sorted({name for pair in pairs for name in pair})
    missing = [name for name in names if not program(name).exists()]
    if missing:
        raise SystemExit(f"speed_table.py: no program {missing[0]} in {BUILD}; build everything first")
    ratios = {pair: [] for pair in pairs}
    rates = {name: [] for name in names}
    for number in range(options.rounds):
        for name in random.sample(names, len(names)):
            rates[name].append(requests_per_second(name, options, cpus))
        for one, other in pairs:
            ratios[one, other].append(rates[one][-1] / rates[other][-1])
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
    load = f", {options.rate} requests a second" if options.rate else ""
    unit = "k per CPU second" if options.rate else "k/s"
    print(f"{options.connections} connections, {options.bytes} bytes{load}, {options.rounds} rounds of {options.seconds:g} s\n")
    print(f"| program | against | {unit} | median ratio | 95 % interval | asked |\n|---|---|---|---|---|---|")
    for (one, other), seen in sorted(ratios.items(), key=lambda item: (item[0][1], -statistics.median(item[1]))):
        between = median_interval(seen)
        interval = f"{between[0]:.3f} to {between[1]:.3f}" if between else ""
        print(f"| {one} | {other} | {statistics.median(rates[one]) / 1000:.0f} | {statistics.median(seen):.3f} "
              f"| {interval} | {tell_target(None if options.rate else PAIRS[one, other])} |")


if __name__ == "__main__":
    main()
