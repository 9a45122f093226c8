"""muxbench export: each form as its consumer documents it, read by that consumer where Debian has it."""

import csv
import importlib.util
import io
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import synthetic
from support.patience import PATIENCE, RUN_PATIENCE

ROOT = Path(__file__).resolve().parents[2]
MUXBENCH = Path(os.environ.get("MUXBENCH_BUILD", ROOT / "build")) / "bench" / "muxbench"
STAND_INS = Path(__file__).parent / "stand_ins"
COMPARE = Path("/usr/share/benchmark/compare.py")  # of libbenchmark-tools
POLL = "poll/idle/idle:8000/connections:100"

# https://bencher.dev/docs/reference/bencher-metric-format
BMF = {
    "type": "object",
    "patternProperties": {".+": {
        "type": "object",
        "patternProperties": {".+": {
            "type": "object",
            "properties": {key: {"type": "number"} for key in ("value", "lower_value", "upper_value")},
            "required": ["value"],
        }},
    }},
}
# https://github.com/benchmark-action/github-action-benchmark, "customBiggerIsBetter"
GITHUB_ACTION = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string"}, "unit": {"type": "string"}, "value": {"type": "number"},
            "range": {"type": "string"}, "extra": {"type": "string"},
        },
        "required": ["name", "unit", "value"],
        "additionalProperties": False,
    },
}


def export(report: Path, form: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(MUXBENCH), "export", str(report), "--to", form, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def exported(report: Path, form: str, *words: str) -> str:
    result = export(report, form, *words)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


@pytest.fixture
def document() -> dict:
    document = synthetic.build(["poll", "epoll_level", "select"], [synthetic.IDLE])
    synthetic.edit(document, "select", 8000, status="skipped", reason='it ends at "1024", so')
    noisy = [{"kind": "noisy", "detail": "throughput varies by 14 %"}]
    synthetic.edit(document, "epoll_level", 100, flags=noisy)
    return document


@pytest.fixture
def report(tmp_path: Path, document: dict) -> Path:
    return synthetic.write(tmp_path, document)


def cell_of(document: dict, name: str) -> dict:
    return next(cell for cell in document["muxbench"]["cells"] if cell["id"] == name)


def test_csv_is_a_row_for_each_cell(report: Path, document: dict) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(report, "csv"))))
    assert [row["cell"] for row in rows] == [cell["id"] for cell in document["muxbench"]["cells"]]
    mine = next(row for row in rows if row["cell"] == POLL)
    rate = cell_of(document, POLL)["summary"]["requests_per_second"]
    for key in ("median", "mean", "stddev", "min", "max"):
        assert float(mine[f"requests_per_second_{key}"]) == pytest.approx(rate[key])
    skipped = next(row for row in rows if row["status"] == "skipped")
    assert skipped["reason"] == 'it ends at "1024", so' and skipped["latency_p99_ns_median"] == ""
    assert [row["flags"] for row in rows if row["flags"]] == ["noisy"]


def test_bmf_is_what_bencher_documents(report: Path, document: dict) -> None:
    benchmarks = json.loads(exported(report, "bmf"))
    jsonschema.validate(benchmarks, BMF)
    p99 = cell_of(document, POLL)["summary"]["latency_p99_ns"]
    assert benchmarks[POLL]["latency-p99"] == pytest.approx(
        {"value": p99["median"], "lower_value": p99["min"], "upper_value": p99["max"]}
    )
    assert {"latency", "throughput"} <= set(benchmarks[POLL])
    assert all(len(name) <= 1024 for name in benchmarks)
    assert all(re.fullmatch("[a-z0-9-]{1,64}", one) for mine in benchmarks.values() for one in mine)
    # No alert for what is not ranked, and nothing of what was not measured.
    assert "epoll_level/idle/idle:100/connections:100-bencher-ignore" in benchmarks
    assert len(benchmarks) == 11


def test_github_action_has_a_file_for_each_direction(report: Path, document: dict) -> None:
    smaller = json.loads(exported(report, "github-action"))
    bigger = json.loads(exported(report, "github-action-bigger"))
    for entries in (smaller, bigger):
        jsonschema.validate(entries, GITHUB_ACTION)
        assert len({entry["name"] for entry in entries}) == len(entries)
        assert not [entry for entry in entries if "epoll_level/idle/idle:100/" in entry["name"]]
    assert {entry["unit"] for entry in bigger} == {"requests/s"} and len(bigger) == 10
    assert {entry["unit"] for entry in smaller} == {"ns", "bytes"} and len(smaller) == 40
    rate = cell_of(document, POLL)["summary"]["requests_per_second"]
    mine = next(entry for entry in bigger if entry["name"] == f"{POLL} throughput")
    assert mine["value"] == pytest.approx(rate["median"]) and mine["range"].startswith("± ")


def test_openmetrics_follows_the_grammar(report: Path, document: dict) -> None:
    text = exported(report, "openmetrics")
    lines = text.split("\n")
    assert lines[-2:] == ["# EOF", ""]
    types = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert len(types) == len(set(types)) == 6
    current = ""
    for line in lines[:-2]:
        if line.startswith("# "):
            keyword, name, rest = line[2:].split(" ", 2)
            assert keyword in ("TYPE", "UNIT", "HELP")
            if keyword == "TYPE":
                current = name
                assert rest == "gauge"
            assert name == current
            assert keyword != "UNIT" or name.endswith(f"_{rest}")
        else:
            found = re.fullmatch(r'([a-z0-9_]+)\{([a-z_]+="[^"\\\n]*",?)+\} (\S+)', line)
            assert found and found[1] == current and float(found[3]) >= 0, line
    p99 = cell_of(document, POLL)["summary"]["latency_p99_ns"]["median"]
    wanted = (
        'muxbench_latency_p99_seconds{model="poll",experiment="idle",flags="",idle="8000",'
        'connections="100",statistic="median"} '
    )
    (line,) = [line for line in lines if line.startswith(wanted)]
    assert float(line.removeprefix(wanted)) == pytest.approx(p99 / 1e9)


def test_prometheus_reads_openmetrics(report: Path) -> None:
    parser = pytest.importorskip(
        "prometheus_client.openmetrics.parser",
        reason="missing tool: apt-get install python3-prometheus-client",
    )
    families = list(parser.text_string_to_metric_families(exported(report, "openmetrics")))
    assert len(families) == 6 and all(family.type == "gauge" for family in families)
    assert all(len(family.samples) == 3 * 11 for family in families)


def test_hgrm_is_the_percentiles_of_one_cell(report: Path, document: dict) -> None:
    text = exported(report, "hgrm", "--cell", POLL)
    first, blank, *rest = text.splitlines()
    assert first.split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"] and blank == ""
    rows = [line.split() for line in rest if not line.startswith("#")]
    columns = [[float(row[place]) for row in rows] for place in range(3)]
    assert all(column == sorted(column) for column in columns)
    assert rows[-1][1] == "1.000000000000" and rows[-1][3] == "inf"
    trials = [one for one in document["muxbench"]["trials"] if one["cell"] == POLL]
    count = sum(one["load"]["latency_ns"]["count"] for one in trials)
    assert int(rows[-1][2]) == count
    notes = [line for line in rest if line.startswith("#")]
    assert [note[:6] for note in notes] == ["#[Mean", "#[Max ", "#[Buck"]
    highest = max(one["load"]["latency_ns"]["histogram"]["buckets"][-1][0] for one in trials)
    assert math.isclose(float(rows[-1][0]), highest / 1e6, rel_tol=2e-3)


def test_hgrm_asks_for_a_cell_and_names_one(report: Path) -> None:
    for words in ((), ("--cell", "poll/idle/none")):
        result = export(report, "hgrm", *words)
        assert result.returncode == 2 and result.stdout == "" and result.stderr.count("\n") == 1
        assert "such as poll/idle/idle:0/connections:100" in result.stderr
    assert export(report, "csv", "--cell", POLL).returncode == 2


def test_markdown_has_findings_and_tables(report: Path, document: dict) -> None:
    text = exported(report, "markdown")
    # An older report carries no findings: they are computed from it.
    assert "More server CPU per request than epoll_level: poll from idle 1000 to 8000" in text
    assert "Skipped, so not ranked: select at idle 8000" in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1 and len(table) == 2 + 11
    # And the findings of a newer one are repeated as they are.
    document["muxbench"]["findings"] = [
        {"kind": "best", "experiment": "idle", "text": "As **told** in the report."}
    ]
    report.write_text(json.dumps(document))
    again = exported(report, "markdown")
    assert "- As **told** in the report.\n" in again and "More server CPU" not in again


FORMS = ["csv", "markdown", "bmf", "github-action", "github-action-bigger", "openmetrics"]


@pytest.mark.parametrize("form", FORMS)
def test_only_skipped_cells_and_newer_versions_export(tmp_path: Path, form: str) -> None:
    document = synthetic.build(["poll"], [synthetic.IDLE])
    synthetic.edit(document, "poll", status="skipped", reason="no descriptors")
    document["muxbench"] |= {"schema_version": "1.9", "weather": ["fine"]}
    text = exported(synthetic.write(tmp_path, document), form)
    assert text.endswith("\n")


@pytest.mark.parametrize("content, told", [
    ("{", "expected JSON"), ("[1]", "no muxbench report"), ('{"muxbench": {}}', "no muxbench report"),
    ('{"muxbench": {"schema_version": "2.0"}}', 'schema version "2.0"'),
    ('{"muxbench": {"schema_version": "1.1"}}', "not a muxbench report as documented"),
], ids=["open", "list", "empty", "newer", "hollow"])
@pytest.mark.parametrize("form", [*FORMS, "hgrm"])
def test_a_broken_file_is_one_sentence_and_exit_2(tmp_path: Path, form, content, told) -> None:
    (tmp_path / "report.json").write_text(content)
    result = export(tmp_path / "report.json", form)
    assert result.returncode == 2 and result.stdout == "", result
    assert result.stderr.count("\n") == 1 and told in result.stderr


def test_a_missing_file_and_an_unknown_form_are_refused(tmp_path: Path, report: Path) -> None:
    assert "cannot read" in export(tmp_path / "none.json", "csv").stderr
    assert "yaml" in export(report, "yaml").stderr and export(report, "yaml").returncode == 2


def test_google_benchmarks_own_compare_reads_two_reports(tmp_path: Path, document: dict) -> None:
    if not COMPARE.exists():
        pytest.skip("missing tool: apt-get install libbenchmark-tools")
    slower = synthetic.build(["poll", "epoll_level", "select"], [synthetic.IDLE], seed=2)
    for entry in slower["benchmarks"]:
        if entry["name"].startswith(POLL):
            entry["real_time"] *= 2
    paths = [synthetic.write(tmp_path, one, name) for one, name in
             ((document, "a.json"), (slower, "b.json"))]
    command = [sys.executable, str(COMPARE), "--no-color", "benchmarks", *map(str, paths)]
    stand_ins = {} if importlib.util.find_spec("scipy") else {"PYTHONPATH": str(STAND_INS)}
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=RUN_PATIENCE, env=os.environ | stand_ins
    )
    assert result.returncode == 0, result.stderr
    rows = [line.split() for line in result.stdout.splitlines() if line.startswith(f"{POLL}/real_time ")]
    assert len(rows) == 5 and all(float(row[1]) > 0.7 for row in rows), result.stdout
    assert any(line.startswith(f"{POLL}/real_time_pvalue") for line in result.stdout.splitlines())
