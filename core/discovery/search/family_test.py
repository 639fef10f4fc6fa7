"""One permutation test over the whole family: the statistic of each candidate, and the null of their maximum."""

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

BATCH_CELLS = 16_000_000
"""Rows times columns processed at once, which bounds memory."""


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
        """Share of permutations in which the strongest listable set is as strong; None where nothing was permuted."""
        if self.listed_null is None or not len(self.listed_null):
            return None
        return permutation_p(statistic, self.listed_null)

    def trend_p(self) -> float | None:
        """p of the best trend; None where nothing was permuted."""
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
        """The smallest statistic whose p is at most alpha; inf with too few permutations for any, nan with none."""
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

    Chunks of permutations run on all cores, each with its own generator, so the result does not depend on the number of
    cores.

    Args:
        measured: centered within the permuter's strata; a permutation moves the measures together.
        n_permutations: at least 5,000 for a p that is reported.
        alpha: the level at which candidates are confirmed.
        give_up: stop once this many permutations beat the best *slice or region*: its p is then far from any alpha
            (Besag & Clifford 1991, Biometrika 78(2)). 0 never stops.
    """
    columns = measured.standardised_residuals.astype(np.float32)
    observed, trend = family.read(columns)
    best = float(observed[~family.is_condition].max(initial=-np.inf))
    sizes = chunks(n_permutations, int(np.clip(BATCH_CELLS // columns.size, 16, 256)))

    def every(*pieces: Any) -> Iterator[F32]:
        return (np.concatenate(batch, axis=1) for batch in on_all_cores(*pieces))

    def enough(scheme: int, parts: Sequence[F32]) -> bool:
        done = sum(part.shape[1] for part in parts)
        progress(step, n_permutations * scheme + done, n_permutations * len(permuter.exchange_schemes))
        return 0 < give_up <= sum(int((part[0] >= best).sum()) for part in parts)

    drawn = nulls(partial(_permuted_best, family, columns), permuter, rng, sizes, every=every, enough=enough)
    null, trend_null, listed = conservative_null(drawn)
    return FamilyTest(
        measured.standardised_residuals, measured.names, alpha, observed, null, float(trend.max()), trend_null, listed
    )


def _permuted_best(family: Family, columns: F32, permuter: Permuter, count: int, rng: np.random.Generator) -> F32:
    """(3, count) of permuted scores: the best statistic of the family, the best trend, and the best statistic in the
    first measure of the listable candidates."""
    drawn = permuter.draw(count, rng).T.take(family.order, axis=1)
    permuted = np.empty((count, columns.shape[1], family.n), np.float32)
    for measure, values in enumerate(columns.T):  # the measures of a draw are contiguous
        permuted[:, measure] = np.ascontiguousarray(values).take(drawn)
    if permuter.grouped:  # groups of unequal size repeat and drop values: recenter each column
        permuted -= permuted.mean(2, keepdims=True)
    statistics, trend = family.read_placed(permuted.reshape(-1, family.n))
    listed = statistics[family.is_listed].max(0, initial=-np.inf).reshape(count, -1)[:, 0]
    return np.stack([statistics.max(0).reshape(count, -1).max(1), trend.reshape(count, -1).max(1), listed])
