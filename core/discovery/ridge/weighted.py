"""Ridge heads of many weightings of the same rows at once, for example bootstraps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.discovery.ridge.heads import factor_heads, rows_at, solve_heads
from core.records import F32, F64, I64, Bool

MAX_RELATIVE_ERROR = 1e-5
"""Distance of heads from the exact ones at most, relative to their size, in the norm of the unweighted problem."""
MAX_STEPS = 60
"""Steps at most. Bootstraps of 12 to 8,000 rows take 3 to 12; one that has not converged is solved by its own
factors."""


def weighted_heads(
    features: F32, train: Sequence[I64], losses: F32, weights: F64 | Bool, *, penalty: float, share: float
) -> F32:
    """(p, k, r) the heads of `core.discovery.ridge.heads.solve_heads` where the squared error of a row counts as often
    as it weighs.

    Source: conjugate gradients (Hestenes & Stiefel 1952, J. Res. NBS 49(6)), preconditioned by the heads of equal
    weights, so that one set of factors serves all p.

    Args:
        features: (n, r). train: rows of each of k classes.
        losses: (n, p) centered losses of each weighting. weights: (p, n), none below 0.
    """
    rows = train
    if not share:
        rows = [np.concatenate(train)]
    problem = _Problem(features, rows, np.ascontiguousarray(weights.T, np.float32), penalty, share)
    heads, not_close = problem.descend(losses)
    for p in np.flatnonzero(not_close).tolist():
        heads[:, :, p] = problem.alone(losses[:, p], p)
    return np.broadcast_to(heads.transpose(2, 0, 1), (len(weights), len(train), features.shape[1]))


class _Problem:
    """The normal equations (X'WX + R) u = X'Wt of p weightings, and the exact solution where W is 1, P^-1."""

    def __init__(self, features: F32, train: Sequence[I64], weights: F32, penalty: float, share: float) -> None:
        self.features = features
        self.train = train
        self.weights = weights
        self.penalty = penalty
        self.share = share
        self.factors = factor_heads(features, train, penalty, share)

    def solve(self, values: F32) -> F32:
        """(k, r, p) P^-1 X' of (n, p) values."""
        heads = solve_heads(self.features, self.train, self.factors, values, self.penalty, self.share)
        return np.stack(heads).astype(np.float32, copy=False)

    def fitted(self, heads: F32) -> F32:
        """(n, p) X u."""
        out = np.zeros((len(self.features), heads.shape[2]), np.float32)
        for rows, head in zip(self.train, heads):
            out[rows] = rows_at(self.features, rows) @ head
        return out

    def shrinkage(self, heads: F32) -> F64:
        """(p,) u'Ru: the penalty of `solve_heads` at the best shared head."""
        squares = np.square(heads).sum((0, 1), dtype=np.float64)
        if not self.share:
            return self.penalty * squares
        ridge = self.penalty / self.share
        shared = np.square(heads.sum(0)).sum(0, dtype=np.float64)
        return ridge * squares - ridge**2 / (self.penalty + len(heads) * ridge) * shared

    def descend(self, losses: F32) -> tuple[F32, Bool]:
        """(k, r, p) heads, and (p,) True where they are not close yet; by conjugate gradients in the inner product of
        P."""
        left: F32 = self.solve(self.weights * losses)  # P^-1 of what the equations still lack
        if (self.weights == 1).all():
            return left, np.zeros(left.shape[2], bool)
        step: F32 = left
        along = self.fitted(step)
        heads = np.zeros_like(left)
        first = self._sizes(along, left)
        size = first
        for _ in range(MAX_STEPS):
            curvature = (self.weights * np.square(along)).sum(0, dtype=np.float64) + self.shrinkage(step)
            far = _ratio(size, curvature)
            heads = heads + far * step
            left = left - far * (step + self.solve((self.weights - np.float32(1)) * along))
            ahead = self.fitted(left)
            before = size
            size = self._sizes(ahead, left)
            if (size <= MAX_RELATIVE_ERROR**2 * first).all():
                break
            turn = _ratio(size, before)
            step = left + turn * step
            along = ahead + turn * along
        return heads, size > MAX_RELATIVE_ERROR**2 * first

    def _sizes(self, fitted: F32, heads: F32) -> F64:
        """(p,) u'Pu."""
        return np.square(fitted).sum(0, dtype=np.float64) + self.shrinkage(heads)

    def alone(self, losses: F32, p: int) -> F32:
        """(k, r) the heads of one weighting by factors of its own rows, each times the root of its weight."""
        root = np.sqrt(self.weights[:, p])[:, None]
        scaled = self.features * root
        targets = losses[:, None] * root
        factors = factor_heads(scaled, self.train, self.penalty, self.share)
        heads = solve_heads(scaled, self.train, factors, targets, self.penalty, self.share)
        return np.stack([head[:, 0] for head in heads]).astype(np.float32)


def _ratio(above: F64, below: F64) -> Any:
    """(p,) 0 where there is nothing to divide by."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0).astype(np.float32)
