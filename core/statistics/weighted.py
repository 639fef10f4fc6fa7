"""Do rows of greater weight have larger values? A permutation test of weighted means that stops once it knows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.records import F64
from core.statistics.permuter import Permuter

PERMUTATIONS, LEAST = 9_999, 999
"""Permutations in all, and how many at least where there are many rows."""
FIRST_LOOK = 250
REACHED = 100
"""Permuted statistics as large as the observed one after which no more are drawn: such a p is far from small."""
CELLS, ALL_CELLS = 2_000_000, 1_000_000_000
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
    return min(PERMUTATIONS, max(LEAST, ALL_CELLS // n))


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
    found = [_one_way(weights, values, float(observed.max()), way, rng) for way in permuter.ways]
    p, deviation = max(found)
    return WeightedTest(p, int(observed.argmax()), deviation * float(scale[0]))


def _one_way(
    weights: F64, values: F64, observed: float, permuter: Permuter, rng: np.random.Generator
) -> tuple[float, float]:
    """p, and the deviation of the first column's statistic."""
    n, reached, drawn, first = len(weights), 0, 0, list[F64]()
    most = _most(n)
    while drawn < most:  # a short look first, since most tests end with it
        count = min(most - drawn, max(1, CELLS // n), FIRST_LOOK if not drawn else most)
        source = permuter.draw(count, rng)
        null = np.stack([weights @ column[source] for column in values.T])  # (m, count)
        first.append(null[0])
        hits = np.flatnonzero(null.max(0) >= observed - 1e-9 * float(np.abs(weights).sum()))
        if reached + len(hits) >= REACHED:
            end = drawn + int(hits[REACHED - reached - 1]) + 1
            return REACHED / end, float(np.concatenate(first).std())
        reached, drawn = reached + len(hits), drawn + count
    return (reached + 1) / (most + 1), float(np.concatenate(first).std())
