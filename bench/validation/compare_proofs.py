#!/usr/bin/env python3
"""Does `muxbench compare` tell what differs from what does not, on real runs?

    bench/validation/compare_proofs.py [same] [apart] [slowed]     (default: all; about 2 minutes each)

same    20 comparisons of one server with itself within one run: alarms, p below 0.05, must be no more than chance makes of the
        promised 5 %.
apart   20 comparisons of one server with itself, in two runs one after the other. What the machine does to one run and not to
        the other is a difference, so this is told and not judged.
slowed  5 comparisons of a server with one that takes 5 % longer for each request: each must be found slower, and the intervals
        must hold what the longer time makes of the rate that the first one had in the same run.

The load generator polls. One that sleeps is woken by the server, which costs the server's CPU more the longer it slept: beside
a sleeping generator a request gets longer by more than the work does.

Each prints what it measured, what is claimed, and ok or NOT MET; the exit status is 1 if any was not met. They judge times, so they
want a machine with two CPUs at rest, and are no part of tests/run_all.sh.
"""

import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

from proofs import BUILD, judge, run_chosen

MUXBENCH = BUILD / "bench" / "muxbench"
SPIN_NS = 20_000
PAIRS = [(f"a{i}", f"b{i}") for i in range(20)]


def server(name, spin_ns=SPIN_NS):
    return f"{name}={BUILD}/servers/server_epoll_level --listen 127.0.0.1:{{port}} --work spin:{spin_ns}ns"


@contextlib.contextmanager
def run(servers, repetitions, duration):
    """Interleaved trials of these servers at 16 connections; the report is there while the caller has it."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "experiments").mkdir()
        (folder / "experiments" / "proof.json").write_text(json.dumps({
            "name": "proof", "question": "Is a difference found where there is one, and only there?", "order": 1, "protocol": "echo",
            "transport": "tcp", "load": {"mode": "closed", "message_bytes": 64}, "sweep": {"connections": [16]},
            "warmup": "100ms", "duration": duration, "repetitions": repetitions, "models": "*"}))
        polling = folder / "loadgen"
        polling.write_text(f'#!/bin/sh\nexec "{BUILD}/loadgen/loadgen" --busy-poll "$@"\n')
        polling.chmod(0o755)
        names = [text.split("=")[0] for text in servers]
        words = [word for text in servers for word in ("--server", text)]
        subprocess.run([MUXBENCH, "run", "--profile", "full", "--no-counting", "--quiet", "--models", ",".join(names),
                        "--loadgen", polling, "--experiments-dir", folder / "experiments", "--out", folder / "out",
                        "--no-micro", "--no-charts", "--results-dir", folder, *words],
                       check=True, stdout=subprocess.DEVNULL)
        yield folder / "out" / "report.json"


def compared(*words):
    told = subprocess.run([MUXBENCH, "compare", *words, "--format", "json"], check=True, capture_output=True, text=True).stdout
    return json.loads(told)["cells"]


def tell(cells):
    widths = [cell["high"] / cell["low"] - 1 for cell in cells]
    return f"{sum(cell['p'] < 0.05 for cell in cells)} (intervals {100 * statistics.median(widths):.1f} % wide)"


def same():
    """A binomial with n = 20 and 5 % has 3 or fewer in 98 of 100 cases."""
    with run([server(name) for pair in PAIRS for name in pair], repetitions=10, duration="200ms") as report:
        cells = [cell for pair in PAIRS for cell in compared(report, "--models", ",".join(pair))]
    judge(f"{len(cells)} comparisons of a server with itself in one run, 10 trials of 200 ms a side: alarms", tell(cells),
          "3 at most", sum(cell["p"] < 0.05 for cell in cells) <= 3)


def apart():
    servers = [server(base) for base, _ in PAIRS]
    with run(servers, repetitions=10, duration="200ms") as before, run(servers, repetitions=10, duration="200ms") as after:
        cells = compared(before, after)
    print(f"{len(cells)} comparisons of a server with itself in two runs, 10 trials of 200 ms a side: alarms: {tell(cells)}; "
          f"median ratio {statistics.median(cell['ratio'] for cell in cells):.3f} (told, not judged)", flush=True)


def rate_of(report, model):
    trials = json.loads(report.read_text())["muxbench"]["trials"]
    return statistics.geometric_mean(trial["load"]["achieved"]["requests_per_second"]
                                     for trial in trials if trial["cell"].split("/")[0] == model)


def slowed():
    """The time for a request, all in all, is one over the rate, which is measured first; 5 % of it is spun on top. The interval holds
    the truth in 95 of 100 comparisons, and so 4 or 5 of 5 in 98 of 100."""
    with run([server("base")], repetitions=5, duration="400ms") as report:
        longer = round(0.05 * 1e9 / rate_of(report, "base"))
    held = 0
    for number in range(5):
        with run([server("base"), server("slowed", SPIN_NS + longer)], repetitions=12, duration="400ms") as report:
            cell, = compared(report, "--models", "base,slowed")
            each = 1e9 / rate_of(report, "base")
        expected = each / (each + longer)
        held += cell["low"] <= expected <= cell["high"]
        judge(f"{number + 1}: {longer} ns longer than {each:.0f} ns, so {100 * (expected - 1):+.1f} %; 12 trials of 400 ms a side",
              f"{cell['verdict']}, {100 * (cell['ratio'] - 1):+.1f} % "
              f"[{100 * (cell['low'] - 1):+.1f} %, {100 * (cell['high'] - 1):+.1f} %]",
              "slower", cell["verdict"] == "slower")
    judge("intervals that hold what was injected", f"{held} of 5", "4 or more", held >= 4)


if __name__ == "__main__":
    sys.exit(run_chosen(__doc__, (same, apart, slowed)))
