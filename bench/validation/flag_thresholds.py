#!/usr/bin/env python3
"""How near do trials come to the thresholds of the flags, when nothing is wrong? (docs/validity.md)

    build/bench/muxbench run --profile quick --experiments connections,idle --no-counting --out /tmp/run
    bench/validation/flag_thresholds.py /tmp/run/report.json

A line for each flag that has a threshold and can be raised by this report: what it looks at, in the trials or cells. A threshold
in the middle of what is printed would flag what happens by itself.
"""

import json
import statistics
import sys


def line(flag, what, values, threshold):
    if not values:
        return
    twentieths = statistics.quantiles(values, n=20, method="inclusive") if len(values) > 1 else values * 19
    print(f"{flag} ({threshold}): {what}, n = {len(values)}: lowest {min(values):.1%}, 5 of 100 below {twentieths[0]:.1%}, "
          f"median {statistics.median(values):.1%}, 5 of 100 above {twentieths[-1]:.1%}, highest {max(values):.1%}")


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__.strip())
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    try:
        with open(sys.argv[1]) as file:
            section = json.load(file)["muxbench"]
        # A round of slices has no window; its disturbed slices are left out instead of flagged.
        trials = [trial for trial in section["trials"] if trial["status"] == "ok" and trial.get("method") != "slices"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"flag_thresholds.py: {sys.argv[1]} is no report of a muxbench run ({type(error).__name__}: {error})", file=sys.stderr)
        return 2

    if not trials:
        print("No cell of this report was measured in windows, which these flags are of: run with --method trials.")
        return 0
    closed = [trial["load"] for trial in trials if trial["load"]["asked"]["mode"] == "closed"]
    opened = [trial["load"] for trial in trials if trial["load"]["asked"]["mode"] == "open"]

    def in_flight(load):
        asked = load["asked"]["connections"] * load["asked"]["pipeline"]
        return load["achieved"]["requests_per_second"] * load["latency_ns"]["mean"] / 1e9 / asked

    def waited(key, threads):
        return [t[key] / t["load"]["achieved"]["duration_ns"] / threads(t) for t in trials if key in t]

    line("little_law", "requests in flight, of those asked for", [in_flight(load) for load in closed], "flagged below 80 %")
    for rate in sorted({load["asked"]["rate"] for load in opened}):
        line("rate_not_reached", f"answered of {rate} a second that were due",
             [load["achieved"]["requests_per_second"] / rate for load in opened if load["asked"]["rate"] == rate],
             "flagged below 95 %")
    line("starved_server", "share of the window that a server with one thread waited for its CPU",
         waited("server_waited_ns", lambda trial: 1), "flagged above 5 %")
    line("starved_load", "share of the window that the load generator waited for its CPU",
         waited("load_waited_ns", lambda trial: max(len(trial["load"]["cpu"]["threads"]), 1)), "flagged above 5 %")
    line("saturated_load", "load of the generator's least busy thread",
         [min(thread["utilisation"] for thread in t["load"]["cpu"]["threads"]) for t in trials if t["load"]["cpu"]["threads"]],
         "flagged above 95 %, if the server has time left")
    throughputs = [cell.get("summary", {}).get("requests_per_second", {"n": 0}) for cell in section["cells"]
                   if cell.get("method") != "slices"]
    line("noisy", "coefficient of variation of a cell's throughput",
         [each["stddev"] / each["mean"] for each in throughputs if each["n"] > 1], "flagged above 10 %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
