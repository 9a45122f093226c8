#!/usr/bin/env python3
"""Does a run that is killed lose nothing but the trial under way? (docs/recovering-runs.md)

    bench/validation/kill_proofs.py [--times N] [--seed S]     (default: 50 times; about 25 minutes)

Each time a short run is killed (SIGKILL) at a random moment, resumed, killed once more if the second moment falls within it, and
resumed. The cells and trials of the report must be those of a run that was not killed, and what a journal had must not be measured
again. No process, cgroup, mounted network namespace or scratch folder may be left. The exit status is 1 if a claim is NOT MET.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import proofs
from proofs import BUILD, judge

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests"))
from support.patience import wait_until  # noqa: E402

MUXBENCH = BUILD / "bench" / "muxbench"
RUN = ("--profile", "quick", "--models", "epoll_level,fork_per_connection", "--experiments", "connections,stall",
       "--duration", "40ms", "--repetitions", "2", "--no-micro", "--no-charts", "--quiet", "--seed", "7")
LISTS = ("trials", "counting_trials", "twin_trials")


class Runs:
    """Runs with a place for their results and a scratch folder of their own."""

    def __init__(self, folder):
        self.scratch = folder / "tmp"
        self.scratch.mkdir()
        self.environment = {**os.environ, "TMPDIR": str(self.scratch)}
        self.pids = []
        self.mounted = mounted_namespaces()

    def start(self, *words):
        process = subprocess.Popen([MUXBENCH, "run", *words], env=self.environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        self.pids.append(process.pid)
        return process

    def left(self):
        """What runs that have ended left, by kind. A network namespace lasts as long as its processes, unless it is mounted."""
        left = {"processes": processes_of(self.scratch), "namespaces": mounted_namespaces() - self.mounted,
                "cgroups": [path for pid in self.pids for path in cgroups_of(pid)], "folders": list(self.scratch.glob("muxbench-*"))}
        return {kind: found for kind, found in left.items() if found}


def processes_of(folder):
    """That have this TMPDIR, as all that a run starts do."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"TMPDIR={folder}\0".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass  # it has ended, or is another user's
    return found


def mounted_namespaces():
    return {line for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines() if " - nsfs " in line}


def cgroups_of(pid):
    return [path for path in pathlib.Path("/sys/fs/cgroup").rglob(f"muxbench-{pid}-*") if path.is_dir()]


def matrix(report):
    cells = [(cell["id"], cell["status"]) for cell in report["cells"]]
    return cells, {name: sorted((trial["order"], trial["cell"], trial["repetition"]) for trial in report[name]) for name in LISTS}


def differences(report, expected):
    """From a whole run, as a text; empty if there is none."""
    (cells, trials), (all_cells, all_trials) = matrix(report), expected
    lists = {name: (set(trials[name]) ^ set(all_trials[name]), len(trials[name]) - len(all_trials[name])) for name in LISTS}
    found = [f"{name}: {apart}, {more} more" for name, (apart, more) in lists.items() if apart or more]
    found += [f"{cell}" for cell in set(cells) ^ set(all_cells)]
    found += [report["status"], *report["run"]["notes"]] if found or report["status"] != "complete" else []
    return "".join(f"\n  {what}" for what in found)


def started(report):
    return {(name, trial["order"]): trial["started_ns"] for name in LISTS for trial in report[name]}


def steps_of(journal):
    """(its list, its place in the order): when it started, of each trial that succeeded in a step that did."""
    found = {}
    for line in journal.split("\n")[1:-1]:
        outcomes = json.loads(line).get("step", {}).get("outcomes", [])
        if all(not outcome["result"]["error"] for outcome in outcomes):
            found.update({(LISTS[outcome["kind"]], outcome["result"]["order"]): outcome["result"]["started"] for outcome in outcomes})
    return found


def read_report(out):
    return json.loads((out / "report.json").read_text())["muxbench"]


def kill_and_resume(runs, out, moments):
    """Kills at each moment (seconds from a start) that falls within the run; the journal's last state, and how often it was killed."""
    kept, kills, words = {}, 0, (*RUN, "--out", str(out))
    for seconds in moments:
        process = runs.start(*words)
        try:
            process.wait(timeout=seconds)
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        wait_until(lambda: not processes_of(runs.scratch), "a killed driver leaves processes")
        text = (out / "journal.jsonl").read_text() if (out / "journal.jsonl").exists() else ""
        kept = steps_of(text) if "\n" in text else kept
        words = ("--resume", str(out)) if "\n" in text else words
    if not (out / "report.json").exists():
        process = runs.start(*words)
        _, errors = process.communicate()
        assert (out / "report.json").exists(), errors
    return kept, kills


def prove(times, seed):
    generator = random.Random(seed)
    same = again = clean = kills = 0
    with tempfile.TemporaryDirectory() as name:
        runs = Runs(pathlib.Path(name))
        whole = pathlib.Path(name) / "whole"
        began = time.monotonic()
        _, errors = runs.start(*RUN, "--out", str(whole)).communicate()
        took = time.monotonic() - began
        assert (whole / "report.json").exists(), errors
        expected = matrix(read_report(whole))
        for number in range(times):
            out = pathlib.Path(name) / f"out-{number}"
            kept, killed = kill_and_resume(runs, out, [generator.uniform(0, took), generator.uniform(0, took)])
            kills += killed
            report = read_report(out)
            differs = differences(report, expected)
            same += not differs
            again += sum(started(report).get(key) != when for key, when in kept.items())
            left = runs.left()
            clean += not left
            told = f"{number + 1}: killed {killed} times, {len(kept)} trials kept"
            print(told + (f", left: {left}" if left else "") + differs, flush=True)
    judge(f"of {times} runs that were killed {kills} times, those with the cells and trials of a whole one", same, times, same == times)
    judge("trials of a journal that were measured again", again, 0, again == 0)
    judge("runs that left no process, cgroup, namespace or scratch folder", clean, times, clean == times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1, help="of the moments (1)")
    options = parser.parse_args()
    prove(options.times, options.seed)
    return 0 if proofs.all_hold() else 1


if __name__ == "__main__":
    sys.exit(main())
