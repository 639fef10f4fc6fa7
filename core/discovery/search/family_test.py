"""One permutation test over the whole family: what each candidate shows, and the null of the best of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from core.discovery.design import FailureMeasures
from core.discovery.search.cores import on_all_cores
from core.discovery.search.family import Family
from core.records import F32, F64, Measure, Progress, no_progress
from core.statistics.max_t import chunks, conservative_null, nulls
from core.statistics.permutation import permutation_p, permutation_threshold
from core.statistics.permuter import Permuter

CELLS = 16_000_000
"""Rows times columns that are read at once, which bounds memory."""


@dataclass(frozen=True, slots=True, eq=False)
class FamilyTest:
    """One pass over the family: the observed statistics and the null of their maximum."""

    scores: F64
    """(n, m) the measures of failure that were tested (`core.discovery.design.measures`)."""
    names: tuple[Measure, ...]
    alpha: float
    observed: F32
    """(candidates, m)"""
    null: F32
    """(b,) the largest statistic of the family, in any measure, in each permutation; empty where nothing could be
    permuted."""
    trend: float = float("nan")
    """The observed best trend (see `Family.read`)."""
    trend_null: F32 | None = None
    """(b,) the best trend in each permutation."""
    listed_null: F32 | None = None
    """(b,) the largest statistic, in the first measure, of those candidates that may be listed unconfirmed
    (`Family.is_listed`) in each permutation."""

    @property
    def is_permuted(self) -> bool:
        return len(self.null) > 0

    def chance(self, statistic: float) -> float | None:
        """Share of permutations in which the strongest set that may be listed is as strong; None where nothing could
        be permuted."""
        if self.listed_null is None or not len(self.listed_null):
            return None
        return permutation_p(statistic, self.listed_null)

    def trend_p(self) -> float | None:
        """p of the best trend; None where nothing could be permuted."""
        if self.trend_null is None or not len(self.trend_null):
            return None
        return permutation_p(self.trend, self.trend_null)

    def is_predictable(self, alpha: float) -> bool:
        """Whether the best trend passes at `alpha`."""
        p = self.trend_p()
        return p is not None and p <= alpha

    def p(self, statistic: float) -> float:
        return permutation_p(statistic, self.null)

    @property
    def threshold(self) -> float:
        """The least statistic whose p is at most alpha; inf where there are too few permutations for any, nan where
        there are none."""
        return permutation_threshold(self.null, self.alpha)


def read_family(
    family: Family,
    measured: FailureMeasures,
    permuter: Permuter,
    rng: np.random.Generator,
    *,
    n_permutations: int,
    alpha: float = 0.05,
    give_up: int = 0,
    progress: Progress = no_progress,
    step: str = "test",
) -> FamilyTest:
    """Test the whole family once against permuted scores.

    Args:
        measured: centered within the permuter's strata; a permutation moves the measures together.
        n_permutations: at least 5,000 for a p that is reported.
        alpha: the level at which candidates are confirmed.
        give_up: stop once so many permutations beat the best *slice or region*: its p is then far from any alpha
            (Besag & Clifford 1991). 0 never stops.

    Chunks of permutations run on all cores, each with a generator of its own, so the result does not depend on how many
    there are.
    """
    columns = measured.standardised_residuals.astype(np.float32)
    observed, trend = family.read(columns)
    best = float(observed[~family.is_condition].max(initial=-np.inf))
    sizes = chunks(n_permutations, int(np.clip(CELLS // columns.size, 16, 256)))

    def every(*pieces: Any) -> Iterator[F32]:
        return (np.concatenate(batch, axis=1) for batch in on_all_cores(*pieces))

    def enough(way: int, parts: Sequence[F32]) -> bool:
        done = sum(part.shape[1] for part in parts)
        progress(step, n_permutations * way + done, n_permutations * len(permuter.exchange_schemes))
        return 0 < give_up <= sum(int((part[0] >= best).sum()) for part in parts)

    ways = nulls(partial(_permuted_best, family, columns), permuter, rng, sizes, every=every, enough=enough)
    null, trend_null, listed = conservative_null(ways)
    return FamilyTest(
        measured.standardised_residuals, measured.names, alpha, observed, null, float(trend.max()), trend_null, listed
    )


def _permuted_best(family: Family, columns: F32, permuter: Permuter, count: int, rng: np.random.Generator) -> F32:
    """(3, count) of permuted scores: the best statistics of the family, the best trends, and the best statistics in the
    first measure of what may be listed."""
    drawn = permuter.draw(count, rng).T.take(family.order, axis=1)
    permuted = np.empty((count, columns.shape[1], family.n), np.float32)
    for measure, values in enumerate(columns.T):  # those of a draw side by side
        permuted[:, measure] = np.ascontiguousarray(values).take(drawn)
    if permuter.grouped:  # unequal groups repeat and drop values: keep each column's mean at zero
        permuted -= permuted.mean(2, keepdims=True)
    statistics, trend = family.read_placed(permuted.reshape(-1, family.n))
    listed = statistics[family.is_listed].max(0, initial=-np.inf).reshape(count, -1)[:, 0]
    return np.stack([statistics.max(0).reshape(count, -1).max(1), trend.reshape(count, -1).max(1), listed])
