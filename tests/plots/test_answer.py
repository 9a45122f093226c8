"""The answer: read from a report, drawn as the main chart, and written on the first screen of the page."""

import copy
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import drawing
import pytest
import synthetic
from muxplots import answer, charts, metrics, ranking, report, style
from muxplots.chart import Chart
from muxplots.html import page
from muxplots.layout import LAYOUTS
from muxplots.node import ReportError
from synthetic_slices import QUESTIONS, add_answer, slice_report
from test_synthetic import errors

MODELS = ["poll", "select", "epoll_level", "thread_per_connection", "uring_multishot", "posix_aio", "blocking_iterative"]
EXPERIMENTS = (synthetic.CONNECTIONS | {"values": [1, 64]}, synthetic.IDLE | {"values": [0, 8000]})


def answered(models: list[str] = MODELS, **how: Any) -> dict[str, Any]:
    return add_answer(slice_report(synthetic.build(models, EXPERIMENTS, repetitions=3)), **how)


def loaded(directory: Path, document: dict[str, Any]) -> report.Report:
    return report.load(synthetic.write(directory, document))


def rows_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Those with an answer."""
    return [row for row in document["muxbench"]["answer"]["rows"] if "best" in row]


def figure_of(document: dict[str, Any], row: dict[str, Any], model: str) -> tuple[str, str]:
    """What is to be written of a model, from its cell: the ratio, and the interval."""
    (cell,) = [
        cell for cell in document["muxbench"]["cells"]
        if (cell["experiment"], cell["point"], cell["model"]) == (row["experiment"], row["point"], model)
    ]
    if model == row["reference"]:
        (unit,) = [one["unit"] for one in document["muxbench"]["metrics"] if one["key"] == row["metric"]]
        return metrics.show(cell["summary"][row["metric"]]["median"], unit) + ("/s" if unit == "1/s" else ""), ""
    relative = cell["relative"][row["metric"]]
    numbers = [relative[key] for key in ("ratio", "low", "high")]
    if 1 / 1.5 < numbers[0] < 1.5:
        ratio, low, high = (f"{100 * (number - 1):+.0f}".replace("-0", "+0") if abs(100 * (number - 1)) < 0.5
                            else f"{100 * (number - 1):+.0f}" for number in numbers)
        return f"{ratio} %", f"({low} to {high})"
    ratio, low, high = (f"{number:.2g}" if number < 10 else f"{number:.0f}" for number in numbers)
    return f"{ratio} times", f"({low} to {high})"


def panels_of(chart: drawing.Figure) -> list[list[str]]:
    """The names in the rows of each panel, from top to bottom."""
    sizes = [sum(line.get_gid() is not None for line in plot.lines) for plot in chart.axes]
    names = [words.get_text() for words in chart.texts if (words.get_gid() or "").endswith("-name")]
    return [names[sum(sizes[:place]):sum(sizes[:place + 1])] for place in range(len(sizes))]


def test_the_made_up_answer_is_valid() -> None:
    document = answered()
    assert errors(document) == []
    assert [len(row.get("best", ())) > 0 for row in document["muxbench"]["answer"]["rows"]] == [True, True, False, False]
    assert any(row["avoid"] for row in rows_of(document)) and any(row["unable"] for row in rows_of(document))


def test_the_chart_comes_first_and_has_a_panel_for_each_decided_question(tmp_path: Path) -> None:
    document = answered()
    planned, _ = charts.plan(loaded(tmp_path, document))
    assert planned[0].name == "answer" and planned[0].experiment is None
    words = drawing.words(planned[0].draw(LAYOUTS["screen"]))
    for row in rows_of(document):
        assert row["question"] in words and f"{row['where']}: " in words
    assert "ratio to epoll_level" in words
    assert "Ratio (log scale; left is better)" in words and "Ratio (log scale; right is better)" in words


def test_every_dot_interval_and_word_of_the_chart_is_that_of_a_cell(tmp_path: Path) -> None:
    document = answered()
    chart = drawing.draw(tmp_path, document, "answer")
    assert len(chart.axes) == len(rows_of(document)) == 2
    told = [words.get_text() for words in chart.texts]
    for plot, names, row in zip(chart.axes, panels_of(chart), rows_of(document), strict=True):
        assert plot.get_xscale() == "log"
        cells = {
            cell["model"]: cell["relative"][row["metric"]] for cell in document["muxbench"]["cells"]
            if (cell["experiment"], cell["point"]) == (row["experiment"], row["point"]) and row["metric"] in cell.get("relative", {})
        }
        assert set(names) == set(cells)
        dots = [line for line in plot.lines if line.get_gid()]
        for place, (name, dot) in enumerate(zip(names, dots, strict=True)):
            relative = cells[name]
            nearest = min(max(relative["ratio"], 1 / ranking.FARTHEST), ranking.FARTHEST)
            assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (pytest.approx(nearest), place), name
            (stroke,) = plot.collections[place].get_segments()
            assert [x for x, _ in stroke] == pytest.approx([relative["low"], relative["high"]]), name
            assert figure_of(document, row, name)[0] in told, name


def test_models_stand_from_the_best_in_bands_of_their_groups(tmp_path: Path) -> None:
    document = answered()
    chart = drawing.draw(tmp_path, document, "answer")
    for plot, names, row in zip(chart.axes, panels_of(chart), rows_of(document), strict=True):
        groups = [{entry["model"] for entry in row[key]} for key in ("best", "between", "avoid")]
        ends = [sum(map(len, groups[:place])) for place in range(4)]
        assert [set(names[start:end]) for start, end in zip(ends, ends[1:])] == groups
        ratios = {entry["model"]: entry["ratio"] for key in ("best", "between", "avoid") for entry in row[key]}
        for group in groups:
            mine = [ratios[name] for name in names if name in group]
            assert mine == sorted(mine, reverse=row["metric"] == "requests_per_second")
        bands = [(band.get_extents().transformed(plot.transData.inverted()).intervaly, band.get_facecolor()) for band in plot.patches]
        spans = [tuple(sorted(round(float(y), 3) for y in span)) for span, _ in bands]
        assert spans == [(-0.5, ends[1] - 0.5), (ends[2] - 0.5, ends[3] - 0.5)]


def test_what_is_beyond_the_axis_is_an_arrow_at_its_edge(tmp_path: Path) -> None:
    document = answered()
    for entry in rows_of(document)[0]["avoid"]:
        entry |= {"ratio": 35.0, "low": 30.0, "high": 40.0}
    chart = drawing.draw(tmp_path, document, "answer")
    model = rows_of(document)[0]["avoid"][0]["model"]
    dot = drawing.artists(chart, f"{model}-ratio")[0]
    assert dot.get_xdata()[0] == chart.axes[0].get_xlim()[1] == ranking.FARTHEST and dot.get_marker() == ">"
    assert "35 times" in drawing.words(chart) and ranking.BEYOND in drawing.words(chart)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_no_text_of_the_chart_overlaps_or_leaves_it(tmp_path: Path, layout) -> None:
    chart = drawing.draw(tmp_path, answered(synthetic.ALL_MODELS), "answer", layout)
    assert drawing.overlaps(chart) == [] == drawing.clipped(chart)


def test_the_bands_have_colours_of_their_own_in_both_themes() -> None:
    for name in ("BEST", "WORST"):
        light, dark = style.NEUTRALS[name]
        assert style.dark(light) == dark
        for page_colour, tint in ((style.NEUTRALS["PAGE"][0], light), (style.NEUTRALS["PAGE"][1], dark)):
            assert style.contrast(tint, page_colour) < 1.5


class Table(HTMLParser):
    """The rows of the table of the first screen: of each cell the words, and those of them that are folded."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.folded: list[list[str]] = []
        self._depth = 0
        self._in_summary = False
        found = re.search(r'<table id="decisions".*?</table>', text, re.DOTALL)
        assert found
        self.feed(found[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
            self.folded.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.folded[-1].append("")
        self._depth += tag == "details"
        self._in_summary |= tag == "summary"
        if tag == "li":
            self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "details"
        self._in_summary &= tag != "summary"

    def handle_data(self, data: str) -> None:
        into = self.folded if self._depth and not self._in_summary else self.rows
        into[-1][-1] += data


def built(directory: Path, document: dict[str, Any]) -> str:
    return page.build(loaded(directory, document), "report.json")


def only_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares the time to draw all other charts."""
    monkeypatch.setattr(charts, "plan", lambda found: ([one for one in answer.plan(found) if isinstance(one, Chart)], []))


@pytest.mark.parametrize("models", [MODELS, synthetic.ALL_MODELS], ids=["7", "all"])
def test_every_figure_of_the_table_is_that_of_a_cell(tmp_path: Path, monkeypatch, models: list[str]) -> None:
    only_the_answer(monkeypatch)
    document = answered(models)
    table = Table(built(tmp_path, document))
    assert table.rows[0] == ["You have", "Recommended", "Equally good within noise", "Avoid", "Cannot do it, or unknown"]
    assert table.rows[3] == ["memory per connection", "too few clean measurements"] and len(table.rows) == 4
    for row, shown, folded in zip(rows_of(document), table.rows[1:], table.folded[1:]):
        def written(entry: dict[str, Any]) -> str:
            return " ".join([entry["model"], *figure_of(document, row, entry["model"])]).strip()

        assert shown[0] == row["question"] and folded[0].startswith(f"{row['where']}, by ")
        assert shown[1] == written(row["best"][0])
        for place, entries in ((2, row["best"][1:]), (3, row["avoid"])):
            told = [line for line in shown[place].split("\n") if line]
            more = [line for line in folded[place].split("\n") if line]
            if more:
                assert told[-1].endswith(f"+ {len(more)} more")
                told[-1] = told[-1].removesuffix(f"+ {len(more)} more")
            assert len(told) <= 3
            assert told + more == ([written(entry) for entry in entries] or ["–"])
        reasons = [f"{', '.join(one['models'])}: {one['reason']}" for one in row["unable"]]
        assert [line for line in folded[4].split("\n") if line] == reasons
        assert shown[4].startswith(str(sum(len(one["models"]) for one in row["unable"])))


def test_the_first_sentence_says_how_far_the_machine_can_be_trusted(tmp_path: Path) -> None:
    document = answered()
    section = document["muxbench"]
    section["host"]["virtualisation"] = "virtual machine"
    assert answer.trust(loaded(tmp_path, document)) == (
        "On this machine (2 CPUs, virtual machine) CPU time per request is known to 3.1 % for half of the cells and to 10 % "
        "for nine in ten; the same server measured twice was up to 2.6 % from itself; the host changed its speed by up to "
        "71 % (ratios that depend on it are flagged)."
    )
    section["host"] |= {"virtualisation": "none", "cpus": 1}
    del section["answer"]["trust"]["twins_apart"], section["answer"]["trust"]["host_change"]
    assert answer.trust(loaded(tmp_path, document)) == (
        "On this machine (1 CPU) CPU time per request is known to 3.1 % for half of the cells and to 10 % for nine in ten."
    )
    section["answer"]["trust"] = {"cells": 0}
    assert answer.trust(loaded(tmp_path, document)) == ""


def test_what_was_not_measured_has_the_command_that_measures_it(tmp_path: Path, monkeypatch) -> None:
    only_the_answer(monkeypatch)
    text = built(tmp_path, answered())
    assert (
        "<p>Not measured: requests that wait for a child process. "
        "<code>bench/run_all.sh --experiments work_child</code> measures it.</p>"
    ) in text


def test_an_older_report_has_no_first_screen_and_shows_the_rest_at_once(tmp_path: Path) -> None:
    document = synthetic.build(["poll", "epoll_level"], EXPERIMENTS, repetitions=2)
    text = built(tmp_path, document)
    assert 'id="first-screen"' not in text and '<details class="fold" id="experiment-idle" open>' in text
    assert "answer" not in {chart.name for chart in charts.plan(loaded(tmp_path, document))[0]}


def test_an_answer_without_a_decision_says_so(tmp_path: Path, monkeypatch) -> None:
    document = answered(questions={"memory per connection": QUESTIONS["memory per connection"]})
    assert "answer (no two models could be ranked)" in list(map(str, charts.plan(loaded(tmp_path, document))[1]))
    only_the_answer(monkeypatch)
    assert Table(built(tmp_path, document)).rows[1] == ["memory per connection", "too few clean measurements"]


@pytest.mark.parametrize("place, value, told", [
    (("trust",), None, "muxbench.answer.trust should be an object"),
    (("trust", "twins_apart"), "small", "trust.twins_apart should be a number"),
    (("rows",), {}, "muxbench.answer.rows should be a list"),
    (("rows", 0, "experiment"), "a b", "rows[0].experiment should be a name of letters"),
    (("rows", 0, "metric"), "speed", "rows[0].metric should be a metric of the report"),
    (("rows", 0, "best"), [], "rows[0].best should be a list with a model"),
    (("rows", 0, "best", 0, "low"), 7.0, "rows[0].best[0] should be a ratio above 0 within its interval"),
    (("rows", 0, "best", 0, "ratio"), -1, "rows[0].best[0] should be a ratio above 0 within its interval"),
    (("rows", 0, "point"), {"idle": [1]}, "rows[0].point.idle should be a number or a string"),
    (("rows", 0, "unable"), [{"reason": "so", "models": "poll"}], "rows[0].unable[0].models should be a list"),
])
def test_an_answer_of_the_wrong_shape_is_named(tmp_path: Path, place: tuple, value: Any, told: str) -> None:
    document = copy.deepcopy(answered())
    target = document["muxbench"]["answer"]
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    with pytest.raises(ReportError, match=re.escape(told)):
        loaded(tmp_path, document)
