"""Ridge heads that predict each row from all the others: its own loss, and those of its group, are left out exactly.

For heads in closed form a row need not be left out by fitting again: with H the linear map from losses to fitted
values, the prediction without the rows g is y_g - (I - H_gg)^-1 (y - H y)_g (Allen 1974, Technometrics 16(1), for one
row; the block form is the same algebra). A slice of 20 rows is so cut by heads that saw 19 of them, where five folds
leave 16.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.discovery.ridge.heads import DENSE_ROWS, Factors, factor_heads, of_each_class, solve_heads, split_by_block
from core.records import F32, F64, I64

MOST_PAIRS = 20_000_000
"""Pairs of rows of one group that are kept: past it the groups are so large that folds serve as well."""


def can_leave_out(groups: I64 | None) -> bool:
    """Whether whole groups can be left out exactly: not where groups hold thousands of rows each."""
    return groups is None or int((np.unique(groups, return_counts=True)[1].astype(np.int64) ** 2).sum()) <= MOST_PAIRS


class LeaveOutSmoother:
    """Ridge heads (`core.discovery.ridge.heads.solve_heads`) as a linear map from the losses to predictions, each of
    which leaves out its own row and the rows of its group.

    Args:
        features: (n, r) from `Features`.
        blocks: (n,) class of each row, 0..k-1.
        groups: (n,) rows that are left out together, or None.
        penalty, share: of `solve_heads`.
        heads: (n,) which rows share a head, 0..; by default those of a class. A head takes whole classes.
        dense: keep the map as one matrix where there are few rows; worth it for many columns of losses.
    """

    def __init__(
        self,
        features: F32,
        blocks: I64,
        groups: I64 | None = None,
        *,
        penalty: float,
        share: float,
        heads: I64 | None = None,
        dense: bool = True,
    ) -> None:
        self.features, self.penalty, self.share, self.blocks = features, penalty, share, blocks
        self.heads = np.zeros_like(blocks) if not share else blocks if heads is None else heads
        self.members = split_by_block(np.arange(len(features)), self.heads, int(self.heads.max()) + 1)
        self.factors = factor_heads(features, self.members, penalty, share)
        self.sets = _sets(groups, len(features))
        self.remainders = self._remainders()
        self.matrix = self._matrix() if dense and len(features) <= DENSE_ROWS else None

    def predict(self, losses: F32) -> F32:
        """(n, p) predictions for the (n, p) centred losses, each column a data set of its own."""
        return self._predict(losses) if self.matrix is None else self.matrix @ losses

    def weights(self, losses: F64) -> F32:
        """(k, r) heads fitted on all rows to the (n,) centred losses, one for each class: for new rows, never for
        these."""
        return of_each_class(self._solve(losses[:, None].astype(np.float32)), self.heads, self.blocks)

    def _solve(self, losses: F32) -> Sequence[F32 | F64]:
        return solve_heads(self.features, self.members, self.factors, losses, self.penalty, self.share)

    def _matrix(self) -> F32:
        """The whole map; what a row or its group adds to its own prediction is nought, not nearly nought."""
        matrix = self._predict(np.eye(len(self.features), dtype=np.float32))
        for rows in self.sets:
            matrix[rows[:, :, None], rows[:, None, :]] = 0
        return matrix

    def _predict(self, losses: F32) -> F32:
        left = losses.copy()  # becomes the residual of the fit to all rows
        for rows, weights in zip(self.members, self._solve(losses)):
            left[rows] -= self.features[rows] @ weights
        out = losses.copy()
        for rows, remainder in zip(self.sets, self.remainders):
            out[rows] -= np.einsum("gst,gtp->gsp", remainder, left[rows], optimize=True)
        return out

    def _remainders(self) -> list[F32]:
        """(groups, s, s) of (I - H_gg)^-1 for all groups of each size s."""
        own = np.empty_like(self.features)  # M_c x of `solve_heads`; with one head S^-1 x
        for head, rows in enumerate(self.members):
            own[rows] = _through_head(self.features[rows], self.factors, head, self.penalty, self.share)
        made: list[F32] = []
        common = (self.penalty / self.share) * own if self.share else own
        for rows in self.sets:
            hat = np.einsum("gsr,gtr->gst", self.features[rows], own[rows], optimize=True)
            if self.share:
                hat *= self.heads[rows][:, :, None] == self.heads[rows][:, None, :]
                hat += np.einsum("gsr,gtr->gst", common[rows] @ self.factors.shared, common[rows], optimize=True)
            made.append(np.linalg.inv(np.eye(rows.shape[1]) - hat).astype(np.float32))
        return made


def _through_head(rows: F32, factors: Factors, head: int, penalty: float, share: float) -> F32:
    """(m, r) M_c x for the rows of a head."""
    if not share:
        return rows @ factors.shared
    if not factors.few[head]:
        return rows @ factors.inverses[head]
    left = rows - (rows @ rows.T) @ (factors.inverses[head] @ rows)
    return (left * (share / penalty)).astype(np.float32)


def _sets(groups: I64 | None, n: int) -> list[I64]:
    """The rows of the groups, as one (groups, s) array for each size s."""
    if groups is None:
        return [np.arange(n)[:, None]]
    numbers, sizes = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    members = split_by_block(np.arange(n), numbers, len(sizes))
    return [np.stack([m for m in members if len(m) == size]) for size in np.unique(sizes)]
