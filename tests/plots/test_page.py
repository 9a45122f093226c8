"""The HTML report without a browser: the program, its bytes, and reports that lack things."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import synthetic
from muxplots import metrics, report
from muxplots.html import page
from muxplots.node import ReportError
from plots_folder import PLOTS
from support.patience import RUN_PATIENCE

PROGRAM = PLOTS / "make_report.py"
SMALL = synthetic.build(["poll", "epoll_level"], [synthetic.IDLE], repetitions=2)
VOID = {"meta", "link", "input", "br", "path", "use"}


class Balanced(HTMLParser):
    """Fails where an element is closed that is not the last one opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, (tag, self.getpos())


def test_no_line_ends_within_the_name_of_an_option() -> None:
    written = page.sentence("run it with --experiments unix; `--profile full` -- has **all**")
    assert written == (
        "run it with <span class=option>--experiments</span> unix; "
        "<code><span class=option>--profile</span> full</code> -- has <strong>all</strong>"
    )


def built(directory: Path, document: dict) -> str:
    text = page.build(report.load(synthetic.write(directory, document)), "report.json")
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    return text


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=RUN_PATIENCE
    )


def test_the_page_lands_beside_the_report_with_the_same_bytes_every_time(tmp_path: Path) -> None:
    written = synthetic.write(tmp_path, SMALL)
    result = run(written, PYTHONHASHSEED="1", TZ="UTC")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"page: {tmp_path}/report.html\n"
    first = (tmp_path / "report.html").read_bytes()
    assert run(written, "--quiet", PYTHONHASHSEED="2", TZ="Asia/Tokyo").stdout == ""
    assert (tmp_path / "report.html").read_bytes() == first
    assert b'href="report.json"' in first


def test_the_link_to_the_raw_data_is_relative(tmp_path: Path) -> None:
    written = synthetic.write(tmp_path, SMALL, "my run.json")
    assert run(written, "--out", tmp_path / "web" / "index.html").returncode == 0
    assert 'href="../my%20run.json"' in (tmp_path / "web" / "index.html").read_text()


@pytest.mark.parametrize("content, told", [
    ("{", "is not valid JSON"), ('{"a": 1}', "no muxbench report"),
])
def test_a_broken_file_is_one_sentence_and_exit_2(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "report.json").write_text(content)
    result = run(tmp_path / "report.json")
    assert result.returncode == 2 and result.stdout == "" and result.stderr.count("\n") == 1
    assert result.stderr.startswith("make_report: ") and told in result.stderr
    assert not (tmp_path / "report.html").exists()


def test_findings_are_those_of_the_report_and_nobody_elses(tmp_path: Path) -> None:
    document = synthetic.build(["poll"], [synthetic.IDLE], repetitions=2)
    assert "carries no findings" in built(tmp_path, document)
    document["muxbench"]["findings"] = []
    assert "Nothing that the trials of this run support." in built(tmp_path, document)
    document["muxbench"]["findings"] = [
        {"kind": "flagged", "experiment": "idle", "text": "poll flagged as noisy."},
        {"kind": "best", "experiment": "idle", "text": "Best is **poll**, by `all`."},
    ]
    text = built(tmp_path, document)
    assert "<li>Best is <strong>poll</strong>, by <code>all</code>.</li>" in text
    assert "Flagged, skipped or missing: 1" in text


def embedded(text: str) -> dict:
    """What the page's script is given of verdicts."""
    return json.loads(re.search(r'<script type="application/json" id="verdicts">(.*?)</script>', text)[1])


def test_the_page_carries_the_verdicts_of_the_report_and_computes_none(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "epoll_level"], [synthetic.IDLE], repetitions=2)
    synthetic.add_verdicts(document)
    before = built(tmp_path, document)
    told = embedded(before)
    assert "no verdicts" not in before and told["models"] == [["poll", "epoll_level"]]
    assert len(told["tables"]) == len(document["muxbench"]["verdicts"]) == 4 * 6
    at = "latency_p99_ns idle: idle 1000, connections 100"
    # Whatever the order of a point's keys.
    point = {"connections": 100, "idle": 1000}
    for letter in "fs=?-x.":
        synthetic.edit_verdict(document, "latency_p99_ns", point, "epoll_level", "poll", letter)
        table = embedded(built(tmp_path, document))["tables"][at]
        assert table == [0, told["tables"][at][1], f"{letter}."]
    assert built(tmp_path, document) != before


def test_a_report_without_verdicts_names_the_command(tmp_path: Path) -> None:
    for document in (SMALL, synthetic.older(SMALL)):
        text = built(tmp_path, document)
        assert "This report has no verdicts; <code>muxbench compare REPORT --models A,B</code> gives them." in text
        assert embedded(text)["tables"] == {}
    assert "no verdicts" not in built(tmp_path, synthetic.build(["poll"], [synthetic.IDLE], repetitions=2))


def test_verdicts_of_another_shape_are_refused(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "epoll_level"], [synthetic.IDLE], repetitions=2)
    synthetic.add_verdicts(document)
    document["muxbench"]["verdicts"][3]["matrix"] = [".f", "s"]
    with pytest.raises(ReportError, match=r"verdicts\[3\].matrix should be a row for each model"):
        built(tmp_path, document)


def test_only_skipped_cells_still_make_a_page(tmp_path: Path) -> None:
    document = synthetic.build(["poll"], [synthetic.IDLE])
    synthetic.edit(document, "poll", status="skipped", reason="too few descriptors")
    document["muxbench"]["status"] = "interrupted"
    text = built(tmp_path, document)
    assert "skipped: too few descriptors" in text and "<svg" not in text
    assert "idle (every cell is skipped)" in text and "The run was interrupted" in text


def test_one_cell_and_a_newer_version_still_make_a_page(tmp_path: Path) -> None:
    document = synthetic.build(["poll"], [synthetic.IDLE | {"values": [0]}], repetitions=1)
    section = document["muxbench"]
    section |= {"schema_version": "1.9", "weather": ["fine"]}
    section["host"]["mood"] = {"good": True}
    section["run"]["git"] = {"revision": "abc", "dirty": True}
    del section["plan"], section["experiments"][0]["load"]
    text = built(tmp_path, document)
    assert text.count("<tr") == text.count("</tr>") and "abc with changes" in text


def test_models_that_are_not_available_are_listed_with_their_reason(tmp_path: Path) -> None:
    document = synthetic.build(["poll"], [synthetic.IDLE], repetitions=2)
    document["muxbench"]["models"].append(
        {"name": "uring_poll", "available": False, "reason": "io_uring is < off >"}
    )
    assert "io_uring is &lt; off &gt;" in built(tmp_path, document)


@pytest.mark.parametrize("value, unit, written", [
    (191234.5, "1/s", "191 k"), (12, "1/s", "12"), (1_234_567, "1/s", "1.23 M"),
    (40_800, "ns", "40.8 µs"), (999, "ns", "999 ns"), (3 << 20, "bytes", "3.00 MiB"),
    (0, "ns", "0 ns"), (0.25, "1/s", "0.25"),
])
def test_numbers_have_three_digits_and_a_unit(value: float, unit: str, written: str) -> None:
    assert metrics.show(value, unit) == written


@pytest.mark.parametrize(
    ("low", "high", "written"),
    [(21_800, 28_400, "21.8 – 28.4 k"), (900, 1200, "900 ns – 1.20 µs"), (17, 19, "17 – 19")],
)
def test_a_range_has_its_unit_once(tmp_path: Path, low: float, high: float, written: str) -> None:
    document = synthetic.build(["poll"], [synthetic.IDLE | {"values": [0]}], repetitions=2)
    metric = "latency_p50_ns" if "ns" in written else "requests_per_second"
    summary = document["muxbench"]["cells"][0]["summary"]
    summary[metric] = synthetic.statistic([low, high])
    assert f"<small>{written}</small>" in built(tmp_path, document)


def test_settings_of_the_host_are_written_for_people(tmp_path: Path) -> None:
    document = synthetic.build(["poll"], [synthetic.IDLE], repetitions=2)
    document["muxbench"]["host"]["sysctls"] = {"net.core.somaxconn": "4096", "fs.nr_open": "1048576"}
    text = built(tmp_path, document)
    assert "net.core.somaxconn: 4096; fs.nr_open: 1048576" in text
