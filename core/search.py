"""The family of candidate clusters and conditions, and one permutation test over all of it.

Four kinds of candidate, each a set of rows inside a scope (all samples, or one class):

    slice      the rows with the highest out-of-fold predicted loss, at several depths and penalties
    region     a k-means part of the embedding, found without looking at the loss
    condition  rows that meet a condition on the table or on a measured property
    phrase     rows that look most like a phrase of the vocabulary, at several depths

Slices depend on the losses, so each permutation refits the heads and cuts the slices again: the search is inside the null.
The p of a candidate is the share of permutations in which the best of the whole family does at least as well (max-T,
Westfall & Young 1993), so it already pays for everything that was looked at.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from core.records import F32, F64, I64, Bool, Progress, no_progress
from core.regressors import HeadSmoother
from core.statistics import Permuter, chunks, permutation_p, plain_excess, studentised_excess

Statistic = Callable[..., F32 | F64]
BATCH = 4
"""Chunks of permutations between two looks at whether to give up."""
DEPTHS = (0.02, 0.05, 0.1, 0.2, 0.35)
"""Shares of a scope that a slice may hold."""
SMALLEST = 10
"""No candidate has fewer rows than this."""


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """Where a candidate is compared with the rest: `rows` are all samples, or one class."""

    name: str
    rows: I64
    block: int | None
    """The class, or None for all samples."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A set of rows that was fixed without looking at the loss."""

    kind: Literal["region", "condition", "phrase"]
    scope: int
    rows: I64
    """Row numbers, within the scope."""
    tag: int
    """Which part, condition or phrase it is, in the caller's list."""

    def mask(self, n: int) -> Bool:
        """(n,) True for its rows."""
        inside = np.zeros(n, dtype=bool)
        inside[self.rows] = True
        return inside


@dataclass(frozen=True, slots=True)
class Candidate:
    """One member of the family."""

    kind: Literal["slice", "region", "condition", "phrase"]
    scope: int
    smoother: int
    depth: float
    tag: int


class Family:
    """All candidates of one data set, and their statistics for any number of (permuted) losses at once.

    Args:
        scopes: the first is all samples.
        smoothers: (smoother, scope numbers that it cuts slices in) pairs.
        regions: loss-free sets; each must lie inside its scope.
    """

    def __init__(self, n: int, scopes: Sequence[Scope], smoothers: Sequence[tuple[HeadSmoother, Sequence[int]]], regions: Sequence[Region]) -> None:
        self.n, self.smoothers, self.regions = n, list(smoothers), list(regions)
        # rows of equal prediction (the same picture twice) are taken in the order of the scope: never that of a table sorted by loss
        rng = np.random.default_rng(0)
        self.scopes = [replace(s, rows=rng.permutation(s.rows)) for s in scopes]
        self.candidates: list[Candidate] = []
        for number, (_, where) in enumerate(self.smoothers):
            for scope in where:
                self.candidates += [Candidate("slice", scope, number, depth, -1) for depth in self._depths(scope)]
        self.n_slices = len(self.candidates)
        self.candidates += [Candidate(r.kind, r.scope, -1, 0.0, r.tag) for r in self.regions]
        self.sets = [self._sets(number) for number in range(len(self.scopes))]
        self.is_condition = np.array([c.kind in ("condition", "phrase") for c in self.candidates], dtype=bool)

    def _sets(self, scope: int) -> tuple[I64, F32]:
        """The numbers of a scope's regions, and their (regions, rows of the scope) indicators: each is compared within its scope only."""
        rows = self.scopes[scope].rows
        place = np.zeros(self.n, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        numbers = np.array([i for i, r in enumerate(self.regions) if r.scope == scope], dtype=np.int64)
        masks = np.zeros((len(numbers), len(rows)), dtype=np.float32)
        for line, number in zip(masks, numbers):
            line[place[self.regions[number].rows]] = 1
        return numbers, masks

    def _depths(self, scope: int) -> list[float]:
        n = len(self.scopes[scope].rows)
        return [d for d in DEPTHS if round(d * n) >= SMALLEST and n - round(d * n) >= SMALLEST]

    def statistics(self, scores: F32) -> F32:
        """(candidates, p) studentised excess for each column. See `read`."""
        return self.read(scores)[0]

    def excess(self, scores: F64) -> F32:
        """(candidates,) plain excess of the (n,) scores: mean inside minus mean outside."""
        return self.read(scores[:, None].astype(np.float32), plain_excess)[0][:, 0]

    def read(self, scores: F32, statistic: Statistic = studentised_excess) -> tuple[F32, F32]:
        """(candidates, p) statistics, and (p,) the best trend, for each column.

        The trend is the correlation of the scores with their out-of-fold predictions times the root of the rows, the largest
        over scopes and smoothers: whether anything is predictable at all.

        Args:
            scores: (n, p) centred failure scores; they are tested, and the heads are fitted to them.
            statistic: how a set is compared with the rest of its scope.
        """
        out = np.empty((len(self.candidates), scores.shape[1]), dtype=np.float32)
        trend = np.full(scores.shape[1], -np.inf, dtype=np.float32)
        at = 0
        for smoother, where in self.smoothers:
            predicted = smoother.predict(scores)
            for scope in where:
                rows = self.scopes[scope].rows
                inside, own = predicted[rows], scores[rows]
                trend = np.maximum(trend, _trend(inside, own))
                depths = self._depths(scope)
                out[at : at + len(depths)] = _slices(inside, own, depths, statistic)
                at += len(depths)
        if self.regions:
            out[at:] = self._regions(scores, statistic)
        return out, trend

    def _regions(self, scores: F32, statistic: Statistic) -> F32:
        out = np.empty((len(self.regions), scores.shape[1]), dtype=np.float32)
        for scope, (numbers, masks) in zip(self.scopes, self.sets):
            if len(numbers):
                own = scores[scope.rows]
                squared = own * own
                sizes = masks.sum(1)[:, None].astype(np.float64)
                size = np.full((1, 1), len(own), dtype=np.float64)
                out[numbers] = statistic(sizes, size, masks @ own, masks @ squared, own.sum(0)[None], squared.sum(0)[None])
        return out

    def slice_of(self, candidate: Candidate, scores: F64) -> tuple[F64, Bool]:
        """(n,) out-of-fold predictions behind a slice (-inf outside its scope) and its (n,) members."""
        rows = self.scopes[candidate.scope].rows
        inside = self.smoothers[candidate.smoother][0].predict(scores[:, None].astype(np.float32))[rows]
        predicted, members = np.full(self.n, -np.inf), np.zeros(self.n, dtype=bool)
        predicted[rows] = inside[:, 0]
        members[rows[np.argsort(-inside, axis=0)[: round(candidate.depth * len(rows)), 0]]] = True  # sorted as `_slices` does, for ties
        return predicted, members


def _slices(predicted: F32, scores: F32, depths: Sequence[float], statistic: Statistic) -> F32 | F64:
    order = np.argsort(-predicted, axis=0)
    ordered = np.take_along_axis(scores, order, axis=0)
    sizes = np.array([round(d * len(scores)) for d in depths])
    sums, squares = np.cumsum(ordered, axis=0), np.cumsum(ordered * ordered, axis=0)
    scope_size = np.full((1, 1), len(scores), dtype=np.float64)
    return statistic(sizes[:, None].astype(np.float64), scope_size, sums[sizes - 1], squares[sizes - 1], sums[-1:], squares[-1:])


def _trend(predicted: F32, losses: F32) -> F32:
    a, b = predicted - predicted.mean(0), losses - losses.mean(0)
    scale = np.sqrt((a * a).sum(0) * (b * b).sum(0))
    return (a * b).sum(0) / np.maximum(scale, 1e-12) * np.float32(np.sqrt(len(losses)))


def centre(values: F64, strata: I64) -> F64:
    """(n,) values minus the mean of their stratum."""
    counts = np.bincount(strata)
    return values - (np.bincount(strata, values) / np.maximum(counts, 1))[strata]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One pass over the family: the observed statistics and the null of their maximum."""

    observed: F32
    """(candidates,)"""
    null: F32
    """(b,) the largest statistic of the family in each permutation."""
    stopped_early: bool
    trend: float = float("nan")
    """The observed best trend (see `Family.read`)."""
    trend_null: F32 | None = None
    """(b,) the best trend in each permutation."""

    def trend_p(self) -> float | None:
        """p of the best trend; None where nothing could be permuted."""
        if self.trend_null is None or not len(self.trend_null):
            return None
        return permutation_p(self.trend, self.trend_null)

    def p(self, statistic: float) -> float:
        return permutation_p(statistic, self.null)

    def threshold(self, alpha: float) -> float:
        """The least statistic whose p is at most alpha; inf where there are too few permutations for any."""
        most = int(alpha * (len(self.null) + 1) + 1e-9) - 1  # so many of the null may reach it
        return float(np.sort(self.null)[-1 - most]) + 2e-6 if most >= 0 else float("inf")  # just above: `p` forgives 1e-6


def read_family(
    family: Family,
    scores: F64,
    permuter: Permuter,
    rng: np.random.Generator,
    *,
    n_permutations: int,
    give_up: int = 0,
    progress: Progress = no_progress,
    step: str = "test",
) -> Reading:
    """Test the whole family once against permuted scores.

    Args:
        scores: (n,) centred within the permuter's strata.
        n_permutations: at least 5,000 for a p that is reported.
        give_up: stop once so many permutations beat the best *slice or region*: its p is then far from any alpha
            (Besag & Clifford 1991). 0 never stops.

    Chunks of permutations run on all cores, each with a generator of its own, so the result does not depend on how many there are.
    """
    column = scores[:, None].astype(np.float32)
    read, trend = family.read(column)
    observed = read[:, 0]
    best = observed[~family.is_condition].max(initial=-np.inf)
    sizes = list(chunks(n_permutations, int(np.clip(4_000_000 // family.n, 16, 256))))

    def one(count: int, own: np.random.Generator) -> tuple[F32, F32]:
        permuted = column[permuter.draw(count, own), 0]
        if permuter.grouped:  # unequal groups repeat and drop values: keep each column's mean at zero
            permuted = permuted - permuted.mean(0)
        statistics, permuted_trend = family.read(permuted)
        return statistics.max(0), permuted_trend

    nulls: list[F32] = []
    trends: list[F32] = []
    generators = rng.spawn(len(sizes))
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for at in range(0, len(sizes), BATCH):
            for null, permuted_trend in pool.map(one, sizes[at : at + BATCH], generators[at : at + BATCH]):
                nulls.append(null)
                trends.append(permuted_trend)
            progress(step, sum(map(len, nulls)), n_permutations)
            if give_up and at + BATCH < len(sizes) and sum(int((null >= best).sum()) for null in nulls) >= give_up:
                return Reading(observed, np.concatenate(nulls), True, float(trend[0]), np.concatenate(trends))
    return Reading(observed, np.concatenate(nulls), False, float(trend[0]), np.concatenate(trends))
