"""Dots in rows: the median of each and its spread, along an axis that all panels share. Lengths are points.

Where few values were measured, each has a panel in which models stand from the best on. Those that are
flagged follow in no order.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from muxplots import axes, captions, labels, lines, metrics, style, text
from muxplots.axes import Measure
from muxplots.layout import Layout
from muxplots.page import EDGE, UNDER, UNDER_TITLE, Page
from muxplots.report import Report
from muxplots.table import Scale, Table

ROW = 14.0
ABOVE = 12.0
HEAD = 24.0
HEAD_SIZE = 10.0
BEFORE_NAMES = 10.0


def draw(report: Report, table: Table, layout: Layout) -> Figure:
    panels = [_with_numbers(table.at(value)) for value in table.values]
    words = (
        captions.title(table), captions.subtitle(report, table), captions.caption(report, table, "Marker", "bar"),
    )
    return draw_panels(replace(table, scale=Scale.LOG_WHEN_WIDE), panels, layout, *words)


def _with_numbers(table: Table) -> Table:
    def named(median: float, name: str) -> str:
        return f"{name}  {metrics.show(median, table.metric.unit)}"

    lines = [replace(line, label=named(line.drawn()[0].statistic.median, line.name)) for line in table.lines]
    return replace(table, lines=tuple(lines))


def draw_panels(
    whole: Table, panels: Sequence[Table], layout: Layout, title: str, subtitle: str, caption: str
) -> Figure:
    """`panels` are of a single value each, and `whole` has the points of all of them."""
    names = max(text.width(line.name, labels.SIZE) for panel in panels for line in panel.lines)
    left = names + BEFORE_NAMES
    fitting = int((layout.panels - EDGE) / (left + layout.narrowest + 2 * EDGE))
    columns = max(1, min(layout.across, len(panels), fitting))
    across = layout.panels if columns > 1 else layout.one
    width = max((across - EDGE) / columns - left - 2 * EDGE, layout.narrowest)
    step = left + width + 2 * EDGE
    head = HEAD if len(panels) > 1 else ABOVE
    height = ROW * (max(len(panel.lines) for panel in panels) + 1)
    row_height = head + height + UNDER + UNDER_TITLE
    page = Page(EDGE + columns * step, math.ceil(len(panels) / columns) * row_height + EDGE, title, subtitle, caption)
    measure = Measure(whole)
    for index, panel in enumerate(panels):
        row, column = divmod(index, columns)
        place = EDGE + column * step + left
        top = page.top - row * row_height - head
        tall = ROW * (len(panel.lines) + 1)
        _fill(page, page.plot(place, top - tall, width, tall), panel, measure, place, top)
        page.write_across_title(measure.title(), place + width / 2, top - tall)
        if len(panels) > 1:
            page.write(
                place, top + 6, captions.at_value(panel), size=HEAD_SIZE, weight="bold", color=style.INK, va="bottom",
            )
    return page.figure


def _fill(page: Page, plot: Axes, panel: Table, measure: Measure, left: float, top: float) -> None:
    axes.dress(plot, grid="x")
    measure.apply_across(plot, plot.get_window_extent().width)
    plot.set_ylim(len(panel.lines), -1)
    plot.yaxis.set_major_locator(NullLocator())
    for row, line in enumerate(panel.lines):
        (point,) = line.drawn()
        statistic = point.statistic
        low = max(statistic.low, measure.limits[0])
        plot.hlines(row, low, statistic.high, color=line.look.colour, linewidth=2, alpha=0.5)
        lines.draw_marks(plot, line, [statistic.median], [row], bool(point.flags))
        page.write(
            left - BEFORE_NAMES, top - ROW * (row + 1), line.name, size=labels.SIZE,
            color=style.text_colour(line.look.colour), ha="right", va="center_baseline", gid=f"{line.model}-name",
        )
