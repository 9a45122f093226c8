"""Reports and folders that somebody else made: no text of them becomes a command or a path, and nothing is written elsewhere."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from driver_bench import MUXBENCH, REPOSITORY
from support.patience import PATIENCE

REPORT = REPOSITORY / "results" / "reference" / "report.json"
EVIL = ["../../evil", "$(touch evil)",
        *(pytest.param(name, marks=pytest.mark.full) for name in ("/tmp/evil", "`touch evil`", "; touch evil", "a\n- b | touch evil"))]

SHELLS = re.compile(r"""\b(?:system|popen)\(|"(?:/bin/)?(?:ba|da)?sh"|os\.system|os\.popen|shell=True|\bwordexp\(""")
SOURCES = [path for folder in ("bench/driver", "bench/micro", "core", "loadgen", "plots", "servers") for pattern in ("*.cpp", "*.h", "*.py")
           for path in sorted((REPOSITORY / folder).rglob(pattern))]


def test_no_program_starts_a_shell():
    """But for the opener of the page: its script is a constant, and the path is a line that the script reads."""
    assert len(SOURCES) > 300
    found = [f"{path}: {line}" for path in SOURCES if path.name != "page_opener.cpp"
             for line in path.read_text().splitlines() if SHELLS.search(line)]
    assert not found


def with_name(name, target):
    """The reference report, whose first experiment and its cells have that name."""
    text = REPORT.read_text()
    report = json.loads(text)
    old = report["muxbench"]["experiments"][0]["name"]
    report["muxbench"]["experiments"][0]["name"] = name
    for part in ("cells", "trials", "twins", "twin_trials"):
        for entry in report["muxbench"].get(part, []):
            for key in ("id", "cell", "experiment"):
                if isinstance(entry.get(key), str):
                    entry[key] = re.sub(rf"(^|/){old}(/|$)", lambda match: match[1] + name + match[2], entry[key])
    target.write_text(json.dumps(report))


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("command", [
    [sys.executable, REPOSITORY / "plots" / "make_charts.py", "report.json", "--out", "charts"],
    [sys.executable, REPOSITORY / "plots" / "make_report.py", "report.json", "--out", "report.html"],
    [MUXBENCH, "export", "report.json", "--to", "csv"],
    [MUXBENCH, "compare", "report.json", "report.json"],
], ids=["charts", "page", "export", "compare"])
def test_a_name_in_a_report_is_no_path_and_no_command(tmp_path, name, command):
    place = tmp_path / "a" / "b" / "c"
    place.mkdir(parents=True)
    with_name(name, place / "report.json")
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=place)
    assert result.returncode == 2, result.stdout + result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not list(tmp_path.rglob("evil*"))
    outside = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_relative_to(place)]
    assert not outside


@pytest.mark.parametrize("link", [".report.json.part", ".summary.md.part", ".writable"])
def test_a_link_in_the_output_folder_leads_nowhere(bench, link):
    bench.server("good")
    bench.out.mkdir()
    precious = bench.folder / "precious"
    precious.write_text("keep me")
    (bench.out / link).symlink_to(precious)
    bench.run("--duration", "20ms", "--repetitions", "1", "--no-counting")
    assert precious.read_text() == "keep me"


def test_a_journal_that_is_a_link_is_not_followed(bench):
    precious = bench.folder / "precious"
    precious.write_text("keep me")
    bench.out.mkdir()
    (bench.out / "journal.jsonl").symlink_to(precious)
    for command in (["report", bench.out], ["run", "--resume", bench.out]):
        result = subprocess.run([MUXBENCH, *command], capture_output=True, text=True, timeout=PATIENCE)
        assert result.returncode == 2 and len(result.stderr.splitlines()) == 1, result.stderr
        assert precious.read_text() == "keep me"
    shutil.rmtree(bench.out)
