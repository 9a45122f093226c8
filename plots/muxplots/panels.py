"""Curves in one plot, or in panels by family with all others in grey behind. Lengths are points."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.transforms import Bbox

from muxplots import axes, families, labels, lines, style, text
from muxplots.figure import ABOVE, FAMILY_ROOM, FAMILY_SIZE, ONE_HEIGHT
from muxplots.labels import End, Scene
from muxplots.layout import Layout
from muxplots.page import EDGE, LEFT, UNDER, UNDER_TITLE, Page
from muxplots.style import Look

# A curve that ends this close to the right edge, as a share of the width, is named beside the plot.
NEAR_EDGE = 0.3
LABEL_SIZE = 7.5
ABOVE_POINT = 6.0


@dataclass(frozen=True)
class Curve:
    model: str
    look: Look
    x: tuple[float, ...]
    y: tuple[float, ...]
    flagged: bool
    labels: tuple[str, ...] = ()  # of its points, which get markers then; the first and the last are named


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
    labelled: list[tuple[float, float]] = []
    for curve in named:
        (stroke,) = plot.plot(
            curve.x, curve.y, color=curve.look.colour, linewidth=lines.LINE_WIDTH,
            linestyle=(0, (4, 2)) if curve.flagged else "-", zorder=3,
        )
        stroke.set_gid(f"{curve.model}-line")
        on_page = plot.transData.transform(list(zip(curve.x, curve.y)))
        scene.strokes = [*scene.strokes, Path(on_page)]
        if curve.labels:
            _mark(plot, curve, on_page, scene, labelled)
        at_edge = bool(on_page[-1][0] >= scene.frame.x1 - NEAR_EDGE * scene.frame.width)
        width = text.width(curve.model, labels.SIZE)
        ends.append(End(curve.model, on_page[-1][0], on_page[-1][1], width, at_edge))
    known = {curve.model: (curve.look, end) for curve, end in zip(named, ends)}
    for placed in labels.place(ends, scene, scene.frame.x1 + lines.LEADER + lines.KEY):
        look, end = known[placed.name]
        lines.draw_name(plot, placed.name, look, end, placed, scene.frame)


def _mark(plot: Axes, curve: Curve, on_page: np.ndarray, scene: Scene, named: list[tuple[float, float]]) -> None:
    """Markers, and what the first and the last point are called; a label that would lie on one of `named` is left out."""
    (marks,) = plot.plot(
        curve.x, curve.y, linestyle="none", zorder=4, clip_on=False, **lines.marker(curve.look, flagged=False),
    )
    marks.set_gid(f"{curve.model}-points")
    scene.marks = [*scene.marks, *((x, y) for x, y in on_page)]
    for end in (-1, 0):
        x, y = on_page[end]
        half = text.width(curve.labels[end], LABEL_SIZE) / 2
        y += ABOVE_POINT
        if any(abs(x - there) < 2 * half + 4 and abs(y - above) < LABEL_SIZE + 2 for there, above in named):
            continue
        named.append((x, y))
        plot.annotate(
            curve.labels[end], (curve.x[end], curve.y[end]), xytext=(0, ABOVE_POINT), textcoords="offset points",
            size=LABEL_SIZE, color=style.MUTED, ha="center", va="bottom", zorder=5, gid=f"{curve.model}-{curve.labels[end]}",
        )
        scene.names.append(Bbox([(x - half, y), (x + half, y + LABEL_SIZE)]))
