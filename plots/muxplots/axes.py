"""Axes: where values lie, which of them are named, and in which unit.

The horizontal axis is logarithmic and names the values that were swept. Zero has no place on such
an axis, yet "no idle connections" is the baseline of its experiment: it stands to the left of the
smallest positive value, behind a break in the axis.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from muxplots import style, text
from muxplots.metrics import RATIO
from muxplots.table import Scale, Table

TICK_SIZE = 8.5
TICK_GAP = 6.0
MARK_ROOM = 70.0

# Values that span more than this would leave most points on the floor of an axis from zero.
WIDE = 30

# Marks of the axis of ratios, from coarse to fine: the first that give three are taken.
RATIO_MARKS = (
    (0.001, 0.01, 0.1, 1, 10, 100, 1000),
    (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50),
    (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2, 2.5, 3, 4),
    (0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15),
    (0.96, 0.98, 1, 1.02, 1.04),
)
RATIO_GAP = 28.0

_PARAMETERS = {
    "connections": "Active connections",
    "idle": "Idle connections",
    "message_bytes": "Message size in bytes",
    "pipeline": "Requests in flight per connection",
    "workers": "Server workers",
    "work_spin_us": "Work per request in µs",
    "work_sleep_us": "Time that a handler blocks in µs",
    "slow_worker_us": "Time that the first worker is blocked in µs",
    "stall_never_read": "Clients that never read",
    "stall_mid_message": "Clients that stopped in the middle of a message",
    "rate": "Offered requests per second",
}


def most_marks(points: float) -> int:
    """How many marks an axis across of that length names without crowding."""
    return max(2, int(points / MARK_ROOM))


def parameter_title(parameter: str) -> str:
    named = parameter.replace("_", " ")
    return _PARAMETERS.get(parameter, named[:1].upper() + named[1:])


def across_title(parameter: str) -> str:
    """Of the axis that `Across` makes of it."""
    return f"{parameter_title(parameter)} (log scale)"


class Across:
    """The horizontal axis: turns a swept value into a coordinate of a logarithmic axis."""

    def __init__(self, values: Sequence[int]) -> None:
        self.values = tuple(sorted(values))
        positive = [value for value in self.values if value > 0]
        low, high = (positive[0], positive[-1]) if positive else (1, 1)
        self.has_zero = self.values[0] == 0
        self._zero = low / max(3.0, (high / low) ** 0.25)
        first = self._zero if self.has_zero else low
        margin = (high / first) ** 0.035 if high > first else 3.0
        self.limits = (first / margin, high * margin)
        self._break = math.sqrt(self._zero * low) if self.has_zero and positive else None

    def at(self, value: int) -> float:
        return float(value) if value > 0 else self._zero

    def named(self, points: float) -> list[int]:
        """The values to name on an axis `points` long: round ones first, while there is room."""
        left, right = (math.log(limit) for limit in self.limits)
        per_unit = points / (right - left)

        def span(value: int) -> tuple[float, float]:
            middle = (math.log(self.at(value)) - left) * per_unit
            half = text.width(text.count(value), TICK_SIZE) / 2 + 3
            return middle - half, middle + half

        kept: list[int] = []
        for value in sorted(self.values, key=self._importance):
            low, high = span(value)
            if all(high <= span(other)[0] or low >= span(other)[1] for other in kept):
                kept.append(value)
        return sorted(kept)

    def _importance(self, value: int) -> tuple[bool, bool, int]:
        is_decade = value == 0 or math.log10(value).is_integer()
        return (not is_decade, value != self.values[-1], value)

    def apply(self, axes: Axes, points: float) -> None:
        """Set scale, limits and marks of an axis that is `points` long."""
        axes.set_xscale("log")
        axes.set_xlim(self.limits)
        named = self.named(points)
        axes.xaxis.set_major_locator(FixedLocator([self.at(value) for value in named]))
        axes.xaxis.set_major_formatter(FixedFormatter([text.count(value) for value in named]))
        axes.xaxis.set_minor_locator(FixedLocator([self.at(value) for value in self.values]))
        axes.xaxis.set_minor_formatter(FixedFormatter([]))
        if self._break is not None:
            _draw_break(axes, self._break, points)


class Measure:
    """The axis of what was measured: its limits, marks and unit, the same in all panels."""

    def __init__(self, table: Table) -> None:
        self.metric = table.metric
        medians = [point.statistic.median for point in table.points()]
        lows = [point.statistic.low for point in table.points()]
        highs = [point.statistic.high for point in table.points()]
        self.is_log = is_logarithmic(table.scale, medians)
        top = max(highs)
        if self.is_log:
            least = min([low for low in lows if low > 0] + medians)
            self.limits = (least / 1.25, top * 1.25)
        else:
            self.limits = (0.0, top * 1.05 or 1.0)
        # Of the marks of a linear axis.
        self._unit = text.time_unit(self.limits[1]) if self.metric.is_time else (1, self.metric.unit)

    def title(self) -> str:
        # Marks of a logarithmic axis of time each name their unit.
        if self.metric.unit == RATIO:
            return "Ratio (log scale)"
        told = [] if self.metric.is_time and self.is_log else [self._unit[1]]
        told += ["log scale"] if self.is_log else []
        return f"{self.metric.heading} ({', '.join(told)})"

    def apply_across(self, axes: Axes, points: float) -> None:
        """To an axis that is `points` long: no more marks than their names have room for."""
        axes.set_xscale("log" if self.is_log else "linear")
        axes.set_xlim(self.limits)
        marks = self._fitting(log_marks(*self.limits), points) if self.is_log else []
        self._mark_axis(axes.xaxis, marks, most=most_marks(points))

    def apply_up(self, axes: Axes) -> None:
        axes.set_yscale("log" if self.is_log else "linear")
        axes.set_ylim(self.limits)
        marks = self._log_marks(axes.get_window_extent().height) if self.is_log else []
        self._mark_axis(axes.yaxis, marks, most=6)

    def _log_marks(self, points: float) -> list[float]:
        if self.metric.unit == RATIO:
            return ratio_marks(*self.limits, points)
        return log_marks(*self.limits)

    def _fitting(self, marks: list[float], points: float) -> list[float]:
        """All of them, or the decades, or each second decade and so on: the first whose names stand apart."""
        per_unit = points / math.log(self.limits[1] / self.limits[0])
        decades = [mark for mark in marks if math.log10(mark).is_integer()]
        for kept in (marks, *(decades[::step] for step in range(1, len(decades)))):
            room = [math.log(right / left) * per_unit for left, right in pairwise(kept)]
            names = [text.width(self._mark(mark), TICK_SIZE) + TICK_GAP for mark in kept]
            if all((left + right) / 2 <= between for (left, right), between in zip(pairwise(names), room, strict=True)):
                return kept
        return decades[:1] or marks[:1]

    def _mark_axis(self, axis: Axis, marks: list[float], most: int) -> None:
        if self.is_log:
            axis.set_major_locator(FixedLocator(marks))
            axis.set_major_formatter(FixedFormatter([self._mark(mark) for mark in marks]))
            axis.set_minor_locator(NullLocator())
        else:
            size = self._unit[0]
            axis.set_major_locator(MaxNLocator(nbins=min(most, 6), steps=[1, 2, 2.5, 5, 10]))
            axis.set_major_formatter(
                FuncFormatter(lambda value, _: text.count(round(value / size, 6)))
            )

    def _mark(self, mark: float) -> str:
        return text.duration(mark) if self.metric.is_time else text.count(mark)


def scale_time(plot: Axes, limits: tuple[float, float], is_log: bool) -> None:
    """An upright axis of nanoseconds."""
    plot.set_yscale("log" if is_log else "linear")
    plot.set_ylim(limits)
    if is_log:
        marks = log_marks(*limits)
        plot.yaxis.set_major_locator(FixedLocator(marks))
        plot.yaxis.set_major_formatter(FixedFormatter([text.duration(mark) for mark in marks]))
        plot.yaxis.set_minor_locator(NullLocator())
    else:
        size = text.time_unit(limits[1])[0]
        plot.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
        plot.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text.count(round(value / size, 6))))


def is_logarithmic(scale: Scale, medians: Sequence[float]) -> bool:
    if scale is Scale.LOG_WHEN_WIDE:
        return min(medians) > 0 and max(medians) > WIDE * min(medians)
    return scale is Scale.LOG


def log_marks(low: float, high: float) -> list[float]:
    """Marks of a logarithmic axis: decades, and round steps between them when there are few."""
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 5, 7), (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)):
        marks = [
            step * 10.0**decade
            for decade in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            for step in steps
            if low <= step * 10.0**decade <= high
        ]
        if len(marks) >= 4:
            break
    return marks


def ratio_marks(low: float, high: float, points: float) -> list[float]:
    """Round ratios between two limits, among them 1, that have room on an axis of `points`."""
    fitting = [[mark for mark in marks if low <= mark <= high] for marks in RATIO_MARKS]
    marks = next((one for one in fitting if len(one) >= 3), fitting[-1])
    per_unit = points / math.log(high / low)
    kept: list[float] = []
    for mark in sorted(marks, key=lambda mark: (mark != 1, -abs(math.log(mark)))):
        if all(abs(math.log(mark / other)) * per_unit >= RATIO_GAP for other in kept):
            kept.append(mark)
    return sorted(kept)


def dress(axes: Axes, grid: str = "y") -> None:
    """A quiet frame: grid lines of the measure, a base line, no box."""
    axes.set_axisbelow(True)
    axes.grid(axis=grid, color=style.GRID, linewidth=0.8)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(style.MUTED)
    axes.tick_params(which="both", colors=style.MUTED, labelcolor=style.INK, labelsize=TICK_SIZE)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", which="minor", length=3)


def _draw_break(axes: Axes, x: float, points: float) -> None:
    """Two slanted strokes through the base line, with the line between them taken away."""
    left, right = (math.log(limit) for limit in axes.get_xlim())
    share = (math.log(x) - left) / (right - left)
    half = 2.5 / points
    foot = axes.transAxes
    ends = [share - half, share + half]
    gap = Line2D(ends, [0, 0], transform=foot, color=style.PAGE, linewidth=3)
    gap.set(clip_on=False, zorder=3, solid_capstyle="butt")
    axes.add_line(gap)
    for middle in ends:
        stroke = Line2D(
            [middle], [0], transform=foot, marker=[(-0.5, -1), (0.5, 1)], markersize=8,
            markeredgecolor=style.MUTED, markeredgewidth=0.8, linestyle="none",
        )
        stroke.set(clip_on=False, zorder=4)
        axes.add_line(stroke)
