"""Charts of a comparison: the driver's verdicts and intervals, grey where nothing was told apart."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import drawing
import pytest
import synthetic
from matplotlib.colors import to_hex
from muxplots import comparison, style
from muxplots.layout import LAYOUTS
from muxplots.node import ReportError
from plots_folder import PLOTS
from support.patience import PATIENCE


def document() -> dict[str, Any]:
    """As `muxbench compare --format json` prints it."""
    def cell(name: str, verdict: str, ratio: float | None = None, width: float = 0.01) -> dict:
        told = {"cell": name, "metric": "requests_per_second", "better": "more", "base_trials": 5,
                "new_trials": 5, "verdict": verdict}
        if ratio is None:
            return told | {"reason": "not measured in the new report"}
        return told | {"ratio": ratio, "low": ratio - width, "high": ratio + width, "p": 0.01,
                       "adjusted_p": 0.03}

    return {
        "base": "a.json", "new": "b.json", "interval": "95 % Welch t on logarithms",
        "correction": "holm", "alpha": 0.05, "margin": 0.02, "across_hosts": False, "differences": [],
        "cells": [
            cell("poll/idle/idle:0/connections:100", "faster", 1.08),
            cell("poll/idle/idle:8000/connections:100", "slower", 0.91),
            cell("epoll_level/idle/idle:0/connections:100", "same", 1.001),
            cell("epoll_level/idle/idle:8000/connections:100", "inconclusive", 1.03, 0.06),
            cell("select/idle/idle:8000/connections:100", "missing"),
            cell("poll/connections/connections:8", "insufficient", 1.5, 0.4),
        ],
    }


def write(directory: Path, content: object) -> Path:
    path = directory / "comparison.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_one_chart_per_experiment_with_the_verdicts_of_the_driver(tmp_path: Path) -> None:
    loaded = comparison.load(write(tmp_path, document()))
    idle, connections = comparison.plan(loaded)
    assert idle.name == "comparison-idle-requests_per_second"
    assert connections.name == "comparison-connections-requests_per_second"
    assert "1 faster, 1 inconclusive, 1 same, 1 slower, of 4 cells." in idle.alt
    figure = idle.draw(LAYOUTS["screen"])
    marks = {line.get_gid(): line for line in figure.axes[0].lines if "/" in (line.get_gid() or "")}
    faster = marks["poll/idle/idle:0/connections:100-faster"]
    slower = marks["poll/idle/idle:8000/connections:100-slower"]
    assert faster.get_marker() == "^" and slower.get_marker() == "v"
    greys = [marks[name].get_markerfacecolor() for name in marks if not name.endswith("er")]
    assert {to_hex(grey) for grey in greys} == {comparison.UNDECIDED}
    low, high = drawing.one(figure, "band").get_extents().intervalx
    to_data = figure.axes[0].transData.inverted().transform
    assert to_data((low, 0))[0] == pytest.approx(1 / 1.02) and to_data((high, 0))[0] == pytest.approx(1.02)


def test_the_title_is_in_words_with_the_unit(tmp_path: Path) -> None:
    told = document()
    told["cells"][1] |= {"metric": "latency_p99_ns"}
    assert [chart.title for chart in comparison.plan(comparison.load(write(tmp_path, told)))] == [
        "Throughput (1/s) in idle: new over base", "p99 latency (ns) in idle: new over base",
        "Throughput (1/s) in connections: new over base",
    ]


def test_the_title_is_that_of_the_table_that_a_comparison_carries(tmp_path: Path) -> None:
    table = [one | {"title": "goodput", "unit": "ns"} for one in synthetic.metric_table()]
    told = document() | {"metrics": table}
    first = comparison.plan(comparison.load(write(tmp_path, told)))[0]
    assert first.title == "Goodput (ns) in idle: new over base"


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("theme", style.THEMES)
def test_texts_neither_overlap_nor_leave_the_page(tmp_path: Path, layout, theme: str) -> None:
    loaded = comparison.load(write(tmp_path, document()))
    with style.theme(theme):
        for chart in comparison.plan(loaded):
            figure = chart.draw(layout)
            assert drawing.overlaps(figure) == [] and drawing.clipped(figure) == []


def test_other_conditions_are_told(tmp_path: Path) -> None:
    loaded = comparison.load(write(tmp_path, document() | {"differences": ["kernel: 6.1 against 6.6"]}))
    words = drawing.words(comparison.plan(loaded)[0].draw(LAYOUTS["screen"]))
    assert "Measured under other conditions: kernel: 6.1 against 6.6." in words


@pytest.mark.parametrize("content, told", [
    ("{", "is not valid JSON"), ({"muxbench": {}}, "is JSON but no comparison"),
    (document() | {"cells": [{"cell": "a/b/c:1", "metric": "m", "verdict": "same", "ratio": 2,
                              "low": 3, "high": 4}]}, "a ratio above 0 within its interval"),
])
def test_what_is_no_comparison_is_refused(tmp_path: Path, content, told: str) -> None:
    with pytest.raises(ReportError, match=told):
        comparison.load(write(tmp_path, content))


def test_the_program_draws_and_refuses(tmp_path: Path) -> None:
    command = [sys.executable, str(PLOTS / "make_comparison.py")]
    path = write(tmp_path, document())
    result = subprocess.run([*command, str(path), "--format", "svg"], capture_output=True, text=True, timeout=PATIENCE)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"2 charts (svg) in {tmp_path}", "not drawn: 1 cell without a ratio",
    ]
    path.write_text("[]")
    result = subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=PATIENCE)
    assert result.returncode == 2 and result.stderr.count("\n") == 1 and result.stdout == ""
