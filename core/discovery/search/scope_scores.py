"""The scores of one scope, and the sums behind the statistics of sets of its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.records import F32, F64, I64
from core.row_runs import row_runs
from core.statistics.groups import cluster_variance_terms

MIN_SQUARES = 1e-12
"""Smaller sums of squares are rounding errors: scores have a deviation of about 1."""
TILE_CELLS = 262_144
"""Cells processed at once, which bounds memory and keeps them in the processor's cache."""
N_TOP_MEMBERS = 10
"""Members of highest membership whose share of marked rows counts: a person looks at about this many first. A
convention, saved with each run (`Sensitivity.surest`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Positions of the rows of a scope: a contiguous run, or some positions of one."""

    around: slice
    some: I64 | None
    """Positions within the run; None for all."""

    @classmethod
    def of(cls, positions: I64) -> Run:
        """The run around ascending positions."""
        first = int(positions[0])
        last = int(positions[-1]) + 1
        if last - first == len(positions):
            return cls(slice(first, last), None)
        return cls(slice(first, last), positions - first)

    def of_all(self, values: Any) -> Any:
        """(p, rows of the scope) of (p, n) values by position."""
        return self.read(lambda at: values[:, at])

    def read(self, read: Callable[[slice], Any]) -> Any:
        """(p, rows of the scope) of the values that `read` returns for a run."""
        values = read(self.around)
        if self.some is not None:
            values = values[:, self.some]
        return np.ascontiguousarray(values)


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Sums behind the statistics of r candidates of one scope, for p columns."""

    sums: tuple[Any, ...]
    """Arguments of `core.statistics.permutation.excess_and_error`."""
    marked: F32 | None = None
    """(r, p) share of marked rows inside."""
    top10_marked_share: F32 | None = None
    """(p,) or (r, p) share of marked rows among the N_TOP_MEMBERS with the highest predictions; for a region, among
    all."""

    def studentised(self) -> F32:
        """(r, p) `core.statistics.permutation.studentised_excess`."""
        from core.statistics.excess import studentised_excesses  # compiles: a saved run opens without it

        return studentised_excesses(*self.sums)


@dataclass(frozen=True, slots=True, eq=False)
class ScopeScores:
    """The (p, rows) scores of one scope, with their (1, p) sums and sums of squares, and the marked rows."""

    scores: F32
    total: F32
    squares: F32
    marks: F32 | None = None
    """(p, rows)"""
    terms: tuple[F32, ...] = ()
    """`cluster_variance_terms`, (p, rows) or (1, rows), where rows come in groups."""

    @classmethod
    def of(cls, placed: F32, run: Run, marks: F32 | None = None, groups: I64 | None = None) -> ScopeScores:
        scores = run.of_all(placed)
        marked = None if marks is None else run.of_all(marks)
        terms: tuple[F32, ...] = ()
        if groups is not None:
            terms = cluster_variance_terms(scores, run.of_all(groups[None])[0])
        # numpy's pairwise sums do not depend on the number of columns, so that observed scores tie with permuted ones
        return cls(scores, scores.sum(1)[None], np.square(scores).sum(1)[None], marked, terms)

    @property
    def size(self) -> F64:
        return np.full((1, 1), self.scores.shape[1], dtype=np.float64)

    def regions(self, masks: F32) -> Moments:
        """Moments of the sets whose (sets, rows) indicators are `masks`."""
        sizes = masks.sum(1)[:, None].astype(np.float64)
        sums = masks @ self.scores.T
        squares = masks @ np.square(self.scores).T
        marked = None
        if self.marks is not None:
            marked = (masks @ self.marks.T) / masks.sum(1)[:, None]
        return Moments(self._sums(sizes, sums, squares, [masks @ term.T for term in self.terms]), marked, marked)

    def slices(self, predicted: F32, depths: Sequence[float]) -> tuple[Moments, F32]:
        """Moments of the rows with the highest predictions at each depth, and the (p,) trend of the predictions."""
        from core.statistics.levels import level_sums, levels_of  # compiles: a saved run opens without it

        p, n = predicted.shape
        sizes = [round(d * n) for d in depths]
        first = 0
        cuts = sizes
        if self.marks is not None:  # the top members are cut like one more slice
            first = 1
            cuts = [N_TOP_MEMBERS, *sizes]
        sums = np.empty((2, len(cuts), p), np.float32)
        trend = np.empty(p, np.float32)
        of_groups = np.empty((len(self.terms), len(sizes), p), np.float32)
        marked = np.empty((len(cuts), p), np.float32)
        for at in row_runs(p, n, TILE_CELLS):
            trend[at] = self.trend(predicted[at], at)
            if not sizes:
                continue
            levels = levels_of(predicted[at], cuts)
            sums[:, :, at] = level_sums(levels, self.scores[at], len(cuts))
            for of_term, term in zip(of_groups, self.terms):
                term_sums = level_sums(levels, term[at] if len(term) > 1 else term, len(cuts))
                of_term[:, at] = term_sums[0, first:]
            if self.marks is not None:
                marked[:, at] = level_sums(levels, self.marks[at], len(cuts))[0]
        slice_sums = self._sums(np.array(sizes, np.float64)[:, None], sums[0, first:], sums[1, first:], of_groups)
        if self.marks is None:
            return Moments(slice_sums), trend
        shares = marked / np.array(cuts, np.float32)[:, None]
        return Moments(slice_sums, shares[1:], shares[0]), trend

    def _sums(self, sizes: F64, sums: F32, squares: F32, of_groups: Any) -> tuple[Any, ...]:
        plain = sizes, self.size, sums, squares, self.total, self.squares
        if not self.terms:
            return plain
        return *plain, of_groups, [term.sum(1)[None] for term in self.terms]

    def trend(self, predicted: F32, at: slice) -> F32:
        """(columns,) correlation of some columns' scores with their predictions, over its standard error.

        Studentized in this way, its permutation test keeps its level where the two are uncorrelated but not independent
        (DiCiccio & Romano 2017, JASA 112(519), section 2). The plain correlation does not: see
        `core.discovery.predictability.predictability_of`.
        """
        from core.statistics.levels import product_sums

        n = np.float32(self.scores.shape[1])
        ours = self.total[0, at] / n
        theirs = predicted.mean(1)
        theirs_spread, products, squares = product_sums(predicted, self.scores[at], theirs, ours)
        ours_spread = self.squares[0, at] - n * ours**2
        error = np.sqrt(squares)
        # a class that is all right or all wrong has no spread, only rounding, which must not be divided by
        known = (theirs_spread > np.maximum(1e-5 * (theirs_spread + n * theirs**2), MIN_SQUARES)) & (error > 0)
        known &= ours_spread > np.maximum(1e-5 * self.squares[0, at], MIN_SQUARES)
        return np.where(known, products / np.where(known, error, 1), 0).astype(np.float32)
