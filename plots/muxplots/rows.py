"""The chart of a table with one value: a row per model, its median and spread along the measure.

Rows stand in the order of families and not of results: a flagged cell must not be ranked.
"""

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from muxplots import axes, captions, labels, lines, style, text
from muxplots.axes import Measure
from muxplots.layout import Layout
from muxplots.page import EDGE, UNDER, UNDER_TITLE, Page
from muxplots.report import Report
from muxplots.table import Table

ROW = 16.0
ABOVE = 12.0
BEFORE_NAMES = 10.0


def draw(report: Report, table: Table, layout: Layout) -> Figure:
    return draw_rows(
        table,
        layout,
        captions.title(table),
        captions.subtitle(report, table),
        captions.caption(report, table, "Marker", "bar"),
    )


def draw_rows(table: Table, layout: Layout, title: str, subtitle: str, caption: str) -> Figure:
    names = max(text.width(line.name, labels.SIZE) for line in table.lines)
    left = EDGE + names + BEFORE_NAMES
    width = max(layout.one - left - 2 * EDGE, layout.narrowest)
    height = ROW * (len(table.lines) + 1)
    page = Page(
        left + width + 2 * EDGE,
        ABOVE + height + UNDER + UNDER_TITLE + EDGE,
        title,
        subtitle,
        caption,
    )
    bottom = page.top - ABOVE - height
    plot = page.plot(left, bottom, width, height)
    axes.dress(plot, grid="x")
    measure = Measure(table)
    measure.apply_across(plot, width)
    plot.set_ylim(len(table.lines), -1)
    plot.yaxis.set_major_locator(NullLocator())
    for row, line in enumerate(table.lines):
        (point,) = line.drawn()
        statistic = point.statistic
        low = max(statistic.low, measure.limits[0])
        plot.hlines(row, low, statistic.high, color=line.look.colour, linewidth=2, alpha=0.5)
        lines.draw_marks(plot, line, [statistic.median], [row], bool(point.flags))
        page.write(
            left - BEFORE_NAMES, bottom + height - ROW * (row + 1), line.name,
            size=labels.SIZE, color=style.text_colour(line.look.colour),
            ha="right", va="center_baseline", gid=f"{line.model}-name",
        )
    page.write_across_title(measure.title(), left + width / 2, bottom)
    return page.figure
