"""Where the names of lines go, so that none overlaps another.

A line that reaches the right edge is named in a column beside the plot, at the height where it
ends; `spread` moves names apart by the least that is enough. A line that ends earlier is named
inside the plot, at the free place nearest to its end. Everything here is geometry in points from
the page's lower left corner; nothing is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from matplotlib.path import Path
from matplotlib.transforms import Bbox

SIZE = 8.5
LINE_HEIGHT = 11.0
GAP = 7.0

# What it costs a name inside the plot to cover something, in points of distance from its end.
_CROSSING = 25.0
_COVERING = 40.0


@dataclass(frozen=True)
class End:
    """The last point of a line, and the width of the name that goes with it."""

    name: str
    x: float
    y: float
    width: float
    at_edge: bool


@dataclass(frozen=True)
class Place:
    """A name's left end and its middle height; `beside` says that it stands in the column."""

    name: str
    left: float
    middle: float
    beside: bool


@dataclass
class Scene:
    """What is already drawn in the plot: its frame, strokes of lines, markers, and names so far."""

    frame: Bbox
    strokes: Sequence[Path] = ()
    marks: Sequence[tuple[float, float]] = ()
    names: list[Bbox] = field(default_factory=list)


def spread(wanted: Sequence[float], size: float, low: float, high: float) -> list[float]:
    """Positions at least `size` apart within [low, high], moved as little as possible.

    The order of `wanted` is kept and the sum of squared moves is minimal: subtracting i * size from
    the i-th position turns "at least size apart" into "not decreasing", which pooling adjacent
    violators solves exactly. Raises ValueError when there is no room.
    """
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    room = high - low - size * (len(wanted) - 1)
    if room < 0:
        raise ValueError(f"{len(wanted)} names of {size} do not fit into {high - low}")
    pools: list[tuple[float, int]] = []
    for place, index in enumerate(order):
        pool = (wanted[index] - place * size, 1)
        while pools and pools[-1][0] > pool[0]:
            (left, n), (right, m) = pools.pop(), pool
            pool = ((left * n + right * m) / (n + m), n + m)
        pools.append(pool)
    shifts = [min(max(mean, low), low + room) for mean, n in pools for _ in range(n)]
    positions = [0.0] * len(wanted)
    for place, index in enumerate(order):
        positions[index] = shifts[place] + place * size
    return positions


def place(ends: Sequence[End], scene: Scene, column: float) -> list[Place]:
    """A place for every end; `column` is where names beside the plot start."""
    inside: list[Place] = []
    beside = [end for end in ends if end.at_edge]
    for end in sorted((end for end in ends if not end.at_edge), key=lambda end: (end.x, -end.y)):
        found = _free_place(end, scene)
        if found is None:
            beside.append(end)
            continue
        inside.append(found)
        scene.names.append(_box(found.left, found.middle, end.width))
    low, high = scene.frame.y0 + LINE_HEIGHT / 2, scene.frame.y1 - LINE_HEIGHT / 2
    heights = spread([end.y for end in beside], LINE_HEIGHT, low, high)
    return inside + [
        Place(end.name, column, height, beside=True) for end, height in zip(beside, heights)
    ]


def room_for(names: int) -> float:
    """The least height of a plot beside which so many names fit."""
    return names * LINE_HEIGHT + 1


def _free_place(end: End, scene: Scene) -> Place | None:
    best: tuple[float, Place] | None = None
    lefts = (end.x + GAP, end.x - end.width / 2, end.x - end.width - GAP)
    steps = (0.0, 1.0, -1.0, 1.5, -1.5, 2.0, -2.0, 3.0, -3.0, 4.0, -4.0, 6.0, -6.0, 8.0, -8.0)
    for side, left in enumerate(lefts):
        for step in steps:
            middle = end.y + step * LINE_HEIGHT
            box = _box(left, middle, end.width)
            if not _within(box, scene.frame) or any(box.overlaps(name) for name in scene.names):
                continue
            cost = side + abs(step) * LINE_HEIGHT + _cover(box, scene)
            if best is None or cost < best[0]:
                best = cost, Place(end.name, left, middle, beside=False)
    return best[1] if best else None


def _cover(box: Bbox, scene: Scene) -> float:
    crossed = sum(stroke.intersects_bbox(box, filled=False) for stroke in scene.strokes)
    grown = box.padded(2)
    covered = sum(bool(grown.contains(x, y)) for x, y in scene.marks)
    return crossed * _CROSSING + covered * _COVERING


def _box(left: float, middle: float, width: float) -> Bbox:
    return Bbox.from_extents(left, middle - LINE_HEIGHT / 2, left + width, middle + LINE_HEIGHT / 2)


def _within(box: Bbox, frame: Bbox) -> bool:
    return (
        frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
    )
