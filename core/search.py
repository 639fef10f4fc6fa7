"""The family of candidate clusters and conditions, and one permutation test over all of it.

Three kinds of candidate, each a set of rows inside a scope (all samples, or one class):

    slice      the rows with the highest out-of-fold predicted loss, at several depths and penalties
    region     a k-means part of the embedding, found without looking at the loss
    condition  rows that meet a condition on the table or on a measured property

Slices depend on the losses, so each permutation refits the heads and cuts the slices again: the search is inside the null.
The p of a candidate is the share of permutations in which the best of the whole family does at least as well (max-T,
Westfall & Young 1993), so it already pays for everything that was looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.records import F32, F64, I64, Bool, Progress, no_progress
from core.regressors import HeadSmoother
from core.statistics import Permuter, chunks, studentised_excess

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

    kind: Literal["region", "condition"]
    scope: int
    mask: Bool
    tag: int
    """Which part or condition it is, in the caller's list."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One member of the family."""

    kind: Literal["slice", "region", "condition"]
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
        self.n, self.scopes, self.smoothers, self.regions = n, list(scopes), list(smoothers), list(regions)
        self.candidates: list[Candidate] = []
        for number, (_, where) in enumerate(self.smoothers):
            for scope in where:
                self.candidates += [Candidate("slice", scope, number, depth, -1) for depth in self._depths(scope)]
        self.n_slices = len(self.candidates)
        self.candidates += [Candidate(r.kind, r.scope, -1, 0.0, r.tag) for r in self.regions]
        self.masks = np.zeros((len(self.regions), n), dtype=np.float32)
        for i, region in enumerate(self.regions):
            self.masks[i] = region.mask
        self.region_scope = np.array([r.scope for r in self.regions], dtype=np.int64)
        self.is_condition = np.array([c.kind == "condition" for c in self.candidates], dtype=bool)

    def _depths(self, scope: int) -> list[float]:
        n = len(self.scopes[scope].rows)
        return [d for d in DEPTHS if round(d * n) >= SMALLEST and n - round(d * n) >= SMALLEST]

    def statistics(self, losses: F32, targets: F32) -> F32:
        """(candidates, p) studentised excess for each column. See `read`."""
        return self.read(losses, targets)[0]

    def read(self, losses: F32, targets: F32) -> tuple[F32, F32]:
        """(candidates, p) studentised excess, and (p,) the best trend, for each column.

        The trend is the correlation of the losses with their out-of-fold predictions times the root of the rows, the largest
        over scopes and smoothers: whether anything is predictable at all.

        Args:
            losses: (n, p) centred losses, which are tested.
            targets: (n, p) what the heads are fitted to (the loss, with the 0/1 error mixed in where it is known).
        """
        out = np.empty((len(self.candidates), losses.shape[1]), dtype=np.float32)
        trend = np.full(losses.shape[1], -np.inf, dtype=np.float32)
        at = 0
        for smoother, where in self.smoothers:
            predicted = smoother.predict(targets)
            for scope in where:
                trend = np.maximum(trend, _trend(predicted[self.scopes[scope].rows], losses[self.scopes[scope].rows]))
                depths = self._depths(scope)
                out[at : at + len(depths)] = self._slices(predicted, losses, self.scopes[scope].rows, depths)
                at += len(depths)
        if self.regions:
            out[at:] = self._regions(losses)
        return out, trend

    def _slices(self, predicted: F32, losses: F32, rows: I64, depths: Sequence[float]) -> F32:
        order = np.argsort(-predicted[rows], axis=0)
        ordered = np.take_along_axis(losses[rows], order, axis=0)
        sizes = np.array([round(d * len(rows)) for d in depths])
        sums, squares = np.cumsum(ordered, axis=0), np.cumsum(ordered * ordered, axis=0)
        return studentised_excess(
            sizes[:, None].astype(np.float64), np.float64(len(rows)) * np.ones((1, 1)), sums[sizes - 1], squares[sizes - 1], sums[-1:], squares[-1:]
        )

    def _regions(self, losses: F32) -> F32:
        squared = losses * losses
        totals = np.stack([losses[s.rows].sum(0) for s in self.scopes])
        total_squares = np.stack([squared[s.rows].sum(0) for s in self.scopes])
        sizes = self.masks.sum(1)[:, None].astype(np.float64)
        scope_sizes = np.array([len(s.rows) for s in self.scopes], dtype=np.float64)[self.region_scope][:, None]
        return studentised_excess(
            sizes, scope_sizes, self.masks @ losses, self.masks @ squared, totals[self.region_scope], total_squares[self.region_scope]
        )

    def scores(self, candidate: Candidate, targets: F64) -> tuple[F64, Bool]:
        """(n,) out-of-fold scores of a slice (-inf outside its scope) and its (n,) members."""
        rows = self.scopes[candidate.scope].rows
        scores = np.full(self.n, -np.inf)
        scores[rows] = self.smoothers[candidate.smoother][0].predict(targets[:, None].astype(np.float32))[rows, 0]
        members = np.zeros(self.n, dtype=bool)
        members[rows[np.argsort(-scores[rows], kind="stable")[: round(candidate.depth * len(rows))]]] = True
        return scores, members


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
        return float((np.sum(self.trend_null >= self.trend - 1e-6) + 1) / (len(self.trend_null) + 1))

    def p(self, statistic: float) -> float:
        return float((np.sum(self.null >= statistic - 1e-6) + 1) / (len(self.null) + 1))

    def threshold(self, alpha: float) -> float:
        """The smallest statistic whose p is at most alpha."""
        return float(np.quantile(self.null, 1 - alpha, method="higher"))


def read_family(
    family: Family,
    losses: F64,
    targets: F64,
    permuter: Permuter,
    rng: np.random.Generator,
    *,
    n_permutations: int,
    give_up: int = 0,
    progress: Progress = no_progress,
    step: str = "test",
) -> Reading:
    """Test the whole family once against permuted losses.

    Args:
        losses, targets: (n,) centred within the permuter's strata.
        n_permutations: at least 5,000 for a p that is reported.
        give_up: stop once so many permutations beat the best *slice or region*: its p is then far from any alpha
            (Besag & Clifford 1991). 0 never stops.
    """
    columns = np.stack([losses, targets], 1).astype(np.float32)
    read, trend = family.read(columns[:, :1], columns[:, 1:])
    observed = read[:, 0]
    best = observed[~family.is_condition].max(initial=-np.inf) if give_up else np.inf
    null: list[F32] = []
    trends: list[F32] = []
    size = int(np.clip(4_000_000 // family.n, 16, 256))
    done = 0
    for count in chunks(n_permutations, size):
        source = permuter.draw(count, rng)
        permuted, fitted = columns[source, 0], columns[source, 1]
        if permuter.grouped:  # unequal groups repeat and drop values: keep each column's mean at zero
            permuted, fitted = permuted - permuted.mean(0), fitted - fitted.mean(0)
        read, permuted_trend = family.read(permuted, fitted)
        null.append(read.max(0))
        trends.append(permuted_trend)
        done += count
        progress(step, done, n_permutations)
        if give_up and done < n_permutations and sum(int((part >= best).sum()) for part in null) >= give_up:
            return Reading(observed, np.concatenate(null), True, float(trend[0]), np.concatenate(trends))
    return Reading(observed, np.concatenate(null), False, float(trend[0]), np.concatenate(trends))
