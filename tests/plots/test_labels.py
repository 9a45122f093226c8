"""Names never overlap, whatever the number of models."""

import itertools
import random
from pathlib import Path

import drawing
import pytest
import synthetic
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from muxplots import charts, report
from muxplots.labels import LINE_HEIGHT, End, Scene, place, spread
from muxplots.layout import LAYOUTS, SCREEN

SWEPT = [synthetic.CONNECTIONS, synthetic.IDLE]
ONE_VALUE = [experiment | {"values": [64]} for experiment in SWEPT]
DENSE = [
    synthetic.CONNECTIONS | {"values": [2**exponent for exponent in range(14)]},
    synthetic.IDLE | {"values": [0, *(2**exponent for exponent in range(12))]},
]
STRANGERS = [f"model_of_ones_own_{number}" for number in range(30)]
LONG = ["a_model_whose_name_says_everything_about_it_and_then_some_more", *synthetic.ALL_MODELS]


@pytest.mark.parametrize("models", [
    pytest.param(["epoll_level"], id="1"),
    pytest.param(synthetic.SIX_MODELS, id="6", marks=pytest.mark.full),
    pytest.param(synthetic.ALL_MODELS[10:18], id="8", marks=pytest.mark.full),
    pytest.param(synthetic.ALL_MODELS[:9], id="9"),
    pytest.param(synthetic.ALL_MODELS, id="all"),
    pytest.param(STRANGERS, id="30-of-one-family", marks=pytest.mark.full),
    pytest.param(LONG, id="long-name"),
])
@pytest.mark.parametrize(
    "experiments", [SWEPT, DENSE, ONE_VALUE], ids=["swept", "dense", "one-value"]
)
def test_texts_neither_overlap_nor_leave_the_page(tmp_path: Path, models, experiments) -> None:
    document = synthetic.build(models, experiments)
    last = experiments[0]["values"][-1]
    for model in models[::3]:
        if len(models) > 1:
            synthetic.edit(document, model, last, status="skipped", reason="as a test of names")
    cost = "idle-cpu" if experiments is ONE_VALUE else "idle-cost"
    planned = {chart.name: chart for chart in charts.plan(report.load(synthetic.write(tmp_path, document)))[0]}
    for name in ("connections-throughput", "connections-p99", cost):
        if experiments is ONE_VALUE and len(models) == 1:
            assert name not in planned
            continue
        chart = planned[name].draw(SCREEN)
        assert drawing.overlaps(chart) == [], name
        assert drawing.clipped(chart) == [], name


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("metric", ["latency_p99_ns", "requests_per_second"])
@pytest.mark.parametrize("decades", [0, 1, 2, 4, 7])
def test_names_of_marks_stand_apart_however_far_the_values_reach(tmp_path: Path, layout, metric: str, decades: int) -> None:
    document = synthetic.build(["epoll_level", "thread_per_connection"], ONE_VALUE)
    for cell in document["muxbench"]["cells"]:
        if cell["model"] == "thread_per_connection" and cell["summary"]:
            cell["summary"][metric] = synthetic.statistic([cell["summary"][metric]["median"] * 10**decades] * 2)
    chart = drawing.draw(tmp_path, document, "connections-p99" if "latency" in metric else "connections-throughput", layout)
    assert drawing.overlaps(chart) == [] and drawing.clipped(chart) == []
    assert len([mark for mark in drawing.marks(chart.axes[0].xaxis) if mark.get_text()]) >= 2


def test_every_drawn_model_is_named_once(tmp_path: Path) -> None:
    document = synthetic.build(synthetic.ALL_MODELS)
    chart = drawing.draw(tmp_path, document, "connections-throughput")
    names = [text.get_text() for text in chart.texts]
    assert {model: names.count(model) for model in synthetic.ALL_MODELS} == dict.fromkeys(synthetic.ALL_MODELS, 1)


def test_lines_that_all_end_at_the_same_point_have_names_apart(tmp_path: Path) -> None:
    document = synthetic.build(synthetic.SIX_MODELS)
    for cell in document["muxbench"]["cells"]:
        if cell["summary"]:
            cell["summary"]["requests_per_second"] = synthetic.statistic([100.0, 100.0])
    assert drawing.overlaps(drawing.draw(tmp_path, document, "connections-throughput")) == []


def test_the_check_itself_sees_overlapping_and_clipped_text() -> None:
    page = Figure(figsize=(2, 2), dpi=72)
    page.text(0.2, 0.5, "one")
    assert drawing.overlaps(page) == [] and drawing.clipped(page) == []
    page.text(0.25, 0.52, "two")
    page.text(0.95, 0.1, "beyond the edge")
    assert drawing.overlaps(page) == [("two", "one")]
    assert drawing.clipped(page) == ["beyond the edge"]


def test_spread_leaves_alone_what_is_apart() -> None:
    assert spread([10, 30, 20], 10, 0, 100) == [10, 30, 20]


def test_spread_moves_a_cluster_evenly_to_both_sides() -> None:
    assert spread([50, 50, 50], 10, 0, 100) == [40, 50, 60]


def test_spread_moves_a_cluster_away_from_an_end() -> None:
    assert spread([98, 99, 100], 10, 0, 100) == [80, 90, 100]
    assert spread([0, 1], 10, 0, 100) == [0, 10]


def test_spread_says_when_there_is_no_room() -> None:
    with pytest.raises(ValueError, match="3 names"):
        spread([1, 2, 3], 10, 0, 19)


def test_spread_is_the_least_move_that_is_enough() -> None:
    dice = random.Random(7)
    grid = range(0, 41, 2)
    for _ in range(30):
        wanted = [float(dice.randrange(0, 41, 2)) for _ in range(3)]
        found = spread(wanted, 10, 0, 40)
        cost = sum((a - b) ** 2 for a, b in zip(wanted, found))
        by_height = sorted(found)
        assert all(b - a >= 10 - 1e-9 for a, b in itertools.pairwise(by_height))
        assert min(found) >= 0 and max(found) <= 40
        best = min(
            sum((a - b) ** 2 for a, b in zip(wanted, tried))
            for tried in itertools.product(grid, repeat=3)
            if all(b - a >= 10 for a, b in itertools.pairwise(sorted(tried)))
        )
        assert cost <= best + 1e-9, wanted


def test_a_name_inside_the_plot_stays_clear_of_markers_and_of_other_names() -> None:
    frame = Bbox.from_extents(0, 0, 300, 200)
    ends = [End(name, 50, 100, 60, at_edge=False) for name in ("a", "b", "c")]
    marks = [(50.0, 100.0), (80.0, 100.0)]
    places = place(ends, Scene(frame, marks=marks), column=310)
    assert not any(found.beside for found in places)
    found = [_box(one.left, one.middle, 60) for one in places]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(found, 2))
    assert not any(box.contains(x, y) for box in found for x, y in marks)


def test_a_name_that_fits_nowhere_inside_goes_beside_the_plot() -> None:
    frame = Bbox.from_extents(0, 0, 40, 100)
    (found,) = place([End("wide", 20, 50, 60, at_edge=False)], Scene(frame), column=50)
    assert found.beside and found.left == 50


def _box(left: float, middle: float, width: float) -> Bbox:
    half = LINE_HEIGHT / 2
    return Bbox.from_extents(left, middle - half, left + width, middle + half)
