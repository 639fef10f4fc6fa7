"""SliceLine on tags: conjunctions of tags and class, scored by error rate against size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool
from core.systems.peers.engines import failures

BEAM_SLICES = 300
"""Conjunctions of one length that are extended: the highest scores. The number is a convention."""


@dataclass
class SliceLine:
    """Slices are conjunctions of at most `most_tags` of: "is of class c", "is more like phrase t than a share
    `quantile` of the audited rows". A row's score is 1 in the slice and 0 elsewhere.

    score = alpha ((e_S / |S|) / (e / n) - 1) - (1 - alpha) (n / |S| - 1), for conjunctions of at least `min_rows` rows.

    Source: Sagadeeva & Boehm 2021, SIGMOD, and the package `sliceline` (alpha, least support). Departures: tags are
    read off the embedding, so a person need not have written any; longer conjunctions come from the
    `BEAM_SLICES` best shorter ones, where theirs are all that a bound does not rule out; only the presence of a tag
    makes a slice, not its absence.
    """

    needs: ClassVar[tuple[str, ...]] = ("labels", "likeness")
    n_slices: int = 5
    alpha: float = 0.95
    quantile: float = 0.8
    most_tags: int = 3
    min_rows: int = 10
    thresholds_: F32 = field(init=False, repr=False)
    """(t,)"""
    classes_: I64 = field(init=False, repr=False)
    slices_: list[tuple[int, ...]] = field(init=False, repr=False)
    """Columns: tags first, then classes."""

    def fit(
        self,
        embeddings: F32,
        losses: F64,
        labels: I64,
        probabilities: F64 | None = None,
        errors: Bool | None = None,
        likeness: F32 | None = None,
    ) -> Self:
        if likeness is None:
            raise InvalidInput("SliceLine needs the likeness (n, t) of the rows to phrases: got none.")
        wrong = failures("SliceLine", labels, probabilities, errors).astype(np.float64)
        self.thresholds_ = np.quantile(likeness, self.quantile, axis=0).astype(np.float32)
        self.classes_ = np.unique(labels)
        columns = self._columns(likeness, labels).astype(np.float64)
        values = self._values(columns.sum(0), columns.T @ wrong, wrong)
        longest: dict[tuple[int, ...], float] = {(c,): float(value) for c, value in enumerate(values)}
        scored = dict(longest)
        for _ in range(1, self.most_tags):
            best = sorted(longest, key=lambda s: -longest[s])[:BEAM_SLICES]
            longest = self._longer([s for s in best if np.isfinite(longest[s])], columns, wrong)
            scored |= longest
        self.slices_ = sorted(scored, key=lambda s: (-scored[s], s))[: self.n_slices]
        return self

    def _columns(self, likeness: F32, labels: I64) -> Bool:
        return np.concatenate([likeness > self.thresholds_, labels[:, None] == self.classes_], axis=1)

    def _longer(self, slices: list[tuple[int, ...]], columns: F64, wrong: F64) -> dict[tuple[int, ...], float]:
        """Every slice with one more column, with its score."""
        longer: dict[tuple[int, ...], float] = {}
        for slice in slices:
            inside = columns[:, list(slice)].all(axis=1)
            rows = columns[inside]
            values = self._values(rows.sum(0), wrong[inside] @ rows, wrong)
            for c in range(columns.shape[1]):
                if c not in slice:
                    longer[tuple(sorted((*slice, c)))] = float(values[c])
        return longer

    def _values(self, sizes: F64, errors: F64, wrong: F64) -> F64:
        """(c,) score of slices with these sizes and errors; -inf for those under `min_rows`."""
        n = len(wrong)
        rate = max(float(wrong.mean()), 1e-12)
        size = np.maximum(sizes, 1)
        value = self.alpha * (errors / size / rate - 1) - (1 - self.alpha) * (n / size - 1)
        return np.where(sizes >= self.min_rows, value, -np.inf)

    def score(
        self,
        embeddings: F32,
        labels: I64,
        probabilities: F64 | None = None,
        losses: F64 | None = None,
        likeness: F32 | None = None,
    ) -> F64:
        if likeness is None:
            raise InvalidInput("SliceLine needs the likeness (m, t) of the rows to score: got none.")
        columns = self._columns(likeness, labels)
        return np.stack([columns[:, list(s)].all(axis=1).astype(np.float64) for s in self.slices_], axis=1)
