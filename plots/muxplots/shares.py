"""Which share of the requests each worker had, where the first one was slowed. All lengths are points."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from muxplots import axes, captions, labels, lines, metrics, style, table, text, trials
from muxplots.chart import Absent, Chart
from muxplots.layout import Layout
from muxplots.page import EDGE, UNDER, UNDER_TITLE, Page
from muxplots.report import Cell, Experiment, Report
from muxplots.style import Look

TITLE = "Share of requests of each worker"
ROW = 16.0
ABOVE = 24.0
GAP = 10.0


@dataclass(frozen=True)
class Row:
    model: str
    look: Look
    shares: tuple[float, ...]  # of each worker, the slow one first; their sum is 1
    told: str
    flagged: bool


def is_for(experiment: Experiment) -> bool:
    return "slow_worker_us" in experiment.swept


def plan(report: Report, experiment: Experiment) -> Chart | Absent:
    name = f"{experiment.name}-shares"
    cells = [
        cell for cell in trials.main_point(report, experiment)
        if any(one.worker_requests for one in trials.by_cell(report).get(cell.id, []))
    ]
    if not cells:
        return Absent(name, "no trial says what each worker answered")
    rows = sorted((_row(report, cell) for cell in cells), key=lambda row: (row.shares[0] * len(row.shares), row.model))
    where = trials.describe_point(cells[0])
    told = "; ".join(f"{row.model} {_percent(row.shares[0])} of {len(row.shares)} workers" for row in rows)
    return Chart(
        name, TITLE, f"Chart: {TITLE} at {where}. What the slow worker had: {told}.", experiment.name,
        partial(_draw, report, experiment, where, rows),
    )


def _row(report: Report, cell: Cell) -> Row:
    by_trial = [one.worker_requests for one in trials.by_cell(report)[cell.id] if sum(one.worker_requests)]
    shares = tuple(
        statistics.median(part) for part in zip(*([count / sum(one) for count in one] for one in by_trial))
    )
    p99 = cell.summary.get(metrics.P99)
    told = f"{_percent(shares[0])}, p99 {metrics.show(p99.median, 'ns')}" if p99 else _percent(shares[0])
    return Row(cell.model, table.look(report, cell.model), shares, told, bool(cell.flags_against(metrics.P99)))


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _draw(report: Report, experiment: Experiment, where: str, rows: Sequence[Row], layout: Layout) -> Figure:
    left = EDGE + max(text.width(row.model, labels.SIZE) for row in rows) + GAP
    beside = max(text.width(row.told, labels.SIZE) for row in rows) + 2 * GAP
    width = max(layout.one - left - beside - EDGE, layout.narrowest)
    height = ROW * (len(rows) + 0.5)
    page = Page(
        left + width + beside + EDGE, ABOVE + height + UNDER + UNDER_TITLE + EDGE, TITLE,
        " · ".join([experiment.question, where, *captions.run(report, experiment)]),
        "Marker: the slow worker, whose share is written behind it; it is hollow where the p99 is flagged. Grey: each of the "
        "other workers. Stroke: an even share. Shares are medians of trials, from a server's start to its end. "
        "The models that took most from the slow worker come first.",
    )
    bottom = page.top - ABOVE - height
    plot = page.plot(left, bottom, width, height)
    axes.dress(plot, grid="x")
    plot.set_ylim(len(rows) - 0.25, -0.75)
    plot.yaxis.set_major_locator(NullLocator())
    plot.set_xlim(0, 1.05 * max(max(row.shares) for row in rows))
    plot.xaxis.set_major_locator(MaxNLocator(nbins=axes.most_marks(width), steps=[1, 2, 2.5, 5, 10]))
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _percent(value)))
    for place, row in enumerate(rows):
        plot.vlines(1 / len(row.shares), place - 0.4, place + 0.4, color=style.MUTED, linewidth=1.0, zorder=2)
        others = plot.plot(
            row.shares[1:], [place] * (len(row.shares) - 1), linestyle="none", marker="o", markersize=4,
            color=style.BEHIND, zorder=3, clip_on=False,
        )[0]
        others.set_gid(f"{row.model}-others")
        slow = plot.plot(
            row.shares[0], place, linestyle="none", zorder=4, clip_on=False, **lines.marker(row.look, row.flagged),
        )[0]
        slow.set_gid(f"{row.model}-slow")
        y = bottom + height - ROW * (place + 0.75)
        how = {"size": labels.SIZE, "va": "center_baseline"}
        page.write(
            left - GAP, y, row.model, ha="right", color=style.text_colour(row.look.colour), gid=f"{row.model}-name", **how,
        )
        page.write(left + width + 2 * GAP, y, row.told, color=style.MUTED if row.flagged else style.INK, **how)
    page.write_across_title("Share of all requests", left + width / 2, bottom)
    return page.figure
