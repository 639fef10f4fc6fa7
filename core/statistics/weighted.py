"""Tests whether rows of greater weight have larger values: a permutation test of weighted means that stops early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.records import F64
from core.statistics.max_t import chunks, nulls
from core.statistics.permuter import Permuter

PERMUTATIONS = 9_999
MIN_PERMUTATIONS = 999
"""Permutations in all, so that p is at least 1e-4; and with many rows. Conventions: (B + 1) is a round number."""
FIRST_PERMUTATIONS = 250
"""Size of the first batch: most tests stop in it."""
MAX_EXCEEDANCES = 100
"""Permuted statistics as large as the observed one after which drawing stops: that p is far from small, and has a
relative error of about a tenth (1 / sqrt(100))."""
BATCH_CELLS = 2_000_000
MAX_CELLS = 1_000_000_000
"""Rows times permutations held at once, which bounds memory, and drawn in all, which bounds time."""


@dataclass(frozen=True, slots=True)
class WeightedTest:
    """Result of a test of weighted means."""

    p: float
    best: int
    """The column of values with the strongest excess."""
    deviation: float
    """Standard deviation of the first column's statistic over permutations."""


def least_p(n: int) -> float:
    """The smallest p that a test of n rows can give."""
    return 1 / (_most(n) + 1)


def _most(n: int) -> int:
    return min(PERMUTATIONS, max(MIN_PERMUTATIONS, MAX_CELLS // n))


def weighted_test(weights: F64, values: F64, permuter: Permuter, rng: np.random.Generator) -> WeightedTest:
    """p of the largest sum of weights times values over m columns, each over its standard deviation.

    Args:
        weights: (n,), minus their mean in each stratum.
        values: (n, m).
        permuter: of the n rows. Where it has two exchange schemes, the larger p counts.

    The p is (b + 1) / (B + 1) of all B permutations, or b / B of as many as it took for b = 100 to reach the observed
    statistic. Source: Besag & Clifford 1991, Biometrika 78(2), by which a p stays exact under this stopping rule.
    """
    scale = np.maximum(values.std(0), 1e-12)
    values = values / scale
    observed = weights @ values
    least = float(observed.max()) - 1e-9 * float(np.abs(weights).sum())

    def read(scheme: Permuter, count: int, rng: np.random.Generator) -> F64:
        source = scheme.draw(count, rng)
        null = np.stack([weights @ column[source] for column in values.T])  # (m, count)
        return np.stack([null.max(0), null[0]])

    def enough(scheme: int, parts: Sequence[F64]) -> bool:
        return sum(int((part[0] >= least).sum()) for part in parts) >= MAX_EXCEEDANCES

    most = _most(len(weights))
    batch = max(1, BATCH_CELLS // len(weights))
    first = min(most, batch, FIRST_PERMUTATIONS)
    results = list[tuple[float, float]]()
    for largest, first_column in nulls(read, permuter, rng, [first, *chunks(most - first, batch)], enough=enough):
        hits = np.flatnonzero(largest >= least)
        if len(hits) >= MAX_EXCEEDANCES:
            p = MAX_EXCEEDANCES / (int(hits[MAX_EXCEEDANCES - 1]) + 1)
        else:
            p = (len(hits) + 1) / (most + 1)
        results.append((p, float(first_column.std())))
    p, deviation = max(results)
    return WeightedTest(p, int(observed.argmax()), deviation * float(scale[0]))
