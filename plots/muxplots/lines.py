"""Draw the lines of a table into one plot: medians, their spread, flagged points, names at ends."""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.transforms import Bbox

from muxplots import labels, style, text
from muxplots.axes import Across
from muxplots.labels import End, Place, Scene
from muxplots.style import Look
from muxplots.table import Line, Point

MARKER_SIZE = 5.0
LINE_WIDTH = 1.5

# In the column a name stands behind its marker, and a stroke leads there from the plot.
LEADER = 12.0
KEY = 11.0

# A name inside the plot that is further from its line's end than this gets a stroke as well.
NEAR = 12.0

# Markers of equal size do not look equally large.
_OPTICAL_SIZE = {"*": 1.4, "d": 1.15, "P": 1.15, "X": 1.1, "s": 0.9, "D": 0.85, "p": 1.1}


def column_width(names: Sequence[str]) -> float:
    """How far the names of these lines reach to the right of their plot."""
    return LEADER + KEY + max((text.width(name, labels.SIZE) for name in names), default=0.0)


def draw_behind(axes: Axes, across: Across, lines: Sequence[Line]) -> None:
    """Lines that are there to compare with: grey, thin and without names."""
    runs = [_positions(across, run) for line in lines for run in _runs(line)]
    strokes = [np.column_stack(run) for run in runs if len(run[0]) > 1]
    axes.add_collection(
        LineCollection(strokes, colors=style.BEHIND, linewidths=0.9, zorder=1), autolim=False
    )
    alone = [(x[0], y[0]) for x, y in runs if len(x) == 1]
    if alone:
        how = {"color": style.BEHIND, "marker": ".", "markersize": 3, "linestyle": "none"}
        axes.plot(*zip(*alone), zorder=1, **how)


def draw(axes: Axes, across: Across, floor: float, line: Line, alpha: float) -> None:
    """A line in its colour. A gap stays a gap: absent points are not bridged.

    `floor` is where the measure's axis begins, `alpha` how dense the band of the spread is.
    """
    colour = line.look.colour
    for run in _runs(line):
        _draw_spread(axes, across, floor, run, color=colour, alpha=alpha)
        x, y = _positions(across, run)
        if run[0].value == 0:
            # The stretch across the break in the axis has no length that means anything.
            axes.plot(x[:2], y[:2], color=colour, linewidth=1.2, linestyle=":", zorder=3)
            x, y = x[1:], y[1:]
        axes.plot(x, y, color=colour, linewidth=LINE_WIDTH, zorder=3, clip_on=False)
    _draw_ring(axes, across, line)
    for flagged in (False, True):
        points = [point for point in line.drawn() if bool(point.flags) is flagged]
        if points:
            draw_marks(axes, line, *_positions(across, points), flagged)


def _draw_ring(axes: Axes, across: Across, line: Line) -> None:
    ringed = [point for point in line.drawn() if point.value == line.ring]
    ring = Line2D(
        *_positions(across, ringed), linestyle="none", marker="o", markersize=2.6 * MARKER_SIZE,
        markerfacecolor="none", markeredgecolor=line.look.colour, markeredgewidth=1.1,
    )
    ring.set(zorder=6, clip_on=False)
    ring.set_gid(f"{line.model}-ring")
    if ringed:
        axes.add_line(ring)


def draw_fit(axes: Axes, line: Line) -> None:
    """The straight line of a fit, dashed; on logarithmic axes it is a curve."""
    if line.fit is None:
        return
    x = np.geomspace(line.fit.first, line.fit.last, 60)
    y = line.fit.intercept + line.fit.slope * x
    (stroke,) = axes.plot(
        x, np.where(y > 0, y, np.nan), color=line.look.colour, linewidth=1.0,
        linestyle=(0, (2, 2)), zorder=2.5,
    )
    stroke.set_gid(f"{line.model}-fit")


def draw_marks(
    axes: Axes, line: Line, x: Sequence[float], y: Sequence[float], flagged: bool
) -> None:
    """Markers of medians, on top of everything where they are hollow for being flagged."""
    marks = Line2D(x, y, linestyle="none", **marker(line.look, flagged))
    marks.set(zorder=5 if flagged else 4, clip_on=False)
    marks.set_gid(f"{line.model}-{'flagged' if flagged else 'points'}")
    axes.add_line(marks)


def draw_names(axes: Axes, across: Across, lines: Sequence[Line]) -> None:
    """Name each line at its end, without overlap."""
    to_page = axes.transData.transform
    runs = [
        to_page(np.column_stack(_positions(across, run))) for line in lines for run in _runs(line)
    ]
    scene = Scene(
        frame=axes.get_window_extent(),
        strokes=[Path(run) for run in runs if len(run) > 1],
        marks=[(x, y) for run in runs for x, y in run],
    )
    ends = []
    for line in lines:
        last = line.drawn()[-1]
        x, y = to_page((across.at(last.value), last.statistic.median))
        at_edge = last.value == across.values[-1]
        ends.append(End(line.model, x, y, text.width(line.name, labels.SIZE), at_edge))
    by_name = {line.model: (line, end) for line, end in zip(lines, ends)}
    for placed in labels.place(ends, scene, scene.frame.x1 + LEADER + KEY):
        line, end = by_name[placed.name]
        draw_name(axes, line.name, line.look, end, placed, scene.frame)


def draw_name(axes: Axes, shown: str, look: Look, end: End, placed: Place, frame: Bbox) -> None:
    figure = axes.figure
    colour = style.text_colour(look.colour)
    size = figure.get_size_inches() * 72

    def stroke(points: list[tuple[float, float]], **how: object) -> None:
        x, y = zip(*((px / size[0], py / size[1]) for px, py in points))
        figure.add_artist(Line2D(x, y, transform=figure.transFigure, **how))

    leader = {"color": look.colour, "linewidth": 0.7, "alpha": 0.7}
    if placed.beside:
        key = (placed.left - KEY + 4, placed.middle)
        bend = [(frame.x1 + 2, end.y)] if end.at_edge else []
        stroke([(end.x, end.y), *bend, key], **leader)
        stroke([key], linestyle="none", **marker(look, flagged=False))
    else:
        # A marker here would read as one more point, so the stroke alone tells what is meant.
        touch = min(max(end.x, placed.left), placed.left + end.width)
        if math.hypot(touch - end.x, placed.middle - end.y) > NEAR:
            edge = placed.middle + math.copysign(4, end.y - placed.middle)
            stroke([(end.x, end.y), (touch, edge)], **leader)
    name = figure.text(
        placed.left / size[0], placed.middle / size[1], shown,
        size=labels.SIZE, color=colour, va="center_baseline", ha="left", gid=f"{placed.name}-name",
    )
    if not placed.beside:
        # A stroke around letters would make outlines of them, which no reader finds.
        name.set_bbox({"facecolor": style.PAGE, "edgecolor": "none", "alpha": 0.8, "pad": 0.5})


def _draw_spread(
    axes: Axes, across: Across, floor: float, run: Sequence[Point], color: str, alpha: float
) -> None:
    """From the lowest to the highest trial: a band, or a bar where one point stands alone."""
    # A lowest value of zero lies below any logarithmic axis: the band then ends at its floor.
    x, _ = _positions(across, run)
    lows = np.maximum([point.statistic.low for point in run], floor)
    highs = np.array([point.statistic.high for point in run])
    if len(run) > 1:
        axes.fill_between(x, lows, highs, color=color, alpha=alpha, linewidth=0, zorder=2)
    else:
        axes.vlines(x, lows, highs, color=color, linewidth=1.4, alpha=0.6, zorder=2)


def marker(look: Look, flagged: bool) -> dict[str, object]:
    shape = look.marker
    optical = _OPTICAL_SIZE.get(shape, 1.0) if isinstance(shape, str) else 1.5
    return {
        "marker": shape,
        "markersize": MARKER_SIZE * optical,
        "markerfacecolor": style.PAGE if flagged else look.colour,
        "markeredgecolor": look.colour if flagged else style.PAGE,
        "markeredgewidth": 1.2 if flagged else 0.5,
    }


def _runs(line: Line) -> Iterator[list[Point]]:
    """The stretches of a line between its absent points."""
    for present, run in groupby(line.points, key=lambda point: point is not None):
        if present:
            yield [point for point in run if point is not None]


def _positions(across: Across, points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return (
        [across.at(point.value) for point in points],
        [point.statistic.median for point in points],
    )
