#!/usr/bin/env python3
"""Does `muxbench compare` tell what differs from what does not, on real runs?

    bench/compare_proofs.py [same] [slowed]     (default: both; about 2 minutes each)

same    20 comparisons of one server with itself: alarms, p below 0.05, must be no more than chance makes of the promised 5 %.
slowed  5 comparisons of a server with one that takes 5 % longer for each request: each must be found slower.

Each prints what it measured, what is claimed, and ok or NOT MET; the exit status is 1 if any was not met. They judge times, so they
want a machine with two CPUs at rest, and are no part of tests/run_all.sh.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(os.environ.get("MUXBENCH_BUILD", pathlib.Path(__file__).resolve().parents[1] / "build"))
MUXBENCH = BUILD / "bench" / "muxbench"
SPIN_NS = 20_000
met = True


def judge(what, measured, claimed, holds):
    global met
    met = met and holds
    print(f"{what}: {measured} (claimed: {claimed}): {'ok' if holds else 'NOT MET'}", flush=True)


def server(name, spin_ns):
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
        names = [text.split("=")[0] for text in servers]
        words = [word for text in servers for word in ("--server", text)]
        subprocess.run([MUXBENCH, "run", "--profile", "full", "--no-counting", "--quiet", "--models", ",".join(names),
                        "--experiments-dir", folder / "experiments", "--out", folder / "out", *words],
                       check=True, stdout=subprocess.DEVNULL)
        yield folder / "out" / "report.json"


def compared(report, base, new):
    told = subprocess.run([MUXBENCH, "compare", report, "--models", f"{base},{new}", "--format", "json"],
                          check=True, capture_output=True, text=True).stdout
    cell, = json.loads(told)["cells"]
    return cell


def same():
    """A binomial with n = 20 and 5 % has 3 or fewer in 98 of 100 cases."""
    pairs = [(f"a{i}", f"b{i}") for i in range(20)]
    with run([server(name, SPIN_NS) for pair in pairs for name in pair], repetitions=10, duration="200ms") as report:
        cells = [compared(report, *pair) for pair in pairs]
    alarms = sum(cell["p"] < 0.05 for cell in cells)
    widths = [cell["high"] / cell["low"] - 1 for cell in cells]
    judge("20 comparisons of a server with itself, 10 trials of 200 ms a side: alarms",
          f"{alarms} (intervals {100 * statistics.median(widths):.1f} % wide)", "3 at most", alarms <= 3)


def slowed():
    """Its rate says how long the server takes for a request, all in all; 5 % of that is spun on top."""
    with run([server("base", SPIN_NS)], repetitions=5, duration="400ms") as report:
        trials = json.loads(report.read_text())["muxbench"]["trials"]
    rate = statistics.median(trial["load"]["achieved"]["requests_per_second"] for trial in trials)
    longer = round(0.05 * 1e9 / rate)
    for number in range(5):
        with run([server("base", SPIN_NS), server("slowed", SPIN_NS + longer)], repetitions=12, duration="400ms") as report:
            cell = compared(report, "base", "slowed")
        judge(f"{number + 1}: {longer} ns longer than {1e9 / rate:.0f} ns, 12 trials of 400 ms a side",
              f"{cell['verdict']}, {100 * (cell['ratio'] - 1):+.1f} % [{100 * (cell['low'] - 1):+.1f} %, {100 * (cell['high'] - 1):+.1f} %]",
              "slower, by about 5 %", cell["verdict"] == "slower")


PROOFS = {proof.__name__: proof for proof in (same, slowed)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proofs", nargs="*", metavar="PROOF", help=", ".join(PROOFS))
    chosen = parser.parse_args().proofs or list(PROOFS)
    if unknown := [name for name in chosen if name not in PROOFS]:
        parser.error(f"no proof is called {unknown[0]}; there are {', '.join(PROOFS)}")
    for name in chosen:
        PROOFS[name]()
    sys.exit(0 if met else 1)
