"""bench/validation/flag_thresholds.py: what it says of a report is what the report holds."""

import json
import pathlib
import re
import subprocess
import sys
from support.patience import PATIENCE

ROOT = pathlib.Path(__file__).resolve().parents[2]
BY_TRIALS = ROOT / "tests" / "data" / "report-1.1.json"  # by trials alone


def run(*arguments):
    return subprocess.run([sys.executable, ROOT / "bench" / "validation" / "flag_thresholds.py", *arguments],
                          capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_a_line_for_each_flag_that_this_report_can_have():
    told = run(BY_TRIALS)
    assert told.returncode == 0, told.stderr
    assert [line.split(" ")[0] for line in told.stdout.splitlines()] == ["little_law", "starved_load", "saturated_load", "noisy"]
    trials = [trial for trial in json.loads(BY_TRIALS.read_text())["muxbench"]["trials"] if trial["status"] == "ok"]
    waited = max(trial["load_waited_ns"] / trial["load"]["achieved"]["duration_ns"] for trial in trials)
    assert re.search(rf"^starved_load .* n = {len(trials)}: .* highest {waited:.1%}$", told.stdout, re.MULTILINE)


def test_an_open_loop_is_told_for_each_rate(tmp_path):
    report = json.loads(BY_TRIALS.read_text())
    trials = report["muxbench"]["trials"] = report["muxbench"]["trials"][:4]
    for trial, rate in zip(trials, (100, 100, 200, 200), strict=True):
        trial["load"]["asked"] |= {"mode": "open", "rate": rate}
        trial["load"]["achieved"]["requests_per_second"] = 90
    (tmp_path / "r.json").write_text(json.dumps(report))
    told = run(tmp_path / "r.json").stdout
    assert "answered of 100 a second that were due, n = 2: lowest 90.0%" in told
    assert "answered of 200 a second that were due, n = 2: lowest 45.0%" in told
    assert "little_law" not in told


def test_rounds_of_slices_are_left_out():
    told = run(ROOT / "results" / "reference" / "report.json")
    assert told.returncode == 0, told.stderr
    assert told.stdout == "No cell of this report was measured in windows, which these flags are of: run with --method trials.\n"


def test_what_is_no_report_is_refused(tmp_path):
    (tmp_path / "r.json").write_text("{}")
    for path in (tmp_path / "r.json", tmp_path / "absent", ROOT / "README.md"):
        told = run(path)
        assert told.returncode == 2 and told.stdout == "" and f"{path} is no report of a muxbench run" in told.stderr
    assert run().returncode == 2
