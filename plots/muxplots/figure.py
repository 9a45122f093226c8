"""Draw one table in the form that suits it. All lengths are points.

Few models share one plot. Many would hide each other there, so each family gets a panel or more, in
which all other models stay as grey lines to compare with. Where few values were measured
there is no line to draw, and each model gets a row instead.
"""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from muxplots import axes, captions, families, labels, lines, rows, style
from muxplots.axes import Across, Measure
from muxplots.layout import SCREEN, Layout
from muxplots.page import EDGE, LEFT, UNDER, UNDER_TITLE, Page
from muxplots.report import Report
from muxplots.table import Line, Table

ONE_HEIGHT = 300.0
ABOVE = 16.0

FAMILY_SIZE = 10.0
FAMILY_ROOM = 22.0

# How dense a band is, and how many of them on top of each other are not yet a solid block.
BAND = 0.14
CLEAR_BANDS = 8


def draw(report: Report, table: Table, layout: Layout = SCREEN) -> Figure:
    """The chart of a table, as a page of its own."""
    if not table.has_lines:
        return rows.draw(report, table, layout)
    if len(table.lines) > layout.models:
        return _draw_panels(report, table, layout)
    return _draw_one(report, table, layout)


def _draw_one(report: Report, table: Table, layout: Layout) -> Figure:
    beside = lines.column_width([line.name for line in table.lines])
    width = max(layout.one - LEFT - beside - EDGE, layout.narrowest)
    page = Page(
        LEFT + width + beside + EDGE,
        ABOVE + ONE_HEIGHT + UNDER + UNDER_TITLE + EDGE,
        captions.title(table),
        captions.subtitle(report, table),
        captions.caption(report, table, "Line", "band or bar"),
    )
    bottom = page.top - ABOVE - ONE_HEIGHT
    plot = page.plot(LEFT, bottom, width, ONE_HEIGHT)
    measure = Measure(table)
    fill(plot, Across(table.values), measure, table.lines, behind=())
    page.write_across_title(axes.across_title(table.parameter), LEFT + width / 2, bottom)
    page.write_up_title(measure.title(), bottom + ONE_HEIGHT / 2)
    return page.figure


def _draw_panels(report: Report, table: Table, layout: Layout) -> Figure:
    panels = families.group(table.lines, lambda line: line.look.family, layout.models)
    columns = min(layout.across, len(panels))
    height = max(layout.panel, labels.room_for(max(len(group) for _, group in panels)))
    row_height = FAMILY_ROOM + height + UNDER + 4
    beside = lines.column_width([line.name for line in table.lines]) + EDGE
    width = max((layout.panels - LEFT - EDGE) / columns - beside, layout.narrowest)
    body = math.ceil(len(panels) / columns) * row_height
    page = Page(
        LEFT + columns * (width + beside) + EDGE,
        body + UNDER_TITLE + EDGE,
        captions.title(table),
        captions.subtitle(report, table),
        captions.caption(
            report, table, "Line", "band or bar",
            key="Grey: all other models.",
        ),
    )
    across, measure = Across(table.values), Measure(table)
    for index, (title, group) in enumerate(panels):
        row, column = divmod(index, columns)
        left = LEFT + column * (width + beside)
        bottom = page.top - row * row_height - FAMILY_ROOM - height
        plot = page.plot(left, bottom, width, height)
        others = [line for line in table.lines if line not in group]
        fill(plot, across, measure, group, others)
        plot.tick_params(labelleft=column == 0)
        page.write(
            left, bottom + height + 6, title,
            size=FAMILY_SIZE, weight="bold", color=style.INK, va="bottom",
        )
        # The lowest panel of each column carries the title of the axis.
        if index + columns >= len(panels):
            across_title = axes.across_title(table.parameter)
            page.write_across_title(across_title, left + width / 2, bottom)
    page.write_up_title(measure.title(), page.top - body / 2)
    return page.figure


def fill(
    plot: Axes, across: Across, measure: Measure, named: Sequence[Line], behind: Sequence[Line]
) -> None:
    axes.dress(plot)
    across.apply(plot, plot.get_window_extent().width)
    measure.apply_up(plot)
    lines.draw_behind(plot, across, behind)
    alpha = BAND * min(1.0, CLEAR_BANDS / len(named))
    # Short lines last: a model of one point would vanish under the many that pass there.
    for line in sorted(named, key=lambda line: -len(line.drawn())):
        lines.draw(plot, across, measure.limits[0], line, alpha)
        lines.draw_fit(plot, line)
    lines.draw_names(plot, across, named)
