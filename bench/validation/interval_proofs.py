#!/usr/bin/env python3
"""Which interval for the ratio of two samples of trials raises false alarms, and which sees a loss? (docs/adr/0011)

    bench/validation/interval_proofs.py        (under a minute; numpy; the same seed and so the same numbers every time)

Welch's t is what `muxbench compare` takes. The others are what it could take instead, all for the ratio of geometric means, which is
the difference of the means of logarithms, and all on the same 4,000 pairs of samples:

percentile    the quantiles of 2,000 resampled differences
BCa           those quantiles, corrected for bias and skewness (Efron 1987)
bootstrap-t   the quantiles of 2,000 resampled t, each with the standard error of its resample (studentised)
permutation   all ways to deal the values to two sides for n = 5, 5,000 random ones for n = 10; it gives p and no interval

An alarm is a pair that does not differ and whose interval leaves out 1 (or whose p is below 0.05). The exit status is 1 if
what the decision rests on is NOT MET.
"""

import itertools
import math
import statistics
import sys

import numpy as np

from proofs import judge, run_chosen

METHODS = ("Welch", "percentile", "BCa", "bootstrap-t", "permutation")
PAIRS, RESAMPLES, CHUNK, DEALS = 4000, 2000, 200, 5000
TAIL = 0.025


def lot(random, chance, yes, no, size):
    return np.where(random.random(size) < chance, yes, no)


# As in tests/unit/driver/ratio_test.cpp.
SHAPES = {
    "normal (CV 2 %)": lambda r, size: r.normal(1, 0.02, size),
    "lognormal (sigma 0.2)": lambda r, size: r.lognormal(0, 0.2, size),
    "bimodal (30 % at 0.85)": lambda r, size: lot(r, 0.3, 0.85, 1, size) * r.normal(1, 0.01, size),
    "10 % outliers at 0.6": lambda r, size: lot(r, 0.1, 0.6, 1, size) * r.normal(1, 0.02, size),
}


def variance_of_mean(x):
    return x.var(axis=-1, ddof=1) / x.shape[-1]


def student_p(t, freedom):
    """Two-sided; with x = sqrt(freedom) tan(a) the density is cos(a) ** (freedom - 1), which is summed up."""
    steps = (np.arange(2000) + 0.5) / 2000

    def area(end):
        angles = end[:, None] * steps
        return (np.cos(angles) ** (freedom[:, None] - 1)).mean(axis=1) * end

    return 1 - area(np.arctan(np.abs(t) / np.sqrt(freedom))) / area(np.full(len(t), math.pi / 2))


def welch(a, b):
    va, vb, n = variance_of_mean(a), variance_of_mean(b), a.shape[1]
    freedom = (va + vb) ** 2 * (n - 1) / (va**2 + vb**2)
    return student_p((b.mean(axis=1) - a.mean(axis=1)) / np.sqrt(va + vb), freedom) < 2 * TAIL


def permutation(a, b, random):
    n = a.shape[1]
    if n == 5:
        sides = np.array([[i in chosen for i in range(2 * n)] for chosen in itertools.combinations(range(2 * n), n)])
    else:
        sides = random.permuted(np.tile(np.arange(2 * n) < n, (DEALS, 1)), axis=1)
        sides[0] = np.arange(2 * n) < n  # the one that happened is among them
    dealt = np.abs(np.hstack([a, b]) @ (np.where(sides, -1, 1) / n).T)
    found = np.abs(b.mean(axis=1) - a.mean(axis=1))
    return (dealt >= found[:, None] - 1e-12).mean(axis=1) <= 2 * TAIL


def resampled(x, random):
    """Means and variances of them, over resamples that the pairs of a chunk share."""
    n = x.shape[1]
    weights = random.multinomial(n, np.full(n, 1 / n), RESAMPLES).T / n
    means = x @ weights
    spread = np.maximum((x**2) @ weights - means**2, 0)
    return means, np.where(spread < 1e-12, 0, spread) / (n - 1)


def outside(draws, levels):
    """Does the interval between these quantiles of each row leave out 0?"""
    ranks = np.floor(levels * RESAMPLES).astype(int)
    ranks[:, 1] = np.ceil(levels[:, 1] * RESAMPLES) - 1
    ranks = np.clip(ranks, 0, RESAMPLES - 1)
    ends = np.take_along_axis(np.sort(draws, axis=1), ranks, axis=1)
    return (ends[:, 0] > 0) | (ends[:, 1] < 0)


def bca_levels(draws, difference, a, b):
    normal = statistics.NormalDist()
    influence = np.hstack([-(a - a.mean(axis=1, keepdims=True)), b - b.mean(axis=1, keepdims=True)])
    skew = (influence**3).sum(axis=1) / (6 * (influence**2).sum(axis=1) ** 1.5)
    below = np.clip((draws < difference[:, None]).mean(axis=1), 1 / RESAMPLES, 1 - 1 / RESAMPLES)
    levels = []
    for share, a_hat in zip(below, skew):
        z0 = normal.inv_cdf(share)
        shifted = (z0 + normal.inv_cdf(tail) for tail in (TAIL, 1 - TAIL))
        levels.append([normal.cdf(z0 + z / (1 - a_hat * z)) for z in shifted])
    return np.array(levels)


def bootstraps(a, b, random):
    difference = b.mean(axis=1) - a.mean(axis=1)
    means_a, va = resampled(a, random)
    means_b, vb = resampled(b, random)
    draws = means_b - means_a
    plain = np.tile([TAIL, 1 - TAIL], (len(a), 1))
    shift = draws - difference[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.nan_to_num(shift / np.sqrt(va + vb), nan=0.0, posinf=1e9, neginf=-1e9)
    error = np.sqrt(variance_of_mean(a) + variance_of_mean(b))
    return {"percentile": outside(draws, plain), "BCa": outside(draws, bca_levels(draws, difference, a, b)),
            "bootstrap-t": outside(difference[:, None] - t * error[:, None], plain)}


def found(shape, n, factor=1.0):
    """How many per cent of the pairs each method calls different, the second side being `factor` times as large."""
    random = np.random.default_rng([2026, n, list(SHAPES).index(shape)])
    a, b = (np.log(np.maximum(SHAPES[shape](random, (PAIRS, n)), 0.01)) for _ in range(2))
    b = b + math.log(factor)
    counts = {"Welch": welch(a, b).sum(), "percentile": 0, "BCa": 0, "bootstrap-t": 0, "permutation": permutation(a, b, random).sum()}
    for begin in range(0, PAIRS, CHUNK):
        part = slice(begin, begin + CHUNK)
        for method, outcome in bootstraps(a[part], b[part], random).items():
            counts[method] += outcome.sum()
    return {method: 100 * count / PAIRS for method, count in counts.items()}


def intervals():
    normal, lognormal, *_ = SHAPES
    cases = {f"alarms: {shape}, n = {n}": (shape, n, 1.0) for shape in SHAPES for n in (5, 10)}
    cases |= {f"seen: 5 % less, {normal}, n = {n}": (normal, n, 0.95) for n in (5, 10)}
    cases |= {f"seen: a third less, {lognormal}, n = {n}": (lognormal, n, 2 / 3) for n in (5, 10)}
    print(f"| of {PAIRS:,} pairs |", " | ".join(METHODS), "|\n|---|" + "---|" * len(METHODS))
    most = dict.fromkeys(METHODS, 0)
    for case, arguments in cases.items():
        shares = found(*arguments)
        print(f"| {case} |", " | ".join(f"{shares[method]:.1f} %" for method in METHODS), "|", flush=True)
        if case.startswith("alarms"):
            most = {method: max(most[method], shares[method]) for method in METHODS}
    judge("most alarms of Welch's t over all shapes", f"{most['Welch']:.1f} %", "7 % at most", most["Welch"] <= 7)
    judge("most alarms of the percentile bootstrap", f"{most['percentile']:.1f} %", "over 10 %", most["percentile"] > 10)


if __name__ == "__main__":
    sys.exit(run_chosen(__doc__, (intervals,)))
