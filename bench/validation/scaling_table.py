#!/usr/bin/env python3
"""What a second worker is worth, and one for each CPU: throughput with N workers as a multiple of that with one.

    bench/validation/scaling_table.py [--rounds 7] [--spin 300us] [--seconds 1]

For each request a worker spins until --spin of wall-clock time have passed, so that the load generator and the kernel's network
stack, which run on the same CPUs, take little of what the workers share. Nothing is pinned. Each round starts every server
afresh, in random order, and gives one ratio for each model and number of workers; the table has their median, smallest and largest."""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys

from speed_table import BUILD


def describe(program):
    return json.loads(subprocess.run([program, "--describe"], capture_output=True, text=True, check=True).stdout)


def models_with_workers():
    """{name: does each worker serve one client at a time?}"""
    found = {}
    for program in sorted((BUILD / "servers").glob("server_*")):
        said = describe(program)
        if said["available"] and said["capabilities"]["workers"]:
            found[said["name"]] = said["capabilities"]["one_client_per_worker"]
    if not found:
        raise SystemExit(f"scaling_table.py: no programs in {BUILD}/servers; build everything first")
    return found


def requests_per_second(name, workers, connections, options):
    server = subprocess.Popen([BUILD / "servers" / f"server_{name}", "--workers", str(workers), "--work", f"spin:{options.spin}"],
                              stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        if not line:
            raise SystemExit(f"scaling_table.py: {name} did not start; try server_{name} --workers {workers} by hand")
        done = subprocess.run([BUILD / "loadgen/loadgen", "--target", json.loads(line)["address"],
                               "--connections", str(connections), "--warmup", "100ms",
                               "--duration", f"{int(options.seconds * 1000)}ms", "--json", "-"],
                              stdout=subprocess.PIPE, text=True)
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()
    if done.returncode != 0:
        raise SystemExit(f"scaling_table.py: the load on {name} failed, see above")
    return json.loads(done.stdout)["achieved"]["requests_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--spin", default="300us")
    parser.add_argument("--seconds", type=float, default=1)
    options = parser.parse_args()
    cpus = len(os.sched_getaffinity(0))
    if cpus < 2:
        raise SystemExit("scaling_table.py: with one CPU there is nothing to scale to")
    models = models_with_workers()
    steps = sorted({1, 2, cpus})
    ratios = {(name, workers): [] for name in models for workers in steps[1:]}
    for number in range(options.rounds):
        rates = {}
        runs = [(name, workers) for name in models for workers in steps]
        for name, workers in random.sample(runs, len(runs)):
            connections = workers if models[name] else 16 * cpus
            rates[name, workers] = requests_per_second(name, workers, connections, options)
        for (name, workers), seen in ratios.items():
            seen.append(rates[name, workers] / rates[name, 1])
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
    print(f"{cpus} CPUs, {options.spin} of work for each request, {options.rounds} rounds of {options.seconds:g} s\n")
    print("| model | workers | times one worker | smallest | largest |\n|---|---|---|---|---|")
    for (name, workers), seen in ratios.items():
        print(f"| {name} | {workers} | {statistics.median(seen):.2f} | {min(seen):.2f} | {max(seen):.2f} |")


if __name__ == "__main__":
    main()
