"""Models in order at a point: a metric over that of the reference, with its 95 % interval.

Ratios and intervals are the driver's: of slices that were measured side by side. Lengths are points.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from muxplots import axes, captions, labels, lines, metrics, style, table, text, trials
from muxplots.chart import Chart
from muxplots.layout import Layout
from muxplots.metrics import Metric
from muxplots.page import EDGE, SUBTITLE_LINE, SUBTITLE_SIZE, UNDER, UNDER_TITLE, Page
from muxplots.report import Cell, Experiment, Relative, Report, at_point, place, reference_of
from muxplots.style import Look

ROW = 14.0
HEAD = 24.0
HEAD_SIZE = 10.0
BEFORE_NAMES = 8.0
COLUMN_GAP = 8.0

# An axis reaches at least so far on both sides of 1.
LEAST_REACH = 1.03
# And no further than this, lest one model press all others flat. What is beyond stands at the edge.
FARTHEST = 4.0
BEYOND = "Arrow: beyond the edge."


@dataclass(frozen=True)
class Row:
    name: str
    look: Look | None  # None: the reference under its second name
    relative: Relative
    told: str  # the ratio in words
    value: str  # with its unit
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Panel:
    heading: str
    reference: str
    more_is_better: bool
    rows: tuple[Row, ...]  # from the best; those that are flagged at the end, and not in order
    noise: float | None = None  # a factor: how far from itself the reference may be
    note: str = ""  # below the heading
    bands: tuple[tuple[str, int, int], ...] = ()  # a tint, of the light theme, behind rows from one to before another


@dataclass(frozen=True)
class Words:
    title: str
    subtitle: str
    caption: str


def plan(report: Report, experiment: Experiment, kind: str, key: str) -> Chart | None:
    """None where no two models were measured side by side."""
    panels = tabulate(report, experiment, key)
    if not panels:
        return None
    metric = report.metrics[key]
    title = f"{metric.heading}, relative to {' or '.join(sorted({one.reference for one in panels}))}"
    return Chart(
        f"{experiment.name}-ranking-{kind}", title, _alternative(title, panels), experiment.name,
        partial(draw, panels, Words(
            title, " · ".join([experiment.question, *captions.run(report, experiment)]),
            _caption(report, experiment, metric, panels),
        )),
    )


def tabulate(report: Report, experiment: Experiment, key: str) -> list[Panel]:
    """The first point and the largest that most models reached."""
    cells = [
        cell for cell in report.cells
        if cell.experiment == experiment.name and cell.sliced and key in cell.relative
    ]
    points = {at: mine for at, mine in at_point(cells).items() if len(mine) > 1}
    main = trials.main_point(report, experiment, key)
    kept = list(dict.fromkeys([*list(points)[:1], *(place(cell) for cell in main[:1])]))
    twins = {place(twin): twin for twin in report.twins if key in twin.relative}
    return [_panel(report, report.metrics[key], points[at], twins.get(at)) for at in kept if at in points]


def _panel(report: Report, metric: Metric, cells: Sequence[Cell], twin: Cell | None) -> Panel:
    reference = reference_of(cells)
    rows = [
        _row(metric, cell, cell.model, table.look(report, cell.model), "reference" if cell.model == reference else None)
        for cell in cells
    ]
    rows += [_row(metric, twin, again(reference), None, None)] if twin else []
    sign = -1 if metric.more_is_better else 1
    clean = sorted((row for row in rows if not row.flags), key=lambda row: sign * row.relative.ratio)
    flagged = [row for row in rows if row.flags]
    return Panel(
        trials.describe_point(cells[0]), reference, metric.more_is_better, (*clean, *flagged),
        reach(twin.relative[metric.key]) if twin else None,
    )


def _row(metric: Metric, cell: Cell, name: str, look: Look | None, told: str | None) -> Row:
    summary = cell.summary.get(metric.key)
    value = metrics.show(summary.median, metric.unit) if summary else ""
    relative = cell.relative[metric.key]
    return Row(name, look, relative, told or difference(relative.ratio), value, cell.flags_against(metric.key))


def again(reference: str) -> str:
    return f"{reference} (again)"


def reach(relative: Relative) -> float:
    """How far the interval lies from 1, as a factor."""
    return max(relative.high, 1 / relative.low)


def is_beyond(row: Row) -> bool:
    return not 1 / FARTHEST <= row.relative.ratio <= FARTHEST


def difference(ratio: float) -> str:
    """"-37.9 %", and from twice as much on "3.41 times"."""
    # Adding 0.0 makes a zero of -0.0.
    return f"{ratio:.3g} times" if ratio >= 2 else f"{round(100 * (ratio - 1), 1) + 0.0:+.1f} %"


def _alternative(title: str, panels: Sequence[Panel]) -> str:
    told = [
        f"At {one.heading}: " + ", ".join(f"{row.name} {row.told}" for row in one.rows) + "."
        for one in panels
    ]
    return f"Chart: {title}. {' '.join(told)}"


def draw(panels: Sequence[Panel], words: Words, layout: Layout) -> Figure:
    columns = min(layout.across, len(panels))
    rows = [row for panel in panels for row in panel.rows]
    left, told, value = (
        max(text.width(words, labels.SIZE) for words in column) + COLUMN_GAP
        for column in ([row.name for row in rows], [row.told for row in rows], [row.value for row in rows])
    )
    whole = layout.panels if columns > 1 else layout.one
    width = max((whole - EDGE) / columns - left - told - value - EDGE, layout.narrowest)
    step = left + width + told + value + EDGE
    head = HEAD + (SUBTITLE_LINE if any(panel.note for panel in panels) else 0)
    shelves = [panels[start:start + columns] for start in range(0, len(panels), columns)]
    heights = [head + max(map(_height, shelf)) + UNDER + UNDER_TITLE + 6 for shelf in shelves]
    page = Page(EDGE + columns * step, sum(heights) + 6, words.title, words.subtitle, words.caption)
    for shelf, above in zip(shelves, accumulate(heights, initial=0)):
        for column, panel in enumerate(shelf):
            edge, top = EDGE + column * step, page.top - above - head
            plot = page.plot(edge + left, top - _height(panel), width, _height(panel))
            _fill(page, plot, panel, edge + left, top, width, told + value)
            _write_heads(page, panel, edge, top)
            side = "right" if panel.more_is_better else "left"
            page.write_across_title(
                f"Ratio (log scale; {side} is better)", edge + left + width / 2, top - _height(panel)
            )
    return page.figure


def _height(panel: Panel) -> float:
    return ROW * (len(panel.rows) + 0.5)


def _write_heads(page: Page, panel: Panel, left: float, top: float) -> None:
    above = SUBTITLE_LINE if panel.note else 0
    page.write(left, top + above + 6, panel.heading, size=HEAD_SIZE, weight="bold", color=style.INK, va="bottom")
    page.write(left, top + 6, panel.note, size=SUBTITLE_SIZE, color=style.MUTED, va="bottom")


def _fill(
    page: Page, plot: Axes, panel: Panel, left: float, top: float, width: float, beside: float
) -> None:
    axes.dress(plot, grid="x")
    plot.set_ylim(len(panel.rows) - 0.25, -0.75)
    plot.yaxis.set_major_locator(NullLocator())
    _scale(plot, panel, width)
    if panel.noise:
        band = plot.axvspan(1 / panel.noise, panel.noise, color=style.GRID, linewidth=0, zorder=0)
        band.set_gid("noise")
    for tint, first, end in panel.bands:
        plot.axhspan(first - 0.5, end - 0.5, color=style.themed(tint), linewidth=0, zorder=-1)
    plot.axvline(1, color=style.MUTED, linewidth=0.9, zorder=1)
    for number, row in enumerate(panel.rows):
        colour = row.look.colour if row.look else style.MUTED
        plot.hlines(number, row.relative.low, row.relative.high, color=colour, linewidth=1.6, zorder=3)
        look = row.look or Look(style.OTHER_FAMILY, style.MUTED, "o")
        ratio = row.relative.ratio
        edge = {"marker": ">" if ratio > 1 else "<"} if is_beyond(row) else {}
        mark = plot.plot(
            min(max(ratio, 1 / FARTHEST), FARTHEST), number, linestyle="none", zorder=4, clip_on=False,
            **lines.marker(look, bool(row.flags)) | edge,
        )[0]
        mark.set_gid(f"{row.name}-ratio")
        y = top - ROW * (number + 0.75)
        how = {"size": labels.SIZE, "va": "center_baseline"}
        page.write(
            left - BEFORE_NAMES, y, row.name, ha="right", gid=f"{row.name}-name",
            color=style.text_colour(colour), **how,
        )
        ink = style.MUTED if row.flags or row.look is None else style.INK
        page.write(left + width + COLUMN_GAP, y, row.told, color=ink, **how)
        page.write(left + width + beside, y, row.value, color=ink, ha="right", **how)


def _scale(plot: Axes, panel: Panel, width: float) -> None:
    noise = panel.noise or 1.0
    low = min(1 / LEAST_REACH, 1 / noise, *(row.relative.low for row in panel.rows))
    high = max(LEAST_REACH, noise, *(row.relative.high for row in panel.rows))
    margin = (high / low) ** 0.03
    low, high = max(low / margin, 1 / FARTHEST), min(high * margin, FARTHEST)
    plot.set_xscale("log")
    plot.set_xlim(low, high)
    marks = axes.ratio_marks(low, high, width)
    plot.xaxis.set_major_locator(FixedLocator(marks))
    plot.xaxis.set_major_formatter(FixedFormatter([f"{mark:g}" for mark in marks]))
    plot.xaxis.set_minor_locator(NullLocator())


def _caption(
    report: Report, experiment: Experiment, metric: Metric, panels: Sequence[Panel]
) -> str:
    rows = [row for panel in panels for row in panel.rows]
    parts = ["Marker: ratio over slices that were measured side by side; line: 95 % interval. "
             f"Beside it: the difference, and the median of {captions.samples(_cells(report, experiment))}."]
    if any(is_beyond(row) for row in rows):
        parts.append(BEYOND)
    if any(panel.noise for panel in panels):
        parts.append("Band and “(again)”: the same server measured twice; a difference within the band may be noise.")
    flags = sorted({flag.replace("_", " ") for row in rows for flag in row.flags})
    if flags:
        parts.append(f"Hollow: flagged and not ranked ({', '.join(flags)}).")
    parts += _absent(report, experiment, metric)
    return " ".join(parts)


def _absent(report: Report, experiment: Experiment, metric: Metric) -> list[str]:
    """Which models have no ratio here."""
    cells = [cell for cell in _cells(report, experiment) if cell.status == "measured"]
    compared = {cell.model for cell in cells if metric.key in cell.relative}
    cells = [cell for cell in cells if cell.model not in compared]
    withheld = dict.fromkeys(cell.model for cell in cells if metric.key in cell.withheld)
    others = dict.fromkeys(cell.model for cell in cells if cell.model not in withheld)
    parts = [f"{', '.join(withheld)}: {table.why_withheld(cells, metric.key)}."] if withheld else []
    return parts + ([f"No ratio: {', '.join(others)}."] if others else [])


def _cells(report: Report, experiment: Experiment) -> list[Cell]:
    return [cell for cell in report.cells if cell.experiment == experiment.name]
