"""Models by experiments: how far each is from the best, over the points of an experiment."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from muxplots import captions, labels, metrics, style, table, text
from muxplots.chart import Absent, Chart
from muxplots.layout import Layout
from muxplots.metrics import Metric
from muxplots.page import EDGE, Page
from muxplots.report import Cell, Report, place

ROW = 17.0
NARROWEST_COLUMN = 46.0
HEADS = 18.0
GAP = 1.5

# Colours end where a model is so many times worse than the best.
FARTHEST = 4.0

# By kind, which is part of a file's name.
KINDS = {"throughput": metrics.THROUGHPUT, "p99": metrics.P99, "cpu": metrics.CPU}


@dataclass(frozen=True)
class Square:
    """How many times worse than the best, as the geometric mean over `points` of all points."""

    factor: float
    points: int
    flagged: bool


def plan(report: Report) -> list[Chart | Absent]:
    found: list[Chart | Absent] = []
    for kind, key in KINDS.items():
        metric = report.metrics.get(key)
        if metric is None:
            found.append(Absent(f"overview-{kind}", f"the report has no metric {key}"))
            continue
        squares = tabulate(report, metric)
        models = sorted({model for model, _ in squares}, key=lambda model: table.rank(report, model))
        name = f"overview-{kind}"
        if len(models) < 2:
            found.append(Absent(name, f"fewer than two models have a value of {metric.title}"))
            continue
        title = f"{metric.heading}: how many times worse than the best"
        found.append(Chart(
            name, title, _alternative(report, title, squares, models), None,
            partial(_draw, report, title, squares, models),
        ))
    return found


def tabulate(report: Report, metric: Metric) -> dict[tuple[str, str], Square]:
    """By model and experiment."""
    given = {experiment.name for experiment in report.experiments if experiment.open_loop}
    at_point: dict[tuple, list[Cell]] = {}
    for cell in report.cells:
        if metric.key == metrics.THROUGHPUT and cell.experiment in given:
            continue
        if metric.key in cell.summary and cell.summary[metric.key].median > 0:
            at_point.setdefault(place(cell), []).append(cell)
    factors: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    for cells in at_point.values():
        values = _values(cells, metric.key)
        # The best is a clean cell where there is one: a flagged cell is never called best.
        flagged = [bool(cell.flags_against(metric.key)) for cell in cells]
        clean = [value for value, doubted in zip(values, flagged) if not doubted] or values
        best = max(clean) if metric.more_is_better else min(clean)
        for cell, value, doubted in zip(cells, values, flagged, strict=True):
            factor = best / value if metric.more_is_better else value / best
            factors.setdefault((cell.model, cell.experiment), []).append((factor, doubted))
    return {
        key: Square(
            statistics.geometric_mean([factor for factor, _ in mine]), len(mine),
            any(flagged for _, flagged in mine),
        )
        for key, mine in factors.items()
    }


def _values(cells: Sequence[Cell], key: str) -> list[float]:
    """Of the cells of one point: paired with the reference where all are, else medians."""
    if all(key in cell.relative for cell in cells):
        return [cell.relative[key].ratio for cell in cells]
    return [cell.summary[key].median for cell in cells]


def _alternative(
    report: Report, title: str, squares: dict[tuple[str, str], Square], models: Sequence[str]
) -> str:
    told = []
    for experiment in report.experiments:
        mine = [(squares[model, experiment.name].factor, model) for model in models
                if (model, experiment.name) in squares]
        if mine:
            told.append(f"In {experiment.name} from {min(mine)[1]} ({min(mine)[0]:.2f}) to "
                        f"{max(mine)[1]} ({max(mine)[0]:.2f}).")
    return f"Table in colours: {title}. " + " ".join(told)


def _draw(
    report: Report, title: str, squares: dict[tuple[str, str], Square], models: Sequence[str],
    layout: Layout,
) -> Figure:
    columns = [one.name for one in report.experiments
               if any((model, one.name) in squares for model in models)]
    points = {one: max(squares[key].points for key in squares if key[1] == one) for one in columns}
    left = EDGE + max(text.width(model, labels.SIZE) for model in models) + 8
    heads = max(text.width(name, labels.SIZE) for name in columns) + 8
    size = min(max(NARROWEST_COLUMN, heads), 110.0)
    height = ROW * len(models)
    width = max(left + size * len(columns) + EDGE, 336.0)
    page = Page(
        width, HEADS + height + 6, title, " · ".join(captions.run(report)),
        "Geometric mean over the points of an experiment of the distance to the best clean model there; 1 is the best. "
        "Parentheses: some of its cells are flagged, so below 1 is no better than best. Star: measured at fewer points than others. "
        "Differences of a few percent may be noise: the findings say what is not.",
    )
    bottom = page.top - HEADS - height
    plot = page.plot(left, bottom, size * len(columns), height)
    plot.set_axis_off()
    plot.set_xlim(0, size * len(columns))
    plot.set_ylim(height, 0)
    plot.xaxis.set_major_locator(NullLocator())
    for column, experiment in enumerate(columns):
        page.write(
            left + size * (column + 0.5), page.top - HEADS / 2, experiment, size=labels.SIZE,
            color=style.INK, ha="center", va="center_baseline",
        )
        for row, model in enumerate(models):
            square = squares.get((model, experiment))
            middle = (left + size * (column + 0.5), bottom + height - ROW * (row + 0.5))
            if square is None:
                page.write(*middle, "–", size=labels.SIZE, color=style.MUTED, ha="center", va="center_baseline")
                continue
            colour, ink = _colours(square.factor)
            box = Rectangle(
                (size * column + GAP, ROW * row + GAP), size - 2 * GAP, ROW - 2 * GAP,
                facecolor=style.themed(colour), linewidth=0,
            )
            box.set_gid(f"{model}-{experiment}")
            plot.add_patch(box)
            number = f"{square.factor:.2f}" if square.factor < 10 else f"{square.factor:.0f}"
            number += "*" if square.points < points[experiment] else ""
            page.write(
                *middle, f"({number})" if square.flagged else number, size=labels.SIZE,
                color=style.themed(ink), ha="center", va="center_baseline",
            )
    for row, model in enumerate(models):
        page.write(
            left - 8, bottom + height - ROW * (row + 0.5), model, size=labels.SIZE, ha="right",
            va="center_baseline", color=style.text_colour(table.look(report, model).colour),
        )
    return page.figure


def _colours(factor: float) -> tuple[str, str]:
    """Of a square, and of the number in it."""
    share = min(max(factor - 1, 0.0) / (FARTHEST - 1), 1.0) ** 0.6
    return style.heat(share)
