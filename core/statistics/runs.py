"""Means, ratios and shares over independent runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from core.records import F64, UNDEFINED, Estimate
from core.statistics.intervals import percentile_interval


def mean_over(values: Sequence[float] | F64, *, seed: int = 0, repeats: int = 10_000) -> Estimate:
    """Mean with its percentile bootstrap 95% interval; each value is one independent run."""
    return ratio_over(values, np.ones(len(values)), seed=seed, repeats=repeats)


def ratio_over(
    parts: Sequence[float] | F64, wholes: Sequence[float] | F64, *, seed: int = 0, repeats: int = 10_000
) -> Estimate:
    """The sum of `parts` over that of `wholes`, with its percentile bootstrap 95% interval; each pair is one
    independent run. nan where all wholes are 0."""
    above = np.asarray(parts, dtype=np.float64)
    below = np.asarray(wholes, dtype=np.float64)
    if not below.any():
        return UNDEFINED
    drawn = np.random.default_rng(seed).integers(0, len(above), (repeats, len(above)))
    counts = below[drawn].sum(axis=1)
    ratios = above[drawn].sum(axis=1)[counts > 0] / counts[counts > 0]
    return percentile_interval(float(above.sum() / below.sum()), ratios, 0.95)


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Estimate:
    """A share with its exact binomial interval. Source: Clopper & Pearson 1934, Biometrika 26(4)."""
    tail = (1 - level) / 2
    low = 0.0
    high = 1.0
    if successes > 0:
        low = float(stats.beta.ppf(tail, successes, n - successes + 1))
    if successes < n:
        high = float(stats.beta.ppf(1 - tail, successes + 1, n - successes))
    return Estimate(successes / n, low, high)


def show(estimate: Estimate, digits: int = 2) -> str:
    """For example "0.83 [0.71, 0.92]"."""
    return f"{estimate.value:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"
