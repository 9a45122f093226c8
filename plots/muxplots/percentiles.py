"""Latency by percentile on HdrHistogram's axis: each step to the right is ten times rarer.

A percentile is the median of those of the trials or rounds, as in tables.
"""

import math
import statistics
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

# A trial has a percentile only when so many samples lie beyond it.
BEYOND = 10
FEWEST = 2 * BEYOND
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
    return Chart(name, TITLE, alt, experiment.name, partial(_draw, curves, subtitle, captions.samples(cells)))


def quantiles(mine: Sequence[Trial]) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """1 / (1 - quantile), and the median over trials of the latency there, as deep as all trials have it."""
    told = [columns for one in mine if (columns := _cumulated(one)) and columns[1][-1] >= FEWEST]
    if not told:
        return None
    deepest = min(int(beneath[-1]) for _, beneath in told) / BEYOND
    rarity = _rarities(deepest)
    if len(rarity) < 2:
        return None
    by_trial = [_at(values, beneath, rarity) for values, beneath in told]
    return tuple(rarity), tuple(statistics.median(column) for column in zip(*by_trial))


def _cumulated(one: Trial) -> tuple[np.ndarray, np.ndarray] | None:
    """The latencies of a histogram, and how many samples are no longer than each."""
    if not one.latencies:
        return None
    values, counts = (np.array(column) for column in zip(*sorted(one.latencies)))
    return values, np.cumsum(counts)


def _rarities(deepest: float) -> list[float]:
    """Even steps of a logarithmic axis from 2, with 10, 100 and so on among them."""
    first, last = (math.log10(end) * STEPS_PER_DECADE for end in (2, deepest))
    steps = [10 ** (step / STEPS_PER_DECADE) for step in range(math.floor(first) + 1, math.ceil(last))]
    return [2.0, *steps, deepest] if deepest > 2 else [2.0]


def _at(values: np.ndarray, beneath: np.ndarray, rarity: Sequence[float]) -> list[float]:
    """By nearest rank, as the driver takes a percentile from a histogram."""
    ranks = np.ceil(int(beneath[-1]) * (1 - 1 / np.array(rarity))).clip(1)
    return values[np.searchsorted(beneath, ranks)].astype(float).tolist()


def _draw(curves: Sequence[Curve], subtitle: str, samples: str, layout: Layout) -> Figure:
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
            f"Line: median of {samples} at each percentile, as deep as each has {BEYOND} samples beyond it.{flagged}",
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
