"""The two functions that Google Benchmark's compare.py takes of SciPy, for machines without it.

The test asks whether compare.py reads our reports; what it computes from them is not ours to test.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np


@dataclass(frozen=True)
class Result:
    statistic: float
    pvalue: float


def gmean(rows: Sequence[Sequence[float]]) -> np.ndarray:
    return np.exp(np.log(np.asarray(rows, dtype=float)).mean(axis=0))


def mannwhitneyu(one: Sequence[float], other: Sequence[float], alternative: str) -> Result:
    """By the normal approximation."""
    assert alternative == "two-sided"
    wins = sum((a > b) + 0.5 * (a == b) for a in one for b in other)
    n, m = len(one), len(other)
    z = abs(wins - n * m / 2) / sqrt(n * m * (n + m + 1) / 12)
    return Result(wins, erfc(z / sqrt(2)))
