"""A broken file ends in one sentence that names the cause and the remedy."""

import copy
import json
from pathlib import Path

import pytest
import synthetic
from muxplots.node import ReportError
from muxplots.report import load

GOOD = synthetic.build(["poll"], [synthetic.IDLE])


def refusal(path: Path) -> str:
    with pytest.raises(ReportError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    assert "; " in message, "the remedy is missing"
    return message


def refusal_of(directory: Path, content: str | bytes) -> str:
    path = directory / "report.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return refusal(path)


def test_a_good_report_loads(tmp_path: Path) -> None:
    loaded = load(synthetic.write(tmp_path, GOOD))
    assert [one.name for one in loaded.experiments] == ["idle"]
    assert [cell.point["idle"] for cell in loaded.cells] == [0, 100, 1000, 8000]
    spread = loaded.cells[0].summary["requests_per_second"]
    assert spread.n == 5 and spread.low <= spread.median <= spread.high


@pytest.mark.parametrize("version", ["1.0", "1.7", "1.10"])
def test_newer_minor_versions_load_with_what_they_add(tmp_path: Path, version: str) -> None:
    report = copy.deepcopy(GOOD)
    report["muxbench"] |= {"schema_version": version, "weather": "fine"}
    report["muxbench"]["cells"][0]["summary"]["new_statistic"] = [1, 2, 3]
    assert len(load(synthetic.write(tmp_path, report)).cells) == 4


@pytest.mark.parametrize("version", ["2.0", "0.9", "10.0", "next", "1", "1.", "1.banana", "1.1.1", "1.1\n", "1.\u0661", " 1.1"])
def test_other_major_versions_are_refused(tmp_path: Path, version: str) -> None:
    report = copy.deepcopy(GOOD)
    report["muxbench"]["schema_version"] = version
    assert f"schema version {json.dumps(version)}" in refusal(synthetic.write(tmp_path, report))


def test_a_missing_file(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "nowhere.json")


def test_a_directory(tmp_path: Path) -> None:
    assert "Is a directory" in refusal(tmp_path)


@pytest.mark.parametrize("content", [
    "", "{", "not json", b"\xff\xfe\x00", "[" * 100_000, '{"muxbench": NaN}',
    json.dumps(GOOD)[:-100],
], ids=["empty", "open", "words", "bytes", "deep", "nan", "cut"])
def test_what_is_not_json(tmp_path: Path, content: str | bytes) -> None:
    assert "is not valid JSON" in refusal_of(tmp_path, content)


def test_json_that_is_something_else(tmp_path: Path) -> None:
    assert "no muxbench report" in refusal_of(tmp_path, '{"context": {}, "benchmarks": []}')
    assert "the file should be an object" in refusal_of(tmp_path, "[1, 2]")


@pytest.mark.parametrize("place, value, told", [
    (["schema_version"], 1, "muxbench.schema_version should be a string"),
    (["cells"], {}, "muxbench.cells should be a list"),
    (["cells"], None, "muxbench.cells should be a list"),
    (["cells", 2, "point"], 7, "muxbench.cells[2].point should be an object"),
    (["cells", 0, "model"], None, "muxbench.cells[0].model should be a string"),
    (["cells", 1, "flags"], ["noisy"], "muxbench.cells[1].flags[0] should be an object"),
    (["cells", 0, "summary", "requests_per_second", "median"], "12 k/s",
     "muxbench.cells[0].summary.requests_per_second.median should be a number"),
    (["cells", 0, "summary", "requests_per_second", "max"], -5,
     "muxbench.cells[0].summary.requests_per_second should be numbers with min <= median <= max"),
    (["cells", 0, "summary", "requests_per_second", "n"], True, "n should be an integer"),
    (["experiments", 0, "name"], "../../etc/passwd",
     "muxbench.experiments[0].name should be a name of letters, digits"),
    (["experiments", 0, "repetitions"], "five", "repetitions should be an integer"),
    (["host"], "me", "muxbench.host should be an object"),
])
def test_a_part_of_the_wrong_shape_is_named(tmp_path: Path, place, value, told: str) -> None:
    report = copy.deepcopy(GOOD)
    target = report["muxbench"]
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    assert told in refusal(synthetic.write(tmp_path, report))


@pytest.mark.parametrize("key", ["schema_version", "cells", "experiments"])
def test_a_part_that_is_not_there_is_named(tmp_path: Path, key: str) -> None:
    report = copy.deepcopy(GOOD)
    del report["muxbench"][key]
    assert f"muxbench.{key} should be there" in refusal(synthetic.write(tmp_path, report))


def test_a_number_beyond_every_axis(tmp_path: Path) -> None:
    text = json.dumps(GOOD).replace('"median": ', '"median": 1e999, "was": ', 1)
    assert "median should be a number of ordinary size" in refusal_of(tmp_path, text)
    text = json.dumps(GOOD).replace('"median": ', f'"median": {"9" * 400}, "was": ', 1)
    assert "median should be a number of ordinary size" in refusal_of(tmp_path, text)
