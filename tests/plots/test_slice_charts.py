"""Reports whose cells were measured in slices: read, ranked beside the reference, drawn and told."""

import copy
import re
from pathlib import Path
from typing import Any

import drawing
import pytest
import synthetic
from muxplots import axes, charts, heat, metrics, ranking, report, style, trials
from muxplots.html import page
from muxplots.layout import LAYOUTS
from muxplots.node import ReportError
from synthetic_slices import slice_report
from test_synthetic import errors

MODELS = ["poll", "epoll_level", "thread_per_connection", "uring_multishot"]
ERRORS = [{"kind": "errors", "detail": "2 requests failed"}]
CONNECTIONS = synthetic.CONNECTIONS | {"values": [1, 64, 256]}
# As many values as lines need.
SWEEP = synthetic.CONNECTIONS | {"values": [1, 8, 64, 256]}


def sliced(
    models: list[str] = MODELS, experiments: tuple[dict[str, Any], ...] = (CONNECTIONS,), **how: Any
) -> dict[str, Any]:
    return slice_report(synthetic.build(models, experiments, repetitions=3), **how)


def busy() -> dict[str, Any]:
    """Other processes disturbed nearly every slice."""
    return sliced(disturbed=0.97)


def loaded(directory: Path, document: dict[str, Any]) -> report.Report:
    return report.load(synthetic.write(directory, document))


def absent(directory: Path, document: dict[str, Any]) -> list[str]:
    return list(map(str, charts.plan(loaded(directory, document))[1]))


def built(directory: Path, document: dict[str, Any]) -> str:
    return page.build(loaded(directory, document), "report.json")


def cell_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    (cell,) = [cell for cell in document["muxbench"]["cells"] if cell["id"] == name]
    return cell


def row_names(chart: drawing.Figure) -> list[str]:
    """From top to bottom, panel by panel."""
    return [words.get_text() for words in chart.texts if (words.get_gid() or "").endswith("-name")]


@pytest.mark.parametrize("how", [{}, {"disturbed": 0.97}, {"disturbed": 1.0}, {"levels": (1.0, 1.45)}])
def test_the_made_up_slices_are_valid(how: dict[str, Any]) -> None:
    assert errors(sliced(**how)) == []


def test_an_older_report_has_nothing_of_slices(tmp_path: Path, document) -> None:
    found = loaded(tmp_path, document)
    assert found.twins == found.host_states == ()
    assert not any(cell.sliced or cell.relative or cell.withheld or cell.undisturbed for cell in found.cells)
    text = built(tmp_path, document)
    for words in ("Undisturbed", "relative to the reference", "Noise floor (A/A)", "withheld in", "slice"):
        assert words not in re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL), words


def test_a_round_without_an_undisturbed_slice_has_no_rate_and_its_cpu_time(tmp_path: Path) -> None:
    document = sliced(disturbed=1.0)
    for one in trials.of(loaded(tmp_path, document)):
        assert one.rate is None and one.slices and one.answered > 0 and one.latencies == ()
    # Its CPU time was for all requests of the round.
    first = document["muxbench"]["trials"][0]
    (mine,) = [one for one in trials.of(loaded(tmp_path, document)) if one.order == first["order"]]
    assert mine.answered == sum(first["slices"]["requests_in_run"])


def test_a_trial_without_a_rate_is_refused(tmp_path: Path, document) -> None:
    del document["muxbench"]["trials"][0]["load"]["achieved"]["requests_per_second"]
    with pytest.raises(ReportError, match="requests_per_second should be there"):
        trials.of(loaded(tmp_path, document))


def test_slices_of_unequal_lists_are_refused(tmp_path: Path) -> None:
    document = sliced()
    document["muxbench"]["trials"][2]["slices"]["started_ns"].pop()
    with pytest.raises(ReportError, match=r"trials\[2\].slices should be lists of one length"):
        trials.of(loaded(tmp_path, document))


@pytest.mark.parametrize("change", [{"low": 3.0}, {"ratio": -1}, {"n": "many"}])
def test_a_ratio_outside_of_its_interval_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    document = sliced()
    cell_of(document, "poll/connections/connections:1")["relative"]["server_cpu_ns_per_request"] |= change
    with pytest.raises(ReportError, match=r"relative.server_cpu_ns_per_request"):
        loaded(tmp_path, document)


def test_models_stand_in_the_order_of_their_ratios_and_the_flagged_at_the_end(tmp_path: Path) -> None:
    document = sliced()
    synthetic.edit(document, "uring_multishot", flags=ERRORS)
    for cell in document["muxbench"]["cells"]:
        ratio = {"poll": 0.9, "epoll_level": 1.0, "thread_per_connection": 1.4, "uring_multishot": 0.5}[cell["model"]]
        cell["relative"]["server_cpu_ns_per_request"] |= {"ratio": ratio, "low": 0.96 * ratio, "high": 1.05 * ratio}
    for twin in document["muxbench"]["twins"]:
        twin["relative"]["server_cpu_ns_per_request"] |= {"ratio": 0.99, "low": 0.96, "high": 1.02}
    chart = drawing.draw(tmp_path, document, "connections-ranking-cpu")
    order = ["poll", "epoll_level (again)", "epoll_level", "thread_per_connection", "uring_multishot"]
    assert row_names(chart) == 2 * order
    assert [list(mark.get_xdata()) for mark in drawing.artists(chart, "poll-ratio")] == [[0.9]] * 2
    assert {mark.get_markerfacecolor() for mark in drawing.artists(chart, "uring_multishot-ratio")} == {style.PAGE}
    spans = [tuple(segment[:, 0]) for one in chart.axes[0].collections for segment in one.get_segments()]
    assert spans[0] == pytest.approx((0.96 * 0.9, 1.05 * 0.9))
    assert chart.axes[0].get_xscale() == "log"
    # The noise reaches as far to either side as the twin's interval does to one.
    for band in drawing.artists(chart, "noise"):
        assert sorted({round(x, 6) for x, _ in band.get_xy()}) == pytest.approx([0.96, 1 / 0.96])
    words = drawing.words(chart)
    assert "-10.0 %" in words and "reference" in words and "+40.0 %" in words
    assert "Hollow: flagged and not ranked (errors)." in words
    assert "connections 1 " in words and "connections 256 " in words and "connections 64 " not in words


def test_more_throughput_is_better(tmp_path: Path) -> None:
    found = loaded(tmp_path, sliced())
    rate, cost = (ranking.tabulate(found, found.experiments[0], key)[-1] for key in (metrics.THROUGHPUT, metrics.CPU))
    assert [row.name for row in rate.rows][0] == [row.name for row in cost.rows][0] == "uring_multishot"
    assert rate.rows[0].relative.ratio > 1 > cost.rows[0].relative.ratio
    assert rate.rows[-1].name == cost.rows[-1].name == "thread_per_connection"


def test_an_open_loop_is_ranked_by_p99_and_not_by_the_throughput_it_was_given(tmp_path: Path) -> None:
    document = sliced(experiments=(synthetic.RATE,))
    names = [chart.name for chart in charts.plan(loaded(tmp_path, document))[0]]
    assert [name for name in names if "ranking" in name] == ["latency-ranking-p99", "latency-ranking-cpu"]


def test_withheld_throughput_is_told_and_cpu_is_ranked(tmp_path: Path) -> None:
    document = busy()
    told = absent(tmp_path, document)
    for name in ("throughput", "p99"):
        (line,) = [one for one in told if one.startswith(f"connections-{name} ")]
        assert re.search(r"\(withheld: only \d+ of 72 slices were undisturbed(, at best)?\)", line), line
    names = {chart.name for chart in charts.plan(loaded(tmp_path, document))[0]}
    assert "connections-ranking-cpu" in names


def test_a_metric_that_one_model_withholds_is_absent_by_that_name(tmp_path: Path) -> None:
    document = sliced(experiments=(SWEEP,))
    disturbed = sliced(experiments=(SWEEP,), disturbed=0.97)
    taken = {cell["id"]: cell for cell in disturbed["muxbench"]["cells"] if cell["model"] == "poll"}
    document["muxbench"]["cells"] = [taken.get(cell["id"], cell) for cell in document["muxbench"]["cells"]]
    chart = drawing.draw(tmp_path, document, "connections-throughput")
    assert "Throughput withheld: poll" in drawing.words(chart)
    assert "poll: withheld: only" in drawing.words(drawing.draw(tmp_path, document, "connections-ranking-throughput"))


def test_a_caveat_neither_makes_a_cell_hollow_nor_keeps_it_from_being_best(tmp_path: Path) -> None:
    document = sliced(experiments=(SWEEP,), disturbed=0.97)
    chart = drawing.draw(tmp_path, document, "connections-cpu")
    assert drawing.artists(chart, "poll-flagged") == [] and "Hollow" not in drawing.words(chart)
    found = loaded(tmp_path, document)
    squares = heat.tabulate(found, found.metrics[metrics.CPU])
    assert not any(square.flagged for square in squares.values())
    assert squares["uring_multishot", "connections"].factor == pytest.approx(1.0)
    assert '<tr class="flagged"' not in built(tmp_path, document)


def test_the_overview_takes_ratios_where_all_models_have_them(tmp_path: Path) -> None:
    document = sliced(["poll", "epoll_level"], (synthetic.CONNECTIONS | {"values": [64]},))
    for cell in document["muxbench"]["cells"]:
        ratio = 1.0 if cell["model"] == "epoll_level" else 1.5
        cell["relative"]["server_cpu_ns_per_request"] |= {"ratio": ratio, "low": ratio, "high": ratio}
    found = loaded(tmp_path, document)
    assert heat.tabulate(found, found.metrics[metrics.CPU])["poll", "connections"].factor == pytest.approx(1.5)
    del document["muxbench"]["cells"][0]["relative"]
    found = loaded(tmp_path, document)
    assert heat.tabulate(found, found.metrics[metrics.CPU])["poll", "connections"].factor < 1.2


def test_a_single_point_is_ranked_once(tmp_path: Path) -> None:
    document = sliced(experiments=(synthetic.CONNECTIONS | {"values": [64]},))
    names = {chart.name for chart in charts.plan(loaded(tmp_path, document))[0]}
    kinds = ("cpu", "throughput", "p99")
    assert {f"connections-ranking-{kind}" for kind in kinds} <= names
    assert not {f"connections-{kind}" for kind in kinds} & names


def test_captions_count_rounds_and_slices(tmp_path: Path) -> None:
    document = sliced(experiments=(SWEEP, synthetic.RATE))
    words = drawing.words(drawing.draw(tmp_path, document, "connections-throughput")).replace("\n", " ")
    assert "3 rounds of 24 slices of 5 ms" in words and "median of 3 rounds; " in words
    assert "repetition" not in words and "trial" not in words
    words = drawing.words(drawing.draw(tmp_path, document, "latency-percentiles"))
    assert "Line: median of rounds at each percentile, " in words
    for name in ("block", "started_ns", "requests_in_run", "server_cpu_ns"):  # of a point with longer slices
        for one in document["muxbench"]["trials"]:
            if one["cell"].endswith(":1"):
                one["slices"][name] = one["slices"][name][:8]
                one["slices"]["length_ns"] = 100_000_000
    words = drawing.words(drawing.draw(tmp_path, document, "connections-ranking-cpu"))
    assert "3 rounds of 8 to 24 slices of 5 ms to 100 ms" in words


def test_models_measured_by_trials_stand_beside_the_others(tmp_path: Path) -> None:
    document = sliced(experiments=(SWEEP,))
    trial = synthetic.build(MODELS, [SWEEP], repetitions=5)["muxbench"]
    section = document["muxbench"]
    for key, name in (("cells", "id"), ("trials", "cell")):
        section[key] = [one for one in section[key] if not one[name].startswith("poll/")]
        section[key] += [copy.deepcopy(one) for one in trial[key] if one[name].startswith("poll/")]
    found = drawing.draw_all(tmp_path, document)
    assert "median of 3 to 5 rounds or repetitions" in drawing.words(found["connections-throughput"])
    # They were not compared side by side, and charts of what was say so.
    assert "No ratio: poll." in drawing.words(found["connections-cpu"])
    assert "No ratio: poll." in drawing.words(found["connections-ranking-cpu"])
    text = built(tmp_path, document)
    assert "Values are medians over rounds or trials" in text and "the lowest round or trial to" in text
    assert "In each round every model has a fresh server" in text and "Each trial is a fresh server process" in text


def test_the_host_chart_has_the_slices_of_the_reference_and_names_its_levels(tmp_path: Path) -> None:
    document = sliced(levels=(1.0, 1.5))
    chart = drawing.draw(tmp_path, document, "host")
    mine = [one for one in document["muxbench"]["trials"] if one["cell"] == "epoll_level/connections/connections:64"]
    dots = drawing.one(chart, "connections 64-slices")
    assert len(dots.get_xdata()) == 3 * 24
    assert min(dots.get_xdata()) == pytest.approx(min(one["slices"]["started_ns"][0] for one in mine) / 1e9)
    (states,) = [one for one in document["muxbench"]["host_states"] if one["point"] == {"connections": 64}]
    words = drawing.words(chart)
    for level in states["levels"]:
        assert f"connections 64: {level['cpu_ns_per_request'] / 1000:.2f} µs (36 of 72)" in words
    assert words.startswith("Host speed over the run: CPU time of a request to epoll_level ")
    assert "where dots rise, the host was slower" in words
    single = drawing.words(drawing.draw(tmp_path, sliced(), "host"))
    assert re.search(r"connections 64: \d\.\d\d µs (?!\()", single)


def test_cpu_time_of_a_sweep_has_lines_of_ratios(tmp_path: Path) -> None:
    document = sliced(experiments=(SWEEP,))
    synthetic.edit(document, "uring_multishot", 64, flags=ERRORS)
    chart = drawing.draw(tmp_path, document, "connections-cpu")
    assert list(drawing.one(chart, "epoll_level-points").get_ydata()) == [1, 1, 1, 1]
    ratios = [
        cell_of(document, f"poll/connections/connections:{value}")["relative"]["server_cpu_ns_per_request"]["ratio"]
        for value in SWEEP["values"]
    ]
    assert list(drawing.one(chart, "poll-points").get_ydata()) == ratios
    assert list(drawing.one(chart, "uring_multishot-flagged").get_xdata()) == [64]
    assert chart.axes[0].get_yscale() == "log"
    words = drawing.words(chart)
    assert words.startswith("Server CPU per request relative to epoll_level against active connections ")
    assert "Line: ratio over slices that were measured side by side; band or bar: 95 % interval." in words
    names = {chart.name for chart in charts.plan(loaded(tmp_path, sliced()))[0]}
    assert "connections-ranking-cpu" in names and "connections-cpu" not in names


def depend_on_the_host(document: dict[str, Any], models: list[str]) -> None:
    """Gives each model a ratio at each speed of the host; those of `models` depend on it."""
    everyone = {cell["model"] for cell in document["muxbench"]["cells"]}
    for states in document["muxbench"]["host_states"]:
        states["relative"] = [
            {"model": model, "level": level, "ratio": ratio, "low": 0.97 * ratio, "high": 1.03 * ratio, "n": 36}
            for model in sorted(everyone) for level in range(len(states["levels"]))
            for ratio in [(1.4, 1.1)[level] if model in models else 1.1 - 0.03 * level]
        ]


def test_the_ratios_that_depend_on_the_speed_of_the_host_are_drawn(tmp_path: Path) -> None:
    document = sliced(levels=(1.0, 1.5))
    depend_on_the_host(document, ["poll"])
    assert errors(document) == []
    chart = drawing.draw(tmp_path, document, "host-relative")
    assert len(chart.axes) == len(document["muxbench"]["host_states"]) == 3
    for level, ratio in enumerate((1.4, 1.1)):
        marks = drawing.artists(chart, f"poll-{level}")
        assert [list(mark.get_xdata()) for mark in marks] == [[ratio]] * 3
    words = drawing.words(chart)
    assert "+40.0 %, +10.0 %" in words and "connections: connections 64" in words
    assert "thread_per_connection" not in words
    (states,) = [one for one in document["muxbench"]["host_states"] if one["point"] == {"connections": 64}]
    for level in states["levels"]:
        assert f"{level['cpu_ns_per_request'] / 1000:.2f} µs in 36 of 72 blocks" in words


def test_where_no_ratio_depends_on_the_host_that_is_told(tmp_path: Path) -> None:
    document = sliced(levels=(1.0, 1.5))
    depend_on_the_host(document, [])
    told = "host-relative (no ratio differs between speeds of the host by more than its intervals)"
    assert told in absent(tmp_path, document) and told in absent(tmp_path, sliced())


def test_a_ratio_at_a_speed_that_the_host_did_not_have_is_refused(tmp_path: Path) -> None:
    document = sliced()
    depend_on_the_host(document, [])
    document["muxbench"]["host_states"][0]["relative"][0]["level"] = 1
    with pytest.raises(ReportError, match=r"host_states\[0\].relative\[0\].level should be the place of a level"):
        loaded(tmp_path, document)


def test_without_slices_there_is_no_host_chart(tmp_path: Path, document) -> None:
    planned, told = charts.plan(loaded(tmp_path, document))
    assert not {"host", "host-relative"} & ({chart.name for chart in planned} | {one.name for one in told})
    assert not any("ranking" in chart.name for chart in planned)
    lacking = sliced()
    del lacking["muxbench"]["host_states"]
    assert "host (no slices of a reference tell the speed of the host)" in absent(tmp_path, lacking)


def test_drift_is_of_trials_alone(tmp_path: Path) -> None:
    assert "drift (fewer than 8 trials of cells with several)" in absent(tmp_path, sliced())


def test_the_table_has_ratios_intervals_and_undisturbed_slices(tmp_path: Path) -> None:
    document = sliced()
    poll = cell_of(document, "poll/connections/connections:64")
    poll["relative"]["server_cpu_ns_per_request"] |= {"ratio": 0.621, "low": 0.581, "high": 0.665}
    text = built(tmp_path, document)
    assert ">-37.9 %<small>-41.9 to -33.5 %</small></td>" in text
    clean = poll["undisturbed"]["slices"]
    assert f">{clean} of 72</td>" in text
    assert text.count(">reference</td>") == 3
    assert "The best first at each point. Medians over rounds, with the lowest and the highest round below." in text
    assert ">Rounds</button>" in text and ">Trials</button>" not in text
    assert "too few rounds for a verdict" in text


def test_the_page_has_the_noise_floor_of_each_point(tmp_path: Path) -> None:
    document = sliced()
    document["muxbench"]["twins"][1]["relative"]["server_cpu_ns_per_request"] |= {"ratio": 1.01, "low": 0.98, "high": 1.04}
    noise = re.search(r'<table id="noise" .*?</table>', built(tmp_path, document), re.DOTALL)
    assert noise and noise[0].count("<tr>") == 1 + 3
    assert "connections: connections 64" in noise[0] and "+1.0 %<small>-2.0 to +4.0 %</small>" in noise[0]


def test_each_reason_for_withholding_stands_once(tmp_path: Path) -> None:
    document = busy()
    told = re.search(r"<details><summary>Metrics withheld in 12 cells, and why</summary>.*?</details>", built(tmp_path, document))
    assert told
    reasons = {cell["withheld"]["requests_per_second"] for cell in document["muxbench"]["cells"]}
    assert all(told[0].count(reason) == 1 for reason in reasons)
    assert "A cell with a\nremark is never ranked, except for: few undisturbed." in built(tmp_path, document)
    # Where another model has the metric, the table has the word in its place.
    mixed = sliced()
    mixed["muxbench"]["cells"][0] = document["muxbench"]["cells"][0]
    assert built(tmp_path, mixed).count(">withheld</td>") == 4


def test_a_knee_is_not_denied_where_throughput_is_withheld(tmp_path: Path) -> None:
    document = sliced(["poll", "epoll_level"], (synthetic.RATE,))
    for cell in document["muxbench"]["cells"]:
        del cell["summary"]["requests_per_second"]
        cell["withheld"] = {"requests_per_second": "so"}
    words = drawing.words(drawing.draw(tmp_path, document, "latency-p99"))
    assert "No model served" not in words and "Ring" not in words


@pytest.mark.parametrize("low, high, marks", [
    (0.955, 1.045, [0.96, 0.98, 1, 1.02, 1.04]), (0.57, 1.15, [0.6, 0.7, 0.8, 0.9, 1, 1.1]), (0.9, 40, [1, 2, 5, 10, 20]),
    (0.985, 1.015, [1]),
])
def test_ratios_are_marked_in_round_steps_with_1_among_them(low: float, high: float, marks: list[float]) -> None:
    assert axes.ratio_marks(low, high, 400) == marks
    assert 1 in axes.ratio_marks(low, high, 60)


@pytest.mark.parametrize("ratio, told", [
    (0.621, "-37.9 %"), (1, "+0.0 %"), (0.9999, "+0.0 %"), (1.5, "+50.0 %"), (3.414, "3.41 times"),
])
def test_a_ratio_in_words(ratio: float, told: str) -> None:
    assert ranking.difference(ratio) == told


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("how", [
    pytest.param({}, id="rest", marks=pytest.mark.full), pytest.param({"disturbed": 0.97, "levels": (1.0, 1.4)}, id="busy"),
])
def test_no_text_overlaps_or_leaves_the_page(tmp_path: Path, layout, how: dict[str, Any]) -> None:
    document = sliced(synthetic.ALL_MODELS, (SWEEP, synthetic.IDLE), **how)
    depend_on_the_host(document, ["poll", "uring_multishot"])
    for chart in charts.plan(loaded(tmp_path, document))[0]:
        if "ranking" in chart.name or chart.name in ("host", "host-relative", "connections-cpu"):
            figure = chart.draw(layout)
            assert drawing.overlaps(figure) == [], chart.name
            assert drawing.clipped(figure) == [], chart.name
