"""Curves in one plot, or in panels by family with all others in grey behind. Lengths are points."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.path import Path

from muxplots import axes, families, labels, lines, style, text
from muxplots.figure import ABOVE, FAMILY_ROOM, FAMILY_SIZE, ONE_HEIGHT
from muxplots.labels import End, Scene
from muxplots.layout import Layout
from muxplots.page import EDGE, LEFT, UNDER, UNDER_TITLE, Page
from muxplots.style import Look

# A curve that ends this close to the right edge, as a share of the width, is named beside the plot.
NEAR_EDGE = 0.3


@dataclass(frozen=True)
class Curve:
    model: str
    look: Look
    x: tuple[float, ...]
    y: tuple[float, ...]
    flagged: bool


@dataclass(frozen=True)
class Words:
    title: str
    subtitle: str
    caption: str
    across: str
    up: str


def draw(
    curves: Sequence[Curve], dress: Callable[[Axes], None], words: Words, layout: Layout
) -> Figure:
    """`dress` sets scales, limits and marks of a plot, the same for each."""
    groups = [("", list(curves))]
    if len(curves) > layout.models:
        groups = families.group(curves, lambda curve: curve.look.family, layout.models)
    columns = min(layout.across, len(groups))
    most = max(len(group) for _, group in groups)
    least = layout.panel if len(groups) > 1 else ONE_HEIGHT
    height = max(least, labels.room_for(most))
    head = FAMILY_ROOM if len(groups) > 1 else ABOVE
    row_height = head + height + UNDER + 4
    beside = lines.column_width([curve.model for curve in curves]) + EDGE
    whole = layout.panels if columns > 1 else layout.one
    width = max((whole - LEFT - EDGE) / columns - beside, layout.narrowest)
    body = math.ceil(len(groups) / columns) * row_height
    grey = " Grey: all other models." if len(groups) > 1 else ""
    page = Page(
        LEFT + columns * (width + beside) + EDGE, body + UNDER_TITLE + EDGE,
        words.title, words.subtitle, words.caption + grey,
    )
    for index, (title, group) in enumerate(groups):
        row, column = divmod(index, columns)
        left = LEFT + column * (width + beside)
        bottom = page.top - row * row_height - head - height
        plot = page.plot(left, bottom, width, height)
        axes.dress(plot)
        dress(plot)
        plot.tick_params(labelleft=column == 0)
        _fill(plot, group, [curve for curve in curves if curve not in group])
        if title:
            page.write(
                left, bottom + height + 6, title,
                size=FAMILY_SIZE, weight="bold", color=style.INK, va="bottom",
            )
        if index + columns >= len(groups):
            page.write_across_title(words.across, left + width / 2, bottom)
    page.write_up_title(words.up, page.top - body / 2)
    return page.figure


def _fill(plot: Axes, named: Sequence[Curve], behind: Sequence[Curve]) -> None:
    strokes = [list(zip(curve.x, curve.y)) for curve in behind]
    plot.add_collection(
        LineCollection(strokes, colors=style.BEHIND, linewidths=0.9, zorder=1), autolim=False
    )
    scene = Scene(frame=plot.get_window_extent())
    ends = []
    for curve in named:
        (stroke,) = plot.plot(
            curve.x, curve.y, color=curve.look.colour, linewidth=lines.LINE_WIDTH,
            linestyle=(0, (4, 2)) if curve.flagged else "-", zorder=3,
        )
        stroke.set_gid(f"{curve.model}-line")
        on_page = plot.transData.transform(list(zip(curve.x, curve.y)))
        scene.strokes = [*scene.strokes, Path(on_page)]
        at_edge = bool(on_page[-1][0] >= scene.frame.x1 - NEAR_EDGE * scene.frame.width)
        width = text.width(curve.model, labels.SIZE)
        ends.append(End(curve.model, on_page[-1][0], on_page[-1][1], width, at_edge))
    known = {curve.model: (curve.look, end) for curve, end in zip(named, ends)}
    for placed in labels.place(ends, scene, scene.frame.x1 + lines.LEADER + lines.KEY):
        look, end = known[placed.name]
        lines.draw_name(plot, placed.name, look, end, placed, scene.frame)
