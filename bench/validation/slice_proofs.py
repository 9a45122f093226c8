#!/usr/bin/env python3
"""Do paired slices answer on a shared machine? (docs/method.md, "Slices that take turns")

    bench/validation/slice_proofs.py [PROOF ...] [--runs N] [--neighbour SHARE]

quick       two quick runs (4 minutes each): how well CPU time per request is known, whether the twin differs from itself, whether two
            runs rank the models alike, what `muxbench compare` can say of them, and whether large effects that are known are found
coverage    N runs with twelve instances of epoll_level: how often the 95 % interval of two equal servers holds 1
detection   N runs with a server that takes some 5 % more CPU time: how often it is found, and whether the interval holds what all
            runs together say
methods     the same models at the same points in slices and in windows of a second (15 minutes): CPU time per request, as a ratio to
            epoll_level, model by model

With --neighbour 0.3 another program burns 30 % of each CPU in bursts of 5 to 200 ms meanwhile. The exit status is 1 if a claim is NOT MET.
"""

import argparse
import collections
import contextlib
import itertools
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile

import proofs
from proofs import BUILD, judge

MUXBENCH = BUILD / "bench" / "muxbench"
EPOLL = BUILD / "servers" / "server_epoll_level"
CPU = "server_cpu_ns_per_request"
RATE = "requests_per_second"
# As a quick run has them, at two points of its experiments.
AS_QUICK = ("--experiments", "connections", "--duration", "110ms", "--repetitions", "3", "--no-counting")
INSTANCES = 12
COMPANY = "epoll_level,poll,libuv,asio_callback,uring_multishot,thread_per_connection"
KNOWN = (  # model, point, at least so many times epoll_level's CPU time per request
    ("poll", "idle/idle:2000/connections:100", 1.3),
    ("thread_per_connection", "connections/connections:128", 1.3),
    ("fork_per_connection", "connections/connections:128", 1.3),
    ("posix_aio", "connections/connections:128", 1.3),
)


@contextlib.contextmanager
def neighbour(share, seconds):
    if not share:
        yield
        return
    script = pathlib.Path(__file__).with_name("neighbour.py")
    other = subprocess.Popen([sys.executable, str(script), str(share), str(seconds)])
    try:
        yield
    finally:
        other.terminate()
        other.wait()


def run(options, *words):
    """The report of a run."""
    with tempfile.TemporaryDirectory() as folder, neighbour(options.neighbour, 600):
        out = pathlib.Path(folder) / "out"
        ended = subprocess.run([str(MUXBENCH), "run", "--no-micro", "--no-charts", "--quiet", "--out", str(out), *words],
                               stdout=subprocess.DEVNULL)
        if ended.returncode not in (0, 1):  # 1: a cell failed, and counts as one that is not known
            sys.exit(ended.returncode)
        path = options.keep / f"report-{len(list(options.keep.iterdir()))}.json"
        path.write_bytes((out / "report.json").read_bytes())
        return path, json.loads(path.read_text())["muxbench"]


def half_width(relative):
    return math.log(relative["high"] / relative["low"]) / 2


def holds_one(relative):
    return relative["low"] <= 1 <= relative["high"]


def sliced(report, metric=CPU):
    """The ratios to the reference, by cell; without the reference's own."""
    return {cell["id"]: cell["relative"][metric] for cell in report["cells"]
            if cell.get("method") == "slices" and cell["model"] != "epoll_level" and metric in cell.get("relative", {})}


def kendall(first, second):
    """Of two lists of values of the same things."""
    pairs = list(itertools.combinations(range(len(first)), 2))
    agree = sum((first[i] - first[j]) * (second[i] - second[j]) > 0 for i, j in pairs)
    return (2 * agree - len(pairs)) / len(pairs)


def share_text(part, whole):
    return f"{part} of {whole} ({100 * part / max(whole, 1):.0f} %)"


def judge_precision(report, name):
    measured = [cell for cell in report["cells"] if cell["status"] in ("measured", "failed") and cell["model"] != "epoll_level"]
    widths = [half_width(cell["relative"][CPU]) if CPU in cell.get("relative", {}) else math.inf for cell in measured]
    good = sum(width <= math.log(1.03) for width in widths)
    judge(f"{name}: CPU per request is known to 3 %",
          f"{share_text(good, len(widths))}, median {100 * statistics.median(widths):.1f} %", "90 %", good >= 0.9 * len(widths))
    apart = {twin["id"]: abs(math.log(twin["relative"][CPU]["ratio"])) for twin in report["twins"] if CPU in twin["relative"]}
    worst = max(apart, key=apart.get)
    judge(f"{name}: the twin is within 2 % of itself", f"{100 * apart[worst]:.1f} % at most, {worst}",
          "2 % at each point", apart[worst] <= 0.02)
    decided = collections.Counter()
    for table in report["verdicts"]:
        if table["metric"] == RATE:
            decided.update("".join(row[i + 1:] for i, row in enumerate(table["matrix"])))
    pairs = sum(decided.values())
    if pairs:
        done = sum(decided[letter] for letter in "fs=")
        print(f"{name}: pairs whose throughput is decided: {share_text(done, pairs)} (claimed of an idle machine: 70 %)")
    for model, place, least in KNOWN:
        found = sliced(report).get(f"{model}/{place}")
        judge(f"{name}: {model} at {place} takes more CPU than epoll_level",
              f"{found['ratio']:.2f} times" if found else "not measured", f"{least} times or more", bool(found) and found["low"] > least)


def window_share(report):
    """Of the time that the servers were measured, how much was load within measured windows."""
    rounds = [trial for trial in report["trials"] + report["twin_trials"] if "slices" in trial]
    windows = sum(sum(trial["slices"]["elapsed_ns"]) for trial in rounds)
    return windows / sum(trial["took_ns"] for trial in rounds)


def quick(options):
    reports = []
    for place, name in enumerate(("first", "second")):
        if options.reports:
            path = options.reports[place]
            report = json.loads(path.read_text())["muxbench"]
        else:
            path, report = run(options)
        reports.append((path, report))
        judge_precision(report, f"{name} quick run")
        print(f"{name} quick run: {100 * window_share(report):.0f} % of the rounds' time is load within measured windows")
    (first_path, first), (second_path, second) = reports
    ratios = [sliced(report) for _, report in reports]
    points = collections.defaultdict(list)
    for cell in set(ratios[0]) & set(ratios[1]):
        points[cell.split("/", 1)[1]].append(cell)
    taus = [kendall(*[[side[cell]["ratio"] for cell in cells] for side in ratios]) for cells in points.values()]
    each = ", ".join(f"{tau:.2f}" for tau in sorted(taus))
    judge("Kendall's tau of the two CPU rankings", f"{statistics.mean(taus):.2f} (each point: {each})", "0.8 or more",
          statistics.mean(taus) >= 0.8)
    told = subprocess.run([str(MUXBENCH), "compare", str(first_path), str(second_path), "--metrics", CPU, "--format", "json"],
                          stdout=subprocess.PIPE, text=True).stdout
    cells = [cell for cell in json.loads(told)["cells"] if cell["verdict"] not in ("reference", "missing")]
    known = [cell for cell in cells if cell["verdict"] in ("faster", "slower", "same") or
             (cell.get("ratio") and math.log(cell["high"] / cell["low"]) / 2 <= math.log(1.05))]
    judge("compare of the two says something of a cell's CPU time", share_text(len(known), len(cells)), "80 %",
          len(known) >= 0.8 * len(cells))


def instances(count, *extra):
    words = []
    for i in range(count):
        words += ["--server", f"same_{i}={EPOLL} --listen 127.0.0.1:{{port}}"]
    return [*words, *extra]


def coverage(options):
    found = []
    for _ in range(options.runs):
        _, report = run(options, *AS_QUICK, "--models", "epoll_level", *instances(INSTANCES))
        found += sliced(report).values()
    held = sum(map(holds_one, found))
    judge("intervals of equal servers that hold 1",
          f"{share_text(held, len(found))}, half width {100 * statistics.median(map(half_width, found)):.1f} %", "93 %",
          held >= 0.93 * len(found))


def detection(options):
    slower = ["--server", f"slower={EPOLL} --listen 127.0.0.1:{{port}} --work spin:{options.spin}"]
    found = []
    for _ in range(options.runs):
        _, report = run(options, *AS_QUICK, "--models", COMPANY, *slower)
        found.append(sliced(report)["slower/connections/connections:128"])
    true = math.exp(statistics.mean(math.log(one["ratio"]) for one in found))
    seen = sum(one["low"] > 1 for one in found)
    held = sum(one["low"] <= true <= one["high"] for one in found)
    judge(f"a server that takes {100 * (true - 1):.1f} % more CPU time is found", share_text(seen, len(found)), "9 of 10",
          seen >= 0.9 * len(found))
    judge("the interval holds that difference", share_text(held, len(found)), "9 of 10", held >= 0.9 * len(found))


def medians_of_windows(report):
    """By cell: the ratio of CPU time per request to the reference in the same repetition, the median; and the lowest and highest."""
    costs = {(trial["cell"], trial["repetition"]): trial["server"]["cpu_ns_per_request"] for trial in report["trials"]
             if trial["status"] == "ok"}
    ratios = collections.defaultdict(list)
    for (cell, repetition), cost in costs.items():
        model, point = cell.split("/", 1)
        reference = costs.get((f"epoll_level/{point}", repetition))
        if reference and model != "epoll_level":
            ratios[cell].append(cost / reference)
    return {cell: (statistics.median(values), min(values), max(values)) for cell, values in ratios.items()}


def methods(options):
    common = ("--experiments", "connections", "--no-counting")
    _, slices = run(options, *common, "--method", "slices", "--duration", "330ms", "--repetitions", "4")
    _, windows = run(options, *common, "--method", "trials", "--duration", "1s", "--repetitions", "5")
    ratios, long = sliced(slices), medians_of_windows(windows)
    print("| cell | slices: ratio (95 % interval) | windows of 1 s: median ratio (lowest to highest) | apart |\n|---|---|---|---|")
    agree = 0
    for cell in sorted(set(ratios) & set(long)):
        one, (ratio, low, high) = ratios[cell], long[cell]
        overlap = one["low"] <= high and low <= one["high"]
        agree += overlap
        print(f"| {cell} | {one['ratio']:.2f} ({one['low']:.2f} to {one['high']:.2f}) | {ratio:.2f} ({low:.2f} to {high:.2f}) "
              f"| {100 * (one['ratio'] / ratio - 1):+.1f} %{'' if overlap else ' (no overlap)'} |")
    both = len(set(ratios) & set(long))
    judge("cells whose slices and windows agree (the ranges overlap)", share_text(agree, both), "90 %", agree >= 0.9 * both)


def main():
    by_name = {proof.__name__: proof for proof in (quick, coverage, detection, methods)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proofs", nargs="*", metavar="PROOF", help=", ".join(by_name))
    parser.add_argument("--runs", type=int, default=10, help="of coverage and detection (10)")
    parser.add_argument("--neighbour", type=float, default=0, metavar="SHARE")
    parser.add_argument("--spin", default="450ns", help="what each request costs the slower server (450ns)")
    parser.add_argument("--reports", type=pathlib.Path, nargs=2, help="for quick: of runs that were made already")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for the reports")
    options = parser.parse_args()
    if unknown := [name for name in options.proofs if name not in by_name]:
        parser.error(f"no proof is called {unknown[0]}; there are {', '.join(by_name)}")
    with tempfile.TemporaryDirectory() as folder:
        options.keep = options.keep or pathlib.Path(folder)
        options.keep.mkdir(exist_ok=True)
        for name in options.proofs or by_name:
            by_name[name](options)
    return 0 if proofs.all_hold() else 1


if __name__ == "__main__":
    sys.exit(main())
