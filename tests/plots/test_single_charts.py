"""Charts beside the swept ones: costs, percentiles, drift, overview, knees, fits."""

from pathlib import Path
from typing import Any

import drawing
import pytest
import synthetic
from matplotlib.figure import Figure
from muxplots import bars, charts, drift, heat, metrics, percentiles, report, style, trials
from muxplots.layout import LAYOUTS, shrink
from test_synthetic import errors

FULL = [synthetic.CONNECTIONS, synthetic.IDLE]


@pytest.fixture
def counted() -> dict[str, Any]:
    document = synthetic.build([*synthetic.SIX_MODELS, "asio_callback", "nonblocking_spin"])
    synthetic.add_counts(document)
    synthetic.add_fits(document)
    return document


def loaded(directory: Path, document: dict[str, Any]) -> report.Report:
    return report.load(synthetic.write(directory, document))


def widths(chart: Figure, model: str) -> dict[str, float]:
    """The parts of a model's bar."""
    prefix = f"{model}-"
    found = chart.axes[0].patches
    return {one.get_gid()[len(prefix):]: one.get_width() for one in found
            if (one.get_gid() or "").startswith(prefix)}


def test_the_made_up_extras_are_valid(counted) -> None:
    assert errors(counted) == []
    assert errors(synthetic.build(["poll"], [synthetic.RATE], repetitions=1)) == []


def test_a_full_report_gives_every_chart(tmp_path: Path, counted) -> None:
    planned, absent = charts.plan(loaded(tmp_path, counted))
    assert absent == []
    assert [chart.name for chart in planned] == [
        "overview-throughput", "overview-p99", "overview-cpu",
        *(f"connections-{kind}" for kind in (
            "throughput", "p99", "cpu", "cpu-split")),
        *(f"idle-{kind}" for kind in ("throughput", "p99", "cost", "cpu-split", "memory")),
        "syscalls", "drift",
    ]
    assert all(chart.alt for chart in planned)


def test_system_calls_are_stacked_by_name_with_eagain_hatched(tmp_path: Path, counted) -> None:
    chart = drawing.draw(tmp_path, counted, "syscalls")
    assert widths(chart, "epoll_level") == {"recvfrom": 1.0, "sendto": 1.0}
    assert widths(chart, "uring_completion") == {"io_uring_enter": 0.05}
    assert widths(chart, "asio_callback") == {
        "recvfrom": 1.0, "recvfrom-hatched": 1.0, "sendto": 1.0,
    }
    hatched = [one for one in chart.axes[0].patches if one.get_hatch()]
    assert {one.get_gid() for one in hatched} == {
        "asio_callback-recvfrom-hatched", "nonblocking_spin-recvfrom-hatched",
    }
    words = drawing.words(chart)
    assert "EAGAIN" in words and "Counted by BPF by cgroup in a pass of its own." in words
    assert "connections: connections 1000" in words
    assert "Elsewhere: blocking_iterative at connections 1." in words


def test_one_bar_that_dwarfs_the_others_is_cut_off_and_says_its_number(tmp_path, counted) -> None:
    chart = drawing.draw(tmp_path, counted, "syscalls")
    assert chart.axes[0].get_xlim()[1] == pytest.approx(4.5)
    assert drawing.one(chart, "nonblocking_spin-sum").get_text() == "… 61.0"
    assert drawing.one(chart, "asio_callback-sum").get_text() == "3.00"
    assert bars._limit([5.0, 4.0]) > 5 and bars._limit([0.0]) == 1.0
    assert bars._limit([300.0, 1.0, 2.0, 100.0, 1.5]) == 3.0  # of two that dwarf the others


def test_without_counts_nothing_is_drawn_as_zero(tmp_path: Path, document) -> None:
    _, absent = charts.plan(loaded(tmp_path, document))
    told = [str(one) for one in absent]
    assert "syscalls (no cell has counts of system calls)" in told
    assert "idle-memory (memory per connection was not measured)" in told


def test_cpu_is_split_into_medians_of_user_and_system(tmp_path: Path, counted) -> None:
    synthetic.edit(counted, "poll", flags=[{"kind": "noisy", "detail": "so"}])
    chart = drawing.draw(tmp_path, counted, "idle-cpu-split")
    parts = widths(chart, "epoll_level")
    mine = [one for one in counted["muxbench"]["trials"]
            if one["cell"] == "epoll_level/idle/idle:8000/connections:100"]
    users = sorted(one["server"]["cpu"]["user_ns"] / one["load"]["requests"] for one in mine)
    assert parts["user"] == pytest.approx(users[2]) and parts["system"] > parts["user"]
    hollow = [one for one in chart.axes[0].patches if (one.get_gid() or "").startswith("poll-")]
    assert all(one.get_facecolor()[:3] == (1, 1, 1) for one in hollow)
    assert "Hollow: flagged." in drawing.words(chart)


def test_no_split_where_the_kernel_did_not_tell(tmp_path: Path, document) -> None:
    for one in document["muxbench"]["trials"]:
        del one["server"]["cpu"]["user_ns"], one["server"]["cpu"]["system_ns"]
    _, absent = charts.plan(loaded(tmp_path, document))
    assert "idle-cpu-split (no trial tells user from system time)" in map(str, absent)


def test_memory_per_connection_is_the_drivers_fit_or_what_was_measured(tmp_path, counted) -> None:
    chart = drawing.draw(tmp_path, counted, "idle-memory")
    assert widths(chart, "poll") == {"process": pytest.approx(140)}
    assert drawing.one(chart, "poll-sum").get_text().endswith("140 B")
    assert "slope of a line" in drawing.words(chart)
    for cell in counted["muxbench"]["cells"]:
        if cell["model"] == "poll" and cell["experiment"] == "idle":
            for who, size in (("process", 128.0), ("kernel", 2048.0)):
                cell["summary"][f"{who}_bytes_per_connection"] = synthetic.statistic([size])
    chart = drawing.draw(tmp_path, counted, "idle-memory")
    assert widths(chart, "poll") == {"process": 128, "kernel": 2048}
    assert drawing.artists(chart, "epoll_level-sum") == []


def histogram(*buckets: tuple[int, int]) -> trials.Trial:
    return trials.Trial("", 0, 1.0, 1, None, None, buckets)


def test_percentiles_are_medians_over_trials_and_not_of_all_samples_together() -> None:
    slow = [histogram((400, 900), (800, 100))]
    fast = [histogram((100, 900), (200, 100)), histogram((110, 900), (210, 100))]
    points = dict(zip(*percentiles.quantiles([*slow, *fast])))
    assert points[2] == 110 and points[10] == 110 and points[100] == 210


def test_percentiles_reach_as_deep_as_ten_samples_of_each_trial_lie_beyond() -> None:
    deep, shallow = histogram((100, 900), (200, 90), (300, 9010)), histogram((100, 900), (200, 90), (300, 10))
    x, y = percentiles.quantiles([deep, shallow])
    assert x[0] == 2 and x[-1] == 100 and list(y) == sorted(y)
    # One with too few samples for a median has none in tables either.
    assert percentiles.quantiles([shallow, histogram((100, 19)), histogram()]) == percentiles.quantiles([shallow])
    assert percentiles.quantiles([histogram((100, 19))]) is None
    assert percentiles.quantiles([]) is None


def test_percentiles_agree_with_tables(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "epoll_level"], [synthetic.RATE])
    rate = 150_000
    for cell in document["muxbench"]["cells"]:
        mine = [one for one in document["muxbench"]["trials"] if one["cell"] == cell["id"]]
        for place, one in enumerate(mine):
            one["load"]["latency_ns"]["histogram"]["buckets"] = [[1000 + place, 980], [5000 - 7 * place, 20]]
        cell["summary"]["latency_p99_ns"] = synthetic.statistic([5000 - 7 * place for place in range(len(mine))])
    chart = drawing.draw(tmp_path, document, "latency-percentiles")
    line = drawing.one(chart, "poll-line")
    (cell,) = [one for one in document["muxbench"]["cells"]
               if one["model"] == "poll" and one["point"]["rate"] == rate]
    assert dict(zip(line.get_xdata(), line.get_ydata()))[100] == cell["summary"]["latency_p99_ns"]["median"]
    assert "Line: median of trials at each percentile, as deep as each has 10 samples beyond it." in drawing.words(chart)


def test_percentiles_of_flagged_cells_are_dashed(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "epoll_level"], [synthetic.RATE])
    synthetic.edit(document, "poll", 150_000, flags=[{"kind": "errors", "detail": "so"}])
    chart = drawing.draw(tmp_path, document, "latency-percentiles")
    assert drawing.one(chart, "poll-line").get_linestyle() == "--"
    assert drawing.one(chart, "epoll_level-line").get_linestyle() == "-"
    assert "Dashed: flagged." in drawing.words(chart)
    chart.draw_without_rendering()
    assert "99.9 %" in [mark.get_text() for mark in drawing.marks(chart.axes[0].xaxis)]


def test_drift_compares_a_trial_with_the_others_of_its_cell(tmp_path: Path, document) -> None:
    section = document["muxbench"]
    half = len(section["trials"]) // 2
    for one in section["trials"]:
        one["load"]["achieved"]["requests_per_second"] = 100.0 if one["order"] < half else 90.0
    found = drift.relative(loaded(tmp_path, document))
    assert [order for order, _ in found] == list(range(2 * half))
    trend = drift.running_median(*zip(*found))
    assert trend[5] >= 0 >= trend[-5] and trend[5] - trend[-5] > 0.04
    chart = drawing.draw(tmp_path, document, "drift")
    assert len(drawing.one(chart, "trials").get_xdata()) == 2 * half
    assert list(drawing.one(chart, "trend").get_xdata()) == list(range(2 * half))


def test_the_line_of_drift_does_not_join_over_gaps(tmp_path: Path, document) -> None:
    section = document["muxbench"]
    lost = {10, 11, *range(50, 80)}  # two single places, and thirty
    section["trials"] = [one for one in section["trials"] if one["order"] not in lost]
    for one in section["trials"]:
        one["load"]["achieved"]["requests_per_second"] = 100.0 if one["order"] < 50 else 90.0
    chart = drawing.draw(tmp_path, document, "drift")
    before, after = drawing.artists(chart, "trend")
    last = max(one["order"] for one in section["trials"])
    assert (min(before.get_xdata()), max(before.get_xdata())) == (0, 49)
    assert (min(after.get_xdata()), max(after.get_xdata())) == (80, last)
    # Nor does the median look over it: on either side it is what was there.
    assert min(before.get_ydata()[-4:]) > max(after.get_ydata()[:4])
    assert "It ends where trials failed, or counted system calls." in drawing.words(chart)


def test_one_repetition_has_no_drift(tmp_path: Path) -> None:
    _, absent = charts.plan(loaded(tmp_path, synthetic.build(repetitions=1)))
    assert "drift (fewer than 8 trials of cells with several)" in map(str, absent)


def test_overview_of_throughput_leaves_open_loops_out(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "epoll_level"], [synthetic.RATE, synthetic.CONNECTIONS])
    found = loaded(tmp_path, document)
    for key, told in ((metrics.THROUGHPUT, {"connections"}), (metrics.P99, {"connections", "latency"})):
        squares = heat.tabulate(found, found.metrics[key])
        assert {experiment for _, experiment in squares} == told


def test_overview_is_the_geometric_mean_of_distances_to_the_best_clean_cell(tmp_path) -> None:
    document = synthetic.build(["poll", "epoll_level", "libev"], [synthetic.IDLE | {"values": [0, 100]}])
    rates = {("poll", 0): 50.0, ("poll", 100): 25.0, ("epoll_level", 0): 100.0,
             ("epoll_level", 100): 100.0, ("libev", 0): 200.0, ("libev", 100): 50.0}
    for cell in document["muxbench"]["cells"]:
        value = rates[cell["model"], cell["point"]["idle"]]
        cell["summary"]["requests_per_second"] = synthetic.statistic([value])
    synthetic.edit(document, "libev", 0, flags=[{"kind": "noisy", "detail": "so"}])
    found = loaded(tmp_path, document)
    squares = heat.tabulate(found, found.metrics[metrics.THROUGHPUT])
    assert squares["poll", "idle"] == heat.Square(pytest.approx(8**0.5), 2, False)
    assert squares["epoll_level", "idle"].factor == pytest.approx(1.0)
    # Flagged and faster than the best clean cell: it is shown, but is not the measure of others.
    assert squares["libev", "idle"] == heat.Square(pytest.approx(1.0), 2, True)
    chart = drawing.draw(tmp_path, document, "overview-throughput")
    assert "2.83" in drawing.words(chart) and "(1.00)" in drawing.words(chart)


def test_idle_cost_shows_the_drivers_slopes_and_crossovers(tmp_path: Path, counted) -> None:
    chart = drawing.draw(tmp_path, counted, "idle-cost")
    assert drawing.one(chart, "poll-name").get_text() == "poll +3.50 ns"
    assert drawing.one(chart, "epoll_level-name").get_text() == "epoll_level"
    assert list(drawing.one(chart, "poll-ring").get_xdata()) == [1000]
    assert drawing.artists(chart, "epoll_level-ring") == drawing.artists(chart, "epoll_level-fit") == []
    fitted = drawing.one(chart, "poll-fit")
    assert fitted.get_ydata()[-1] == pytest.approx(5000 + 3.5 * 8000)
    words = drawing.words(chart)
    assert "Ring: from here on worse than epoll_level." in words and "95 % interval" in words


def test_without_fits_idle_cost_claims_none(tmp_path: Path, document) -> None:
    chart = drawing.draw(tmp_path, document, "idle-cost")
    assert drawing.artists(chart, "poll-ring") == [] == drawing.artists(chart, "poll-fit")
    assert "Ring" not in drawing.words(chart)


def test_a_knee_is_the_highest_rate_that_was_served_below_one_that_was_not(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "thread_per_connection", "epoll_level"], [synthetic.RATE])
    synthetic.edit(document, "epoll_level", 250_000, status="skipped", reason="as a test of knees")
    chart = drawing.draw(tmp_path, document, "latency-p99")
    assert list(drawing.one(chart, "poll-ring").get_xdata()) == [150_000]
    assert list(drawing.one(chart, "thread_per_connection-ring").get_xdata()) == [100_000]
    # It served all that it was offered: its knee lies beyond.
    assert drawing.artists(chart, "epoll_level-ring") == []
    assert "Offered requests per second" in drawing.words(chart)
    assert "Ring: the knee" in drawing.words(chart)


@pytest.mark.parametrize("achieved", [5.0, 1e9], ids=["none", "all"])
def test_where_no_rate_or_every_rate_was_served_no_knee_is_claimed(tmp_path: Path, achieved: float) -> None:
    document = synthetic.build(["poll", "thread_per_connection"], [synthetic.RATE])
    for cell in document["muxbench"]["cells"]:
        cell["summary"]["requests_per_second"] = synthetic.statistic([achieved])
    chart = drawing.draw(tmp_path, document, "latency-p99")
    assert drawing.artists(chart, "poll-ring") == []
    assert "No knee lies between these rates." in drawing.words(chart)


def test_a_full_load_generator_leaves_cpu_time_and_memory_in_no_doubt(tmp_path: Path, counted) -> None:
    for model in ("poll", "epoll_level"):
        synthetic.edit(counted, model, flags=[{"kind": "saturated_load", "detail": "so"}])
    found = drawing.draw_all(tmp_path, counted)
    assert drawing.artists(found["connections-cpu"], "poll-flagged") == []
    assert list(drawing.one(found["connections-throughput"], "poll-flagged").get_xdata()) == [1, 8, 64, 256, 1000]
    assert "Hollow" not in drawing.words(found["idle-cpu-split"])
    read = loaded(tmp_path, counted)
    for key, doubted in ((metrics.CPU, False), (metrics.P99, True)):
        assert heat.tabulate(read, read.metrics[key])["poll", "idle"].flagged == doubted


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.full)])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("models", [
    pytest.param(synthetic.SIX_MODELS, id="6", marks=pytest.mark.full), pytest.param(synthetic.ALL_MODELS, id="all"),
])
def test_no_text_overlaps_or_leaves_the_page(tmp_path: Path, models, layout, theme: str) -> None:
    document = synthetic.build(models, [*FULL, synthetic.RATE], repetitions=2)
    synthetic.add_counts(document)
    synthetic.add_fits(document)
    with style.theme(theme):
        for chart in charts.plan(loaded(tmp_path, document))[0]:
            if chart.name.startswith("connections") and theme == "dark":
                continue  # of the same making as those of the other experiments
            figure = chart.draw(layout)
            assert drawing.overlaps(figure) == [], chart.name
            assert drawing.clipped(figure) == [], chart.name


@pytest.mark.parametrize("name, inches", [("column", 3.5), ("page", 7.16)])
def test_rows_of_three_values_are_as_wide_as_a_column(tmp_path: Path, name: str, inches: float) -> None:
    document = synthetic.build(experiments=[synthetic.CONNECTIONS | {"values": [1, 8, 64]}], repetitions=2)
    chart = drawing.draw(tmp_path, document, "connections-throughput", LAYOUTS[name])
    assert drawing.overlaps(chart) == [] == drawing.clipped(chart)
    assert shrink(chart, LAYOUTS[name].scale).get_size_inches()[0] <= inches + 0.01


@pytest.mark.parametrize("name, inches", [("column", 3.5), ("page", 7.16)])
def test_charts_for_print_are_as_wide_as_a_column(tmp_path: Path, counted, name, inches) -> None:
    layout = LAYOUTS[name]
    for chart in charts.plan(loaded(tmp_path, counted))[0]:
        before = chart.draw(layout)
        sizes = [text.get_fontsize() for text in before.texts]
        figure = shrink(before, layout.scale)
        assert figure.get_size_inches()[0] <= inches + 0.01, chart.name
        after = [text.get_fontsize() for text in figure.texts]
        assert after == pytest.approx([size * layout.scale for size in sizes])
        assert min(after) >= 6


def test_numbers_in_coloured_squares_can_be_read_in_both_themes() -> None:
    for step in range(12):
        square, ink = style.heat(step / 11)
        assert style.contrast(ink, square) >= 4.5, step
        assert style.contrast(style.dark(ink), style.dark(square)) >= 4.5, step
    lightness = [style._luminance(light) for light, _ in style.HEAT]
    assert lightness == sorted(lightness, reverse=True)
    assert [style._luminance(dark) for _, dark in style.HEAT] == sorted(
        style._luminance(dark) for _, dark in style.HEAT
    )


def test_the_dark_theme_draws_on_a_dark_page(tmp_path: Path, counted) -> None:
    with style.theme("dark"):
        chart = drawing.draw(tmp_path, counted, "idle-cost")
        assert style.contrast(style.INK) > 12
        for text in drawing.visible_texts(chart):
            assert style.contrast(text.get_color()) >= 4.5, text.get_text()
    assert style.PAGE == "#ffffff"


def test_a_chart_planned_in_one_theme_is_drawn_in_another(tmp_path: Path, counted) -> None:
    planned = {chart.name: chart for chart in charts.plan(loaded(tmp_path, counted))[0]}
    with style.theme("dark"):
        chart = planned["idle-cost"].draw(LAYOUTS["screen"])
        for model in ("poll", "epoll_level"):
            assert style.contrast(drawing.one(chart, f"{model}-points").get_markerfacecolor()) >= 4.5
