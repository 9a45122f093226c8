"""Trials in the order they ran: did the machine change while it measured?"""

import statistics
from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from muxplots import axes, captions, style, trials
from muxplots.chart import Absent, Chart
from muxplots.layout import Layout
from muxplots.page import EDGE, LEFT, UNDER, UNDER_TITLE, Page
from muxplots.report import Report

NAME = "drift"
TITLE = "Throughput of each trial against the others of its cell, in the order they ran"
HEIGHT = 220.0
# Fewer trials than this have no drift to speak of.
FEWEST = 8
# Beyond this a trial stands at the edge, lest it press all others flat.
MOST = 0.5
# Places without a dot that the line may cross: a cell measured under a second name leaves such. Where more are missing it ends,
# and goes on behind them.
MOST_MISSING = 2


def plan(report: Report) -> Chart | Absent:
    deviations = relative(report)
    if len(deviations) < FEWEST:
        return Absent(NAME, f"fewer than {FEWEST} trials of cells with several")
    places, values = zip(*deviations)
    trend = running_median(places, values)
    low, high = min(trend), max(trend)
    spread = f"The running median stays between {100 * low:+.1f} % and {100 * high:+.1f} %."
    return Chart(NAME, TITLE, f"Chart: {TITLE}. {spread}", None,
                 partial(_draw, report, places, values, trend, spread))


def relative(report: Report) -> list[tuple[int, float]]:
    """Order, and how far a trial's throughput lies from the median of its cell's other trials."""
    cells = trials.by_cell(report)
    found = []
    for one in trials.of(report):
        others = [other.rate for other in cells[one.cell] if other is not one and other.rate is not None]
        # Of rounds the chart of the host tells more.
        if one.rate is not None and not one.slices and others and statistics.median(others) > 0:
            found.append((one.order, one.rate / statistics.median(others) - 1))
    return found


def running_median(places: Sequence[int], values: Sequence[float]) -> list[float]:
    """Over a tenth of the trials around each, of those on its side of any gap."""
    half = max(2, len(values) // 20)
    return [
        statistics.median(values[max(start, at - half):min(end, at + half + 1)])
        for start, end in stretches(places)
        for at in range(start, end)
    ]


def stretches(places: Sequence[int]) -> list[tuple[int, int]]:
    """Where in `places` each stretch without a gap begins and ends."""
    breaks = [at for at in range(1, len(places)) if places[at] - places[at - 1] > MOST_MISSING + 1]
    return list(zip([0, *breaks], [*breaks, len(places)]))


def _draw(
    report: Report, places: Sequence[int], values: Sequence[float], trend: Sequence[float],
    spread: str, layout: Layout,
) -> Figure:
    width = layout.one - LEFT - EDGE
    beyond = sum(abs(value) > MOST for value in values)
    edge = f" Beyond the edges, and drawn on them: {beyond}." if beyond else ""
    gaps = stretches(places)
    ends = " It ends where trials failed, or counted system calls." if len(gaps) > 1 else ""
    page = Page(
        layout.one, HEIGHT + UNDER + UNDER_TITLE + EDGE + 10, TITLE,
        " · ".join(captions.run(report)),
        f"Dots: trials; line: running median over a tenth of them.{ends} {spread}{edge}",
    )
    bottom = page.top - 10 - HEIGHT
    plot = page.plot(LEFT, bottom, width, HEIGHT)
    axes.dress(plot)
    limit = min(MOST, max(0.02, *(abs(value) for value in values)) * 1.08)
    plot.set_ylim(-limit, limit)
    plot.set_xlim(-1, max(places) + 1)
    plot.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    plot.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:+.0f} %" if value else "0"))
    plot.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    plot.axhline(0, color=style.MUTED, linewidth=0.8)
    dots = plot.plot(
        places, np.clip(values, -limit, limit), linestyle="none", marker=".", markersize=4,
        color=style.MUTED, alpha=0.6, markeredgewidth=0, clip_on=False, zorder=3,
    )[0]
    dots.set_gid("trials")
    colour = style.themed(style.ACCENT)
    for start, end in gaps:
        line = plot.plot(places[start:end], trend[start:end], color=colour, linewidth=1.8, zorder=4)[0]
        line.set_gid("trend")
    page.write_across_title("Trial", LEFT + width / 2, bottom)
    page.write_up_title("From the median of the others", bottom + HEIGHT / 2)
    return page.figure
