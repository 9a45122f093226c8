"""How the time of a benchmark depends on N, in numbers that a sentence can hold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from muxplots.micro import Timing

# Times whose largest is no more than this many times the smallest do not grow with N.
FLAT = 1.5

# A line that misses its points by more than this (RMS of relative residuals) describes nothing.
POOR = 0.25


@dataclass(frozen=True)
class Line:
    """time = intercept + slope * N, in nanoseconds, through the medians.

    Fitted by least squares of relative residuals, so that small N count as much as large ones.
    `error` is the standard error of the slope, `rms` the root of the mean squared relative
    residual: how far the line misses its points.
    """

    slope: float
    error: float
    intercept: float
    rms: float

    @property
    def fits(self) -> bool:
        return self.rms <= POOR and self.slope > 2 * self.error


def fit_line(timings: Sequence[Timing]) -> Line | None:
    """The line of a family; None with fewer than three values of N."""
    if len(timings) < 3:
        return None
    n = np.array([timing.argument for timing in timings], dtype=float)
    medians = np.array([timing.statistic.median for timing in timings])
    # Each row divided by its time: the right side is 1, and residuals are relative.
    matrix = np.column_stack([1 / medians, n / medians])
    (intercept, slope), *_ = np.linalg.lstsq(matrix, np.ones_like(n), rcond=None)
    residuals = matrix @ np.array([intercept, slope]) - 1
    variance = float(residuals @ residuals) / (len(n) - 2)
    error = float(np.sqrt(variance * np.linalg.inv(matrix.T @ matrix)[1, 1]))
    rms = float(np.sqrt(np.mean(residuals**2)))
    return Line(float(slope), error, float(intercept), rms)


def longest_line(timings: Sequence[Timing]) -> tuple[Line, int] | None:
    """The line that fits the most values of N from the smallest on, and how many; at least four.

    Beyond some N what is watched no longer fits into a cache, and another line begins.
    """
    for count in range(len(timings), 3, -1):
        line = fit_line(timings[:count])
        if line is not None and line.fits:
            return line, count
    line = fit_line(timings) if len(timings) == 3 else None
    return (line, 3) if line is not None and line.fits else None


def growth(timings: Sequence[Timing]) -> tuple[Line, int] | None:
    """The line along which times grow with N, and for how many values of N; None where they do not, or along none."""
    return None if is_flat(timings) else longest_line(timings)


def is_flat(timings: Sequence[Timing]) -> bool:
    medians = [timing.statistic.median for timing in timings]
    return max(medians) <= FLAT * min(medians)


def overtakes(first: Sequence[Timing], second: Sequence[Timing]) -> tuple[int, int] | None:
    """The smallest N from which on every repetition of `first` takes longer than any of `second`,
    and the largest N that both have.

    Only values of N that both have are compared; None when it is not so at the largest of them.
    """
    others = {timing.argument: timing for timing in second}
    found: tuple[int, int] | None = None
    for timing in sorted(first, key=lambda timing: -(timing.argument or 0)):
        other = others.get(timing.argument)
        if other is None:
            continue
        if timing.statistic.low <= other.statistic.high:
            break
        found = (timing.argument or 0, found[1] if found else timing.argument or 0)
    return found
