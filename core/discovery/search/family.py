"""The family of candidate clusters and conditions, and their statistics; `family_test.py` tests it as a whole.

Four kinds of candidate, each a set of rows inside a scope (all samples, or one class):

    slice      the rows with the highest out-of-fold predicted loss, at several depths and penalties
    region     a k-means part of the embedding, formed without the losses
    condition  rows that meet a condition on the table or on a measured property
    phrase     rows that match a phrase of the vocabulary best, at several depths

Slices depend on the losses, so each permutation refits the heads and cuts the slices again: the search is inside the
null. The p of a candidate is the share of permutations in which the best of the whole family does at least as well
(max-T, Westfall & Young 1993), so it already pays for everything that was searched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from core.discovery.ridge.heads import HeadSmoother
from core.discovery.ridge.layout import HeadRows
from core.discovery.ridge.leave_out import LeaveOutSmoother
from core.discovery.search.scope_scores import Moments, Run, ScopeScores
from core.records import F32, F64, I64, Bool
from core.statistics.permutation import plain_excess
from core.statistics.tops import top_positions

Statistic = Callable[..., F32 | F64]
Smoother = HeadSmoother | LeaveOutSmoother
DEPTHS = (0.01, 0.0125, 0.016, 0.02, 0.025, 0.032, 0.04, 0.05, 0.063, 0.08, 0.1, 0.125, 0.16, 0.2, 0.25, 0.3, 0.35)
"""Shares of a scope that a slice may hold: a quarter more at each step, so that one is within an eighth of any size.
They overlap so much that the twelve added to the first five raised the threshold by only 0.03 to 0.1 (tuning seeds).
Mean Jaccard index of the first cluster with the blindspot it fits best, by the split that explains most: seventeen
depths 0.75 and 0.43, nine 0.74 and 0.41, five 0.70 and 0.40 (docs/decisions/search-inside-the-null.md)."""
MIN_CANDIDATE_ROWS = 10
"""Rows of a candidate at least. Candidates of five rows were tried on tuning seeds and not kept
(docs/decisions/search-inside-the-null.md)."""


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """Rows within which a candidate is compared with the others: all samples, a class or a superclass."""

    name: str
    rows: I64
    block: int | None
    """The class, or None for all samples."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A set of rows that was fixed without the losses."""

    kind: Literal["region", "condition", "phrase"]
    scope: int
    rows: I64
    """Row numbers, within the scope."""
    tag: int
    """Index of the part, condition or phrase in the caller's list."""

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


@dataclass(frozen=True, slots=True, eq=False)
class MarkedReading:
    """Result of `Family.read_marked` for c candidates in p columns."""

    statistics: F32
    """(c, p) studentized excess."""
    excess: F32
    """(c, p) mean inside minus mean outside."""
    marked: F32
    """(c, p) share of a candidate's rows that are marked."""
    top10_marked_share: F32
    """(c, p) the same of the SUREST rows of a slice, and of all rows of a region."""
    trend: F32
    """(p,) the best trend."""


class Family:
    """All candidates of one data set, and their statistics for any number of (permuted) losses at once.

    Args:
        scopes: the first is all samples.
        smoothers: (smoother, numbers of the scopes that it cuts slices in) pairs.
        regions: sets fixed without the losses; each must lie inside its scope.
        groups: (n,) where rows come in groups.
        rows: features of the `LeaveOutSmoother`s, which share its moments.
    """

    def __init__(
        self,
        n: int,
        scopes: Sequence[Scope],
        smoothers: Sequence[tuple[Smoother, Sequence[int]]],
        regions: Sequence[Region],
        groups: I64 | None = None,
        rows: HeadRows | None = None,
    ) -> None:
        self.rows = rows
        self.order = np.arange(n) if rows is None else rows.order
        self.n = n
        self.smoothers = list(smoothers)
        self.regions = list(regions)
        self.groups = groups
        # shuffled, so that the order of the table does not decide which rows of equal membership come first
        rng = np.random.default_rng(0)
        self.scopes = [replace(s, rows=rng.permutation(s.rows)) for s in scopes]
        position = np.argsort(self.order)
        self.runs = [Run.of(np.sort(position[scope.rows])) for scope in scopes]
        self.candidates: list[Candidate] = []
        for number, (_, cut_scopes) in enumerate(self.smoothers):
            for scope in cut_scopes:
                self.candidates += [Candidate("slice", scope, number, depth, -1) for depth in self._depths(scope)]
        self.n_slices = len(self.candidates)
        self.candidates += [Candidate(r.kind, r.scope, -1, 0.0, r.tag) for r in self.regions]
        slices = [round(c.depth * len(self.scopes[c.scope].rows)) for c in self.candidates[: self.n_slices]]
        self.scope_of = np.array([c.scope for c in self.candidates], dtype=np.int64)
        self.sizes = np.array([*slices, *(len(r.rows) for r in self.regions)], dtype=np.float64)
        self.scope_sizes = np.array([len(s.rows) for s in self.scopes], dtype=np.float64)[self.scope_of]
        self.sets = [self._sets(number) for number in range(len(self.scopes))]
        self.is_condition = np.array([c.kind in ("condition", "phrase") for c in self.candidates], dtype=bool)
        # slices of the narrowest scopes: only these may be listed unconfirmed
        self.is_listed = (np.arange(len(self.candidates)) < self.n_slices) & (
            (self.scope_of > 0) | (not self.scope_of[: self.n_slices].any())
        )

    def _sets(self, scope: int) -> tuple[I64, F32]:
        """The numbers of a scope's regions, and their (regions, rows of the scope) indicators."""
        rows = self._rows(scope)
        position = np.zeros(self.n, dtype=np.int64)
        position[rows] = np.arange(len(rows))
        numbers = np.array([i for i, r in enumerate(self.regions) if r.scope == scope], dtype=np.int64)
        masks = np.zeros((len(numbers), len(rows)), dtype=np.float32)
        for line, number in zip(masks, numbers):
            line[position[self.regions[number].rows]] = 1
        return numbers, masks

    def _rows(self, scope: int) -> I64:
        """The rows of a scope in the order of their positions."""
        return self.runs[scope].of_all(self.order[None])[0]

    def _depths(self, scope: int) -> list[float]:
        n = len(self.scopes[scope].rows)
        return [d for d in DEPTHS if round(d * n) >= MIN_CANDIDATE_ROWS]

    def statistics(self, scores: F32) -> F32:
        """(candidates, p) studentized excess for each column. See `read`."""
        return self.read(scores)[0]

    def excess(self, scores: F64) -> F32:
        """(candidates, m) plain excess of the (n, m) scores: mean inside minus mean outside."""
        return self.read(scores.astype(np.float32), plain_excess)[0]

    def read(self, scores: F32, statistic: Statistic | None = None) -> tuple[F32, F32]:
        """(candidates, p) statistics, and (p,) the best trend, for each column.

        The trend is the correlation of the scores with their out-of-fold predictions over its standard error
        (`ScopeScores.trend`), the largest over scopes and smoothers. It tests whether anything is predictable at all.

        Args:
            scores: (n, p) centered failure scores; they are tested, and the heads are fitted to them.
            statistic: compares a set with the others of its scope; by default the studentized excess.
        """
        return self.read_placed(self._placed(scores), statistic)

    def read_placed(self, placed: F32, statistic: Statistic | None = None) -> tuple[F32, F32]:
        """As `read`, for (p, n) scores by position: those of row `order[i]` at position i."""
        out = np.empty((len(self.candidates), len(placed)), dtype=np.float32)
        trend = np.full(len(placed), -np.inf, dtype=np.float32)
        for at, moments, scope_trend in self._moments(placed):
            out[at] = moments.studentised() if statistic is None else statistic(*moments.sums)
            if scope_trend is not None:
                trend = np.maximum(trend, scope_trend)
        return out, trend

    def read_marked(self, scores: F32, marks: F32) -> MarkedReading:
        """As `read`, with the plain excess, and the share of each candidate that is marked.

        Args:
            scores: (n, p) as in `read`. marks: (n, p) 1 for the rows that are marked in a column, else 0.
        """
        p = scores.shape[1]
        statistics, excess, marked, top10_marked_share = np.empty((4, len(self.candidates), p), dtype=np.float32)
        trend = np.full(p, -np.inf, dtype=np.float32)
        for at, moments, scope_trend in self._moments(self._placed(scores), self._placed(marks)):
            statistics[at] = moments.studentised()
            excess[at] = plain_excess(*moments.sums)
            marked[at] = moments.marked
            top10_marked_share[at] = moments.top10_marked_share
            if scope_trend is not None:
                trend = np.maximum(trend, scope_trend)
        return MarkedReading(statistics, excess, marked, top10_marked_share, trend)

    def _moments(self, placed: F32, marked: F32 | None = None) -> Iterator[tuple[slice | I64, Moments, F32 | None]]:
        """For each run of candidates: their numbers, their sums, and for slices the (p,) trend behind them."""
        groups = None if self.groups is None else self.groups[self.order]
        scope_scores = [ScopeScores.of(placed, run, marked, groups) for run in self.runs]
        shared = None
        if self.rows is not None:
            leave_out = [smoother for smoother, _ in self.smoothers if isinstance(smoother, LeaveOutSmoother)]
            if any(smoother.matrix is None for smoother in leave_out):
                shared = self.rows.moments(placed)
        at = 0
        for smoother, cut_scopes in self.smoothers:
            read = self._reader(smoother, placed, shared)
            for scope in cut_scopes:
                depths = self._depths(scope)
                yield slice(at, at + len(depths)), *scope_scores[scope].slices(self.runs[scope].read(read), depths)
                at += len(depths)
        for scores, (numbers, masks) in zip(scope_scores, self.sets):
            if len(numbers):
                yield self.n_slices + numbers, scores.regions(masks), None

    def _placed(self, values: F32) -> F32:
        """(p, n) of (n, p) values, in the order of their positions: a column is contiguous in memory."""
        return np.ascontiguousarray(values[self.order].T)

    def _reader(self, smoother: Smoother, placed: F32, shared: F32 | None) -> Callable[[slice], F32]:
        if isinstance(smoother, LeaveOutSmoother):
            return smoother.reader(placed, shared)
        scores = np.empty((self.n, len(placed)), np.float32)
        scores[self.order] = placed.T
        everything = self._placed(smoother.predict(scores))
        return lambda at: everything[:, at]

    def slice_of(self, candidate: Candidate, scores: F64) -> tuple[F64, Bool]:
        """(n,) out-of-fold predictions behind a slice, -inf outside its scope, and members."""
        rows = self._rows(candidate.scope)
        placed = self._placed(scores[:, None].astype(np.float32))
        inside = self.runs[candidate.scope].read(self._reader(self.smoothers[candidate.smoother][0], placed, None))
        predicted = np.full(self.n, -np.inf)
        members = np.zeros(self.n, dtype=bool)
        predicted[rows] = inside[0]
        members[rows[top_positions(inside, round(candidate.depth * len(rows)))[0]]] = True
        return predicted, members


def centre(values: F64, strata: I64) -> F64:
    """(n,) or (n, m) values minus the mean of their stratum."""
    counts = np.maximum(np.bincount(strata), 1)
    columns = values.reshape(len(values), -1).T
    means = np.stack([np.bincount(strata, column) / counts for column in columns], 1)
    return values - means[strata].reshape(values.shape)
