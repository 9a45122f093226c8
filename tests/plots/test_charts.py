"""Which charts a report gives, and what they show: honest axes, spread, hollow points, gaps."""

import copy
import re
from pathlib import Path
from typing import Any

import drawing
import pytest
import synthetic
from matplotlib.collections import LineCollection
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from muxplots import charts, report, style
from muxplots.axes import Across, log_marks

LINEAR = ["connections-throughput", "connections-cpu", "idle-throughput", "idle-p99"]


# test_single_charts.py is about these.
SINGLE = re.compile("overview|drift|syscalls|.*-(percentiles|cpu-split|memory)")


def planned(directory: Path, document: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The charts of sweeps, and what there is nothing to draw for."""
    found, absent = charts.plan(report.load(synthetic.write(directory, document)))
    return (
        [chart.name for chart in found if not SINGLE.match(chart.name)],
        [str(one) for one in absent if not SINGLE.match(one.name)],
    )


def marks_of(chart: Figure) -> tuple[list[str], list[str]]:
    """The names of the marks on the first plot's axes."""
    chart.draw_without_rendering()
    across, up = (
        [label.get_text() for label in drawing.marks(axis) if label.get_text()]
        for axis in (chart.axes[0].xaxis, chart.axes[0].yaxis)
    )
    return across, up


def test_a_report_of_two_experiments_gives_six_charts(tmp_path: Path, document) -> None:
    names, absent = planned(tmp_path, document)
    assert names == [
        "connections-throughput", "connections-p99", "connections-cpu",
        "idle-throughput", "idle-p99", "idle-cost",
    ]
    assert absent == []


@pytest.mark.parametrize("models", [synthetic.SIX_MODELS, synthetic.ALL_MODELS], ids=["6", "all"])
def test_a_quantity_starts_at_zero(tmp_path: Path, models) -> None:
    found = drawing.draw_all(tmp_path, synthetic.build(models))
    for name in LINEAR:
        for axes in found[name].axes:
            assert axes.get_yscale() == "linear" and axes.get_ylim()[0] == 0, name
    assert found["connections-throughput"].axes[0].get_xscale() == "log"


def test_latency_that_spans_decades_and_idle_cost_are_logarithmic_and_say_so(
    tmp_path: Path, document
) -> None:
    found = drawing.draw_all(tmp_path, document)
    for name, title in (("connections-p99", "p99 latency"), ("idle-cost", "CPU per request")):
        assert found[name].axes[0].get_yscale() == "log", name
        assert f"{title} (log scale)" in drawing.words(found[name])
    assert "latency (log scale)" not in drawing.words(found["idle-p99"])
    assert "Idle connections (log scale)" in drawing.words(found["idle-p99"])


def test_nothing_drawn_leaves_the_limits_of_its_axes(tmp_path: Path, document) -> None:
    for name, chart in drawing.draw_all(tmp_path, document).items():
        if SINGLE.match(name):
            continue
        bottom, top = chart.axes[0].get_ylim()
        cells = document["muxbench"]["cells"]
        key = {"throughput": "requests_per_second", "p99": "latency_p99_ns"}.get(
            name.split("-")[1], "server_cpu_ns_per_request"
        )
        mine = [cell["summary"][key] for cell in cells
                if cell["experiment"] == name.split("-")[0] and cell["summary"]]
        assert bottom <= min(one["min"] for one in mine), name
        assert top >= max(one["max"] for one in mine), name


def test_axes_name_their_units(tmp_path: Path, document) -> None:
    found = drawing.draw_all(tmp_path, document)
    assert "Throughput (1/s)" in drawing.words(found["idle-throughput"])
    assert "Server CPU per request (µs)" in drawing.words(found["connections-cpu"])
    assert "p99 latency (ms)" in drawing.words(found["idle-p99"])
    across, up = marks_of(found["connections-throughput"])
    assert across == ["1", "8", "64", "256", "1k"]
    assert up == ["0", "50k", "100k", "150k", "200k"]
    across, up = marks_of(found["idle-cost"])
    assert across == ["0", "100", "1k", "8k"]
    assert "10 µs" in up and len(up) >= 3


def test_band_is_lowest_to_highest_and_the_caption_says_so(tmp_path: Path, document) -> None:
    chart = drawing.draw(tmp_path, document, "connections-throughput")
    colour = drawing.looks(document)["epoll_level"].colour
    (band,) = [
        one for one in chart.axes[0].collections
        if len(one.get_facecolor()) and same_color(one.get_facecolor()[0][:3], colour)
    ]
    corners = {(round(x), round(y)) for x, y in band.get_paths()[0].vertices}
    for cell in document["muxbench"]["cells"]:
        if cell["model"] == "epoll_level" and cell["experiment"] == "connections":
            spread = cell["summary"]["requests_per_second"]
            at = cell["point"]["connections"]
            assert {(at, round(spread["min"])), (at, round(spread["max"]))} <= corners
    assert "median of 5 repetitions; band or bar: lowest to highest" in drawing.words(chart)


def test_flagged_cells_are_hollow_and_only_those(tmp_path: Path, document) -> None:
    noisy = [{"kind": "noisy", "detail": "throughput varies by 14 % between trials"}]
    synthetic.edit(document, "poll", 256, flags=noisy)
    chart = drawing.draw(tmp_path, document, "connections-throughput")
    hollow, filled = drawing.one(chart, "poll-flagged"), drawing.one(chart, "poll-points")
    assert list(hollow.get_xdata()) == [256]
    assert list(filled.get_xdata()) == [1, 8, 64, 1000]
    assert hollow.get_markerfacecolor() == style.PAGE
    assert hollow.get_markeredgecolor() == drawing.looks(document)["poll"].colour
    assert filled.get_markerfacecolor() == drawing.looks(document)["poll"].colour
    assert drawing.artists(chart, "epoll_level-flagged") == []
    assert "Hollow: flagged (noisy)." in drawing.words(chart)


def test_a_gap_is_not_bridged(tmp_path: Path, document) -> None:
    synthetic.edit(document, "poll", 64, status="failed", reason="the server died")
    axes = drawing.draw(tmp_path, document, "connections-throughput").axes[0]
    colour = drawing.looks(document)["poll"].colour
    strokes = [list(line.get_xdata()) for line in axes.lines
               if line.get_color() == colour and line.get_linestyle() == "-"]
    assert [1, 8] in strokes and [256, 1000] in strokes
    assert all(64 not in stroke and not {8, 256} <= set(stroke) for stroke in strokes)


def test_zero_stands_left_of_the_smallest_value_behind_a_dotted_stretch(tmp_path, document) -> None:
    chart = drawing.draw(tmp_path, document, "idle-cost")
    at = drawing.one(chart, "poll-points").get_xdata()
    assert list(at[1:]) == [100, 1000, 8000] and 0 < at[0] < 100
    dotted = [line.get_xdata() for line in chart.axes[0].lines if line.get_linestyle() == ":"]
    assert {tuple(stretch) for stretch in dotted} == {(at[0], 100)}


def test_idle_cost_falls_back_to_latency_where_no_cpu_was_measured(tmp_path, document) -> None:
    for cell in document["muxbench"]["cells"]:
        cell["summary"].pop("server_cpu_ns_per_request", None)
    names, absent = planned(tmp_path, document)
    assert "idle-cost" in names and "connections-cpu" not in names
    assert absent == ["connections-cpu (none of its cells has a value of server CPU per request)"]
    chart = drawing.draw(tmp_path, document, "idle-cost")
    assert "Mean latency (log scale)" in drawing.words(chart)


def test_any_swept_count_gets_charts_named_by_its_experiment(tmp_path: Path) -> None:
    pipeline = {"name": "deep", "question": "Is it faster?", "parameter": "pipeline"}
    pipeline["values"] = [1, 4, 16, 64]
    document = synthetic.build(experiments=[pipeline])
    names, absent = planned(tmp_path, document)
    assert names == ["deep-throughput", "deep-p99", "deep-cpu"]
    assert absent == ["idle-cost (no experiment sweeps idle)"]
    words = drawing.words(drawing.draw(tmp_path, document, "deep-cpu"))
    assert "Requests in flight per connection" in words


@pytest.mark.parametrize("metric, first, others", [
    ("requests_per_second", "throughput", ["p99", "cpu"]),
    ("latency_p99_ns", "p99", ["throughput", "cpu"]),
    ("latency_mean_ns", "mean", ["throughput", "p99", "cpu"]),
    ("server_memory_bytes", "bytes", ["throughput", "p99", "cpu"]),
])
def test_the_chart_that_answers_an_experiment_comes_first(tmp_path, metric, first, others) -> None:
    document = synthetic.build(experiments=[synthetic.CONNECTIONS | {"metric": metric}])
    assert planned(tmp_path, document)[0] == [f"connections-{kind}" for kind in (first, *others)]
    drawing.draw(tmp_path, document, f"connections-{first}").draw_without_rendering()


def test_an_open_loop_of_an_older_report_is_answered_by_its_p99(tmp_path: Path) -> None:
    document = synthetic.build(experiments=[synthetic.RATE])
    assert planned(tmp_path, document)[0] == ["latency-p99", "latency-cpu"]
    document["muxbench"]["experiments"][0]["metric"] = "latency_p50_ns"
    assert planned(tmp_path, document)[0] == ["latency-p50", "latency-p99", "latency-cpu"]


def test_experiments_that_are_not_charts_are_told(tmp_path: Path, document) -> None:
    section = document["muxbench"]
    del section["experiments"][0]["parameter"], section["experiments"][0]["sweep"]
    for cell in section["cells"]:
        if cell["experiment"] == "idle":
            cell["point"]["idle"] = "many"
    names, absent = planned(tmp_path, document)
    assert names == []
    assert absent == [
        "connections (it sweeps nothing)", "idle (its idle is not a count in every cell)",
    ]


TWO_KEYS = {
    "name": "grid", "question": "Do both matter?", "parameter": "idle", "values": [0, 1000],
}


def two_keys() -> dict[str, Any]:
    """An experiment over idle and active connections: as 1.2 has it, without a parameter."""
    document = synthetic.build(["poll", "epoll_level"], [TWO_KEYS])
    section = document["muxbench"]
    del section["experiments"][0]["parameter"]
    section["experiments"][0]["sweep"] = {"idle": [0, 1000], "connections": [100, 200]}
    more = copy.deepcopy([section["cells"], section["trials"]])
    for cell in more[0]:
        cell["id"] = cell["id"].replace("connections:100", "connections:200")
        cell["point"]["connections"] = 200
    for one in more[1]:
        one["cell"] = one["cell"].replace("connections:100", "connections:200")
        one["order"] += len(more[1])
    section["cells"] += more[0]
    section["trials"] += more[1]
    return document


def test_a_sweep_over_two_keys_has_no_lines_and_charts_of_its_largest_point(tmp_path: Path) -> None:
    document = two_keys()
    assert planned(tmp_path, document)[1] == [
        "grid (it sweeps idle and connections, and a chart has one axis across)",
    ]
    found = drawing.draw_all(tmp_path, document)
    assert set(found) == {
        "overview-throughput", "overview-p99", "overview-cpu", "grid-cpu-split", "drift",
    }
    assert "grid: idle 1000, connections 200" in drawing.words(found["grid-cpu-split"])
    # As 1.1 had it: with the first of its keys as the parameter.
    old = synthetic.older(document)
    old["muxbench"]["experiments"][0]["parameter"] = "idle"
    assert set(drawing.draw_all(tmp_path, old)) == set(found)


def test_one_swept_key_needs_no_parameter_and_a_parameter_no_sweep(tmp_path: Path, document) -> None:
    names = planned(tmp_path, document)[0]
    for key in ("parameter", "sweep"):
        lacking = copy.deepcopy(document)
        for experiment in lacking["muxbench"]["experiments"]:
            del experiment[key]
        assert planned(tmp_path, lacking)[0] == names != []


def test_two_cells_at_one_point_are_no_chart(tmp_path: Path, document) -> None:
    section = document["muxbench"]
    section["cells"] += [cell for cell in section["cells"] if cell["model"] == "poll"]
    assert planned(tmp_path, document)[1] == [
        "connections (it has several cells of poll at connections 1)",
        "idle (it has several cells of poll at idle 0)",
    ]


def test_only_skipped_cells_are_told(tmp_path: Path, document) -> None:
    for model in synthetic.SIX_MODELS:
        synthetic.edit(document, model, status="skipped", reason="no descriptors")
    names, absent = planned(tmp_path, document)
    assert names == []
    assert absent == ["connections (every cell is skipped)", "idle (every cell is skipped)"]


def test_a_single_value_becomes_rows_from_zero(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "epoll_level"], [synthetic.CONNECTIONS | {"values": [64]}])
    chart = drawing.draw(tmp_path, document, "connections-throughput")
    assert chart.axes[0].get_xlim()[0] == 0
    median = document["muxbench"]["cells"][0]["summary"]["requests_per_second"]["median"]
    assert list(drawing.one(chart, "poll-points").get_xdata()) == [median]
    assert "Active connections: 64 · synthetic" in drawing.words(chart)
    assert "Marker: median of 5 repetitions; bar: lowest to highest." in drawing.words(chart)


def test_the_dot_of_one_model_is_no_chart(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "epoll_level"], [synthetic.CONNECTIONS | {"values": [64]}])
    for cell in document["muxbench"]["cells"]:
        if cell["model"] == "poll":
            del cell["summary"]["latency_p99_ns"]
    names, absent = planned(tmp_path, document)
    assert names == ["connections-throughput", "connections-cpu"]
    assert "connections-p99 (only epoll_level has a value of p99 latency)" in absent


def test_one_value_of_idle_has_no_cost_curve(tmp_path: Path) -> None:
    document = synthetic.build(experiments=[synthetic.IDLE | {"values": [0]}])
    names, absent = planned(tmp_path, document)
    assert names == ["idle-throughput", "idle-p99", "idle-cpu"]
    assert absent == []


def test_through_three_values_there_are_no_lines_but_rows_from_the_best_on(tmp_path: Path) -> None:
    document = synthetic.build(experiments=[synthetic.CONNECTIONS | {"values": [1, 8, 64]}])
    synthetic.edit(document, "epoll_level", 64, flags=[{"kind": "errors", "detail": "2 requests failed"}])
    chart = drawing.draw(tmp_path, document, "connections-throughput")
    assert len(chart.axes) == 3
    medians = {
        cell["model"]: cell["summary"]["requests_per_second"]["median"]
        for cell in document["muxbench"]["cells"] if cell["point"]["connections"] == 64 and cell["summary"]
    }
    rows = {
        (line.get_gid() or "").rsplit("-", 1)[0]: (line.get_ydata()[0], line.get_xdata()[0])
        for line in chart.axes[-1].lines
    }
    order = sorted(rows, key=lambda model: rows[model][0])
    assert order[-1] == "epoll_level" and "epoll_level-flagged" in {line.get_gid() for line in chart.axes[-1].lines}
    assert order[:-1] == sorted(set(medians) - {"epoll_level"}, key=lambda model: -medians[model])
    assert {model: value for model, (_, value) in rows.items()} == medians
    words = drawing.words(chart)
    assert words.startswith("Throughput How does a server") and "Active connections: 64" in words


def test_many_models_get_panels_by_family_with_the_others_behind(tmp_path: Path) -> None:
    chart = drawing.draw(tmp_path, synthetic.build(synthetic.ALL_MODELS), "idle-throughput")
    assert len(chart.axes) == 10  # three for readiness, two for completion and two for libraries; the blocking family is skipped
    for axes in chart.axes:
        (behind,) = [one for one in axes.collections if isinstance(one, LineCollection)]
        named = [line for line in axes.lines if (line.get_gid() or "").endswith("-points")]
        assert same_color(behind.get_color()[0], style.BEHIND)
        assert len(behind.get_segments()) + len(named) == len(synthetic.ALL_MODELS) - 2 and len(named) <= 6
    assert len({axes.get_ylim() for axes in chart.axes}) == 1
    words = drawing.words(chart)
    assert "Grey: all other models." in words
    assert "Thread and polling" in words and "Readiness, 3 of 3" in words


def test_a_median_of_zero_stands_on_a_linear_axis_and_is_absent_from_a_logarithmic_one(
    tmp_path: Path, document
) -> None:
    for cell in document["muxbench"]["cells"]:
        if cell["model"] == "poll":
            cell["summary"]["server_cpu_ns_per_request"] = synthetic.statistic([0.0, 0.0, 10.0])
    found = drawing.draw_all(tmp_path, document)
    assert list(drawing.one(found["connections-cpu"], "poll-points").get_ydata()) == [0] * 5
    assert drawing.artists(found["idle-cost"], "poll-points") == []
    assert "No server CPU per request: poll." in drawing.words(found["idle-cost"])


def test_marks_too_close_to_name_give_way_to_round_ones() -> None:
    across = Across([1, 2, 4, 8, 10, 16, 32, 64, 100, 128, 256, 512, 1000])
    assert across.named(1000) == list(across.values)
    narrow = across.named(120)
    assert {1, 10, 100, 1000} <= set(narrow) and len(narrow) < 8


@pytest.mark.parametrize("low, high, expected", [
    (1, 1e4, [1, 10, 100, 1000, 1e4]), (4, 41, [5, 7, 10, 20, 30]), (9, 11, [10]),
])
def test_logarithmic_marks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert log_marks(low, high) == pytest.approx(expected)
