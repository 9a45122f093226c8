#!/usr/bin/env python3
"""What counting costs the server that is counted, for each way of counting that this machine allows, and what strace would cost.

    bench/validation/counting_proofs.py [bpf] [perf] [inherit] [strace]     (default: all; less than a minute each)

Each makes 9 rounds of two loads of 1 s on epoll_level, 64 connections: counted and not, in random order. It prints medians of the
ratios within a round and the CPU time that counting adds to a system call, what is claimed, and ok or NOT MET; the exit status is 1
if any was not met. They judge times, so they want a machine with two CPUs at rest, and are no part of tests/run_all.sh.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

from proofs import BUILD, judge, run_chosen

CPUS = sorted(os.sched_getaffinity(0))
ROUNDS = 9
MOST_NS_PER_CALL = 300
STRACE = ("strace", "-f", "-qq", "-o", "/dev/null")
MOST_WITH_STRACE = 0.5


def measure(rung, tracer=()):
    """(requests a second, CPU nanoseconds per request, system calls per request); rung None: not counted, and no calls known."""
    with tempfile.TemporaryDirectory() as folder:
        counts = pathlib.Path(folder) / "counts.json"
        wrap = [BUILD / "bench" / "muxbench", "count", "--backend", rung, "--out", counts, "--"] if rung else tracer
        server = subprocess.Popen([*wrap, "taskset", "-c", str(CPUS[0]), BUILD / "servers" / "server_epoll_level"],
                                  stdout=subprocess.PIPE, text=True)
        ready = server.stdout.readline()
        if not ready:
            raise SystemExit(f"counting_proofs.py: {rung or wrap[0]} cannot count here, see above")
        ready = json.loads(ready)
        try:
            load = json.loads(subprocess.run(
                [BUILD / "loadgen" / "loadgen", "--target", ready["address"], "--connections", "64", "--duration", "1s",
                 "--cpus", str(CPUS[-1]), "--json", "-"], check=True, stdout=subprocess.PIPE, text=True).stdout)
            cpu_ns = int(pathlib.Path(f"/proc/{ready['pid']}/schedstat").read_text().split()[0])
        finally:
            os.kill(ready["pid"], signal.SIGTERM)
            server.communicate(timeout=10)
        calls = json.loads(counts.read_text())["total_calls"] if rung else 0
    requests = load["requests_in_run"]
    return load["achieved"]["requests_per_second"], cpu_ns / requests, calls / requests


def cost_of(rung):
    rates, times, per_call = [], [], []
    for _ in range(ROUNDS):
        seen = {counted: measure(counted) for counted in random.sample([None, rung], 2)}
        rates.append(seen[rung][0] / seen[None][0])
        times.append(seen[rung][1] / seen[None][1])
        per_call.append((seen[rung][1] - seen[None][1]) / seen[rung][2])
    judge(f"{rung}, {ROUNDS} rounds of 1 s: throughput {statistics.median(rates):.3f} ({min(rates):.3f} to {max(rates):.3f}) and CPU per "
          f"request {statistics.median(times):.3f} of what they are uncounted; for each system call",
          f"{statistics.median(per_call):.0f} ns ({min(per_call):.0f} to {max(per_call):.0f})", f"at most {MOST_NS_PER_CALL} ns",
          statistics.median(per_call) <= MOST_NS_PER_CALL)


def bpf():
    cost_of("bpf")


def perf():
    cost_of("perf")


def inherit():
    cost_of("inherit")


def strace():
    if not shutil.which("strace"):
        raise SystemExit("counting_proofs.py: there is no strace here; install it, or name the other proofs")
    shares = []
    for _ in range(ROUNDS):
        rate = {tracer: measure(None, tracer)[0] for tracer in random.sample([(), STRACE], 2)}
        shares.append(rate[STRACE] / rate[()])
    judge(f"strace, {ROUNDS} rounds of 1 s: throughput, of what it is untraced",
          f"{statistics.median(shares):.3f} ({min(shares):.3f} to {max(shares):.3f})", f"at most {MOST_WITH_STRACE:g}",
          statistics.median(shares) <= MOST_WITH_STRACE)


if __name__ == "__main__":
    sys.exit(run_chosen(__doc__, (bpf, perf, inherit, strace)))
