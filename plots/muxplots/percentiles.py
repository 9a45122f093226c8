"""Latency by percentile on HdrHistogram's axis: each step to the right is ten times rarer."""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter, NullLocator

from muxplots import axes, captions, metrics, panels, table, text, trials
from muxplots.chart import Absent, Chart
from muxplots.layout import Layout
from muxplots.panels import Curve
from muxplots.report import Experiment, Report
from muxplots.trials import Trial

# A percentile is drawn only when so many samples lie beyond it.
BEYOND = 10
STEPS_PER_DECADE = 24
TITLE = "Latency by percentile"


def plan(report: Report, experiment: Experiment) -> Chart | Absent:
    name = f"{experiment.name}-percentiles"
    cells = trials.main_point(report, experiment)
    mine = trials.by_cell(report)
    curves = []
    for cell in sorted(cells, key=lambda cell: table.rank(report, cell.model)):
        points = quantiles(mine.get(cell.id, [])) if metrics.P99 not in cell.withheld else None
        if points is not None:
            curves.append(Curve(cell.model, table.look(report, cell.model), *points, bool(cell.flags_against(metrics.P99))))
    if not curves:
        withheld = table.why_withheld(cells, metrics.P99)
        return Absent(name, withheld or "no trial has a histogram with enough samples")
    alt = (
        f"Chart: {TITLE} for {len(curves)} models at {trials.describe_point(cells[0])}. "
        + captions.found(report, experiment.name, metrics.P99)
    )
    subtitle = " · ".join(
        [f"{experiment.name}: {trials.describe_point(cells[0])}", captions.loop(experiment),
         *captions.run(report, experiment)]
    )
    whole = f"All {captions.samples(cells).replace('rounds', 'undisturbed slices')} of a model together"
    return Chart(name, TITLE, alt, experiment.name, partial(_draw, curves, subtitle, whole))


def quantiles(mine: Sequence[Trial]) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """1 / (1 - quantile), and the latency there, over the samples of all trials together."""
    pairs = sorted(pair for trial in mine for pair in trial.latencies)
    if not pairs:
        return None
    values, counts = (np.array(column) for column in zip(*pairs))
    beneath = np.cumsum(counts)
    total = int(beneath[-1])
    deepest = math.log10(total / BEYOND) if total > BEYOND else 0.0
    if deepest <= math.log10(2):
        return None
    steps = np.arange(math.log10(2), deepest, 1 / STEPS_PER_DECADE)
    rarity = np.append(10**steps, 10**deepest)
    ranks = np.ceil(total * (1 - 1 / rarity)).clip(1)
    return tuple(rarity), tuple(values[np.searchsorted(beneath, ranks)].astype(float))


def _draw(curves: Sequence[Curve], subtitle: str, whole: str, layout: Layout) -> Figure:
    deepest = max(curve.x[-1] for curve in curves)
    lowest = min(curve.y[0] for curve in curves)
    highest = max(curve.y[-1] for curve in curves)
    is_log = highest > axes.WIDE / 3 * lowest

    def dress(plot: Axes) -> None:
        plot.set_xscale("log")
        plot.set_xlim(2, deepest * 1.02)
        marks = _marks(deepest * 1.02, plot.get_window_extent().width)
        plot.xaxis.set_major_locator(FixedLocator(marks))
        plot.xaxis.set_major_formatter(FixedFormatter([_percent(mark) for mark in marks]))
        plot.xaxis.set_minor_locator(NullLocator())
        plot.xaxis.set_minor_formatter(NullFormatter())
        limits = (lowest / 1.15, highest * 1.15) if is_log else (0, highest * 1.05)
        axes.scale_time(plot, limits, is_log)

    flagged = " Dashed: flagged." if any(curve.flagged for curve in curves) else ""
    unit = "log scale" if is_log else text.time_unit(highest * 1.05)[1]
    return panels.draw(
        curves, dress,
        panels.Words(
            TITLE, subtitle,
            f"{whole}; drawn as deep as 10 samples lie beyond.{flagged}",
            "Percentile", f"Latency ({unit})",
        ),
        layout,
    )


def _marks(right: float, points: float) -> list[int]:
    """Decades of an axis that is `points` long, and its start, while their names have room."""
    per_decade = points / math.log10(right / 2)
    marks: list[int] = []
    end = math.inf
    for mark in (100_000, 10_000, 1000, 100, 10, 2):
        middle = math.log10(mark / 2) * per_decade
        half = text.width(_percent(mark), axes.TICK_SIZE) / 2 + 2
        if mark <= right and middle + half <= end:
            marks.insert(0, mark)
            end = middle - half
    return marks


def _percent(rarity: int) -> str:
    return f"{100 * (1 - 1 / rarity):.10g} %"
