"""Do rows of greater weight have larger values? A permutation test of weighted means that stops once it knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.records import F64
from core.statistics.max_t import chunks, nulls
from core.statistics.permuter import Permuter

PERMUTATIONS = 9_999
MIN_PERMUTATIONS = 999
"""Permutations in all, and how many at least where there are many rows."""
FIRST_PERMUTATIONS = 250
MAX_EXCEEDANCES = 100
"""Permuted statistics as large as the observed one after which no more are drawn: such a p is far from small."""
BATCH_CELLS = 2_000_000
MAX_CELLS = 1_000_000_000
"""Rows times permutations that are held at once, and drawn in all."""


@dataclass(frozen=True, slots=True)
class WeightedTest:
    """What a test of weighted means gives."""

    p: float
    best: int
    """The column of values whose excess is the strongest."""
    deviation: float
    """Of the first column's statistic, over permutations."""


def least_p(n: int) -> float:
    """The smallest p that a test of n rows can give."""
    return 1 / (_most(n) + 1)


def _most(n: int) -> int:
    return min(PERMUTATIONS, max(MIN_PERMUTATIONS, MAX_CELLS // n))


def weighted_test(weights: F64, values: F64, permuter: Permuter, rng: np.random.Generator) -> WeightedTest:
    """p of the largest sum of weights times values over m columns, each over its own deviation.

    Args:
        weights: (n,), less their mean in each stratum.
        values: (n, m).
        permuter: of the n rows. Where it has two ways, the larger p of both is taken.

    The p is (b + 1) / (B + 1) of all B permutations, or b / B of as many as it took for b = 100 to reach the observed
    one. Source: Besag & Clifford 1991, Biometrika 78(2), by which a p stays exact if one stops so.
    """
    scale = np.maximum(values.std(0), 1e-12)
    values = values / scale
    observed = weights @ values
    least = float(observed.max()) - 1e-9 * float(np.abs(weights).sum())

    def read(way: Permuter, count: int, rng: np.random.Generator) -> F64:
        source = way.draw(count, rng)
        null = np.stack([weights @ column[source] for column in values.T])  # (m, count)
        return np.stack([null.max(0), null[0]])

    def enough(way: int, parts: Sequence[F64]) -> bool:
        return sum(int((part[0] >= least).sum()) for part in parts) >= MAX_EXCEEDANCES

    most = _most(len(weights))
    at_once = max(1, BATCH_CELLS // len(weights))
    first = min(most, at_once, FIRST_PERMUTATIONS)  # since most tests end with it
    found = list[tuple[float, float]]()
    for largest, own in nulls(read, permuter, rng, [first, *chunks(most - first, at_once)], enough=enough):
        hits = np.flatnonzero(largest >= least)
        p = (
            MAX_EXCEEDANCES / (int(hits[MAX_EXCEEDANCES - 1]) + 1)
            if len(hits) >= MAX_EXCEEDANCES
            else (len(hits) + 1) / (most + 1)
        )
        found.append((p, float(own.std())))
    p, deviation = max(found)
    return WeightedTest(p, int(observed.argmax()), deviation * float(scale[0]))
