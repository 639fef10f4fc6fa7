"""Ridge heads that predict each row from all the others: its own loss, and those of its group, are left out exactly.

For heads in closed form a row need not be left out by fitting again: with H the linear map from losses to fitted
values, the prediction without the rows g is y_g - (I - H_gg)^-1 (y - H y)_g (Allen 1974, Technometrics 16(1), for one
row; the block form is the same algebra). A slice of 20 rows is so cut by heads that saw 19 of them, where five folds
leave 16.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.discovery.ridge.heads import inverse_of, split_by_block
from core.discovery.ridge.layout import HeadRows
from core.records import F32, F64, I64
from core.row_runs import row_runs

MAX_GROUP_PAIRS = 20_000_000
"""Pairs of rows within groups that are stored at most. Larger groups are left out by folds, which bounds memory."""
MAX_DENSE_ROWS = 1000
"""Rows up to which a smoother is stored as one dense matrix: one product is then cheaper than many small ones."""
ALL_ROWS = slice(None)
BATCH_ROWS = 50_000
"""Rows whose leverage is computed at once, which bounds memory."""


def can_leave_out(groups: I64 | None) -> bool:
    """Whether whole groups can be left out exactly: not where groups hold thousands of rows each."""
    if groups is None:
        return True
    sizes = np.unique(groups, return_counts=True)[1].astype(np.int64)
    return int((sizes**2).sum()) <= MAX_GROUP_PAIRS


class LeaveOutSmoother:
    """Ridge heads (`core.discovery.ridge.heads.solve_heads`) as a linear map from the losses to predictions, each of
    which leaves out its own row and the rows of its group.

    Args:
        rows: the features by head.
        groups: (n,) rows that are left out together, or None.
        penalty, share: of `solve_heads`; `share=0` is one head for all rows.
        dense: keep the map as one matrix where there are few rows; worth it for many columns of losses.
    """

    def __init__(
        self, rows: HeadRows, groups: I64 | None = None, *, penalty: float, share: float, dense: bool = True
    ) -> None:
        self.rows = rows
        self.penalty = penalty
        self.share = share
        self.ridge = penalty / share if share else 0.0
        self._factor()
        sets = _sets(groups, rows.order)
        self.together = [(places, self._remainder(places)) for places in sets if places.shape[1] > 1]
        """(g, s) places of the groups of each size s, and their (g, s, s) inverses of I - H_gg."""
        self.alone = (1 / (1 - self._leverages())).astype(np.float32)
        """(n,) the same of the rows that are a group of their own; 1 for the others."""
        for places, _ in self.together:
            self.alone[places] = 1
        self.matrix: F32 | None = None
        if dense and len(rows.order) <= MAX_DENSE_ROWS:
            self.matrix = self._matrix(sets)

    def _factor(self) -> None:
        """M_c and S^-1 of `solve_heads`."""
        grams = self.rows.grams
        eye = np.eye(self.rows.features.shape[1])
        self.inverses: F32 = np.empty((0, *eye.shape), np.float32)
        if not self.share:
            self.shared = inverse_of(grams.sum(0) + self.penalty * eye).astype(np.float32)
            return
        inverses = np.stack([inverse_of(gram + self.ridge * eye) for gram in grams])
        schur = self.penalty * eye + self.ridge * (eye - self.ridge * inverses).sum(0)
        self.inverses = inverses.astype(np.float32)
        self.shared = inverse_of(schur).astype(np.float32)

    def predict(self, losses: F32) -> F32:
        """(n, p) predictions for the (n, p) centered losses, each column a data set of its own."""
        scores = np.ascontiguousarray(losses[self.rows.order].T)
        predicted = np.empty_like(losses)
        predicted[self.rows.order] = self.reader(scores)(ALL_ROWS).T
        return predicted

    def reader(self, scores: F32, moments: F32 | None = None) -> Callable[[slice], F32]:
        """What gives the (p, m) predictions of the m rows at a run of places.

        Args:
            scores: (p, n) centered losses at each place. moments: those of `HeadRows.moments`, where they are known.
        """
        if self.matrix is not None:
            matrix = self.matrix
            return lambda at: scores @ matrix[at].T
        if moments is None:
            moments = self.rows.moments(scores)
        return self._reader(scores, moments)

    def weights(self, losses: F64) -> F32:
        """(k, r) heads fitted on all rows to the (n,) centered losses, one for each class: for new rows, never for
        these."""
        heads = self._solve(self.rows.moments(losses[self.rows.order].astype(np.float32)[None]))[:, 0]
        of_block = np.zeros(int(self.rows.blocks.max()) + 1, np.int64)
        if self.share:
            of_block[self.rows.blocks] = self.rows.heads
        return heads[of_block]

    def _solve(self, moments: F32) -> F32:
        """(heads, p, r) weights, or (1, p, r) of the one head."""
        if not self.share:
            return (moments.sum(0) @ self.shared)[None]
        class_terms = moments @ self.inverses
        common = (np.float32(self.ridge) * class_terms.sum(0)) @ self.shared
        return class_terms + np.float32(self.ridge) * (common @ self.inverses)

    def _fitted(self, heads: F32, at: slice) -> F32:
        """(p, m) what the heads give the rows at a run of places, nothing left out."""
        if not self.share:
            return heads[0] @ self.rows.features[at].T
        start, stop, _ = at.indices(len(self.rows.order))
        out = np.empty((heads.shape[1], stop - start), np.float32)
        for head, head_rows in zip(heads, self.rows.slices):
            first = max(head_rows.start, start)
            last = min(head_rows.stop, stop)
            if first < last:
                out[:, first - start : last - start] = head @ self.rows.features[first:last].T
        return out

    def _reader(self, scores: F32, moments: F32) -> Callable[[slice], F32]:
        heads = self._solve(moments)

        def read(at: slice) -> F32:
            run_scores = scores[:, at]
            out = self._fitted(heads, at)
            out -= run_scores  # the residual of the fit to all rows, turned round
            if at == ALL_ROWS:
                for places, remainder in self.together:
                    out[:, places] = np.einsum("gst,pgt->pgs", remainder, out[:, places], optimize=True)
            out *= self.alone[at]
            out += run_scores
            return out

        if not self.together:
            return read
        everything = read(ALL_ROWS)  # a group may lie in several runs
        return lambda at: everything[:, at]

    def _matrix(self, sets: list[I64]) -> F32:
        """The whole map, by places; what a row or its group adds to its own prediction is nought, not nearly nought."""
        eye = np.eye(len(self.rows.order), dtype=np.float32)
        matrix = np.ascontiguousarray(self._reader(eye, self.rows.moments(eye))(ALL_ROWS).T)
        for places in sets:
            matrix[places[:, :, None], places[:, None, :]] = 0
        return matrix

    def _leverages(self) -> F32:
        """(n,) h_ii: x'(M_c + a^2 M_c S^-1 M_c) x of each row, a block of rows of a head at a time."""
        out = np.empty(len(self.rows.order), np.float32)
        for head, at in enumerate(self.rows.slices):
            through = self.shared
            if self.share:
                through = self.inverses[head]
                through = through + np.float32(self.ridge**2) * (through @ self.shared @ through)
            features = self.rows.features[at]
            leverages = out[at]
            for run in row_runs(len(features), 1, BATCH_ROWS):
                leverages[run] = np.einsum("nr,nr->n", features[run] @ through, features[run])
        return out

    def _remainder(self, places: I64) -> F32:
        """(g, s, s) of (I - H_gg)^-1 for groups of one size, from their (g, s) places."""
        inverses: list[F32] = []
        for some in (places[run] for run in row_runs(len(places), places.shape[1], BATCH_ROWS)):
            x = self.rows.features[some]
            through = self._through_heads(some)
            hat = np.einsum("gsr,gtr->gst", x, through, optimize=True)
            if self.share:
                common = np.float32(self.ridge) * through
                hat *= self.rows.heads[some][:, :, None] == self.rows.heads[some][:, None, :]
                hat += np.einsum("gsr,gtr->gst", common @ self.shared, common, optimize=True)
            inverses.append(np.linalg.inv(np.eye(places.shape[1]) - hat).astype(np.float32))
        return np.concatenate(inverses)

    def _through_heads(self, places: I64) -> F32:
        """(..., r) M_c x of the rows at some places; with one head S^-1 x."""
        if not self.share:
            return self.rows.features[places] @ self.shared
        out = self.rows.features[places]
        heads = self.rows.heads[places]
        for head in np.unique(heads):
            out[heads == head] = out[heads == head] @ self.inverses[head]
        return out


def _sets(groups: I64 | None, order: I64) -> list[I64]:
    """The places of the rows of each group, as one (groups, s) array for each size s; `order`: row at each place."""
    n = len(order)
    if groups is None:
        return [np.arange(n)[:, None]]
    numbers, sizes = np.unique(groups[order], return_inverse=True, return_counts=True)[1:]
    members = split_by_block(np.arange(n), numbers, len(sizes))
    return [np.stack([m for m in members if len(m) == size]) for size in np.unique(sizes)]
