"""The loss-regressor ensemble: from embedding to loss, always read on rows that the fit did not see.

`HeadSmoother` is the work-horse of the tests: ridge heads in closed form as a linear map from the (n,) losses to (n,)
out-of-fold predictions, so that the whole fit is rerun on thousands of permuted losses as a few matrix products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.linalg import lapack  # type: ignore[import-untyped]

from core.records import F32, F64, I64, Bool

MAX_DENSE_ROWS = 2500
"""Rows up to which a smoother is stored as one dense matrix: one product is then cheaper than many small ones."""


def split_by_block(rows: I64, blocks: I64, n_blocks: int) -> list[I64]:
    """`rows` as one list of row numbers for each block."""
    order = rows[np.argsort(blocks[rows], kind="stable")]
    return np.split(order, np.cumsum(np.bincount(blocks[rows], minlength=n_blocks))[:-1])


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """What the ridge heads need of the features alone.

    inverses: for each class either M_c = (X_c'X_c + a I)^-1, (r, r), or where `few` is set its dual (X_c X_c' + a
        I)^-1,
    (n_c, n_c), which holds the same as M_c = (I - X_c' dual X_c) / a. shared: (r, r) inverse of S, see `solve_heads`.
    """

    inverses: list[F32]
    few: list[bool]
    shared: F32


def inverse_of(matrix: F32 | F64) -> F64:
    """Of a symmetric positive definite matrix, in double precision, by its Cholesky factor: a third of the work of a
    general inverse."""
    if not len(matrix):  # of a class without rows
        return np.empty((0, 0))
    known: Any = lapack
    factor, failed = known.dpotrf(np.array(matrix, np.float64, order="F"), lower=1, overwrite_a=1)
    if failed:
        return np.asarray(np.linalg.inv(matrix.astype(np.float64)), np.float64)
    lower, _ = known.dpotri(factor, lower=1, overwrite_c=1)
    return np.where(_lower(len(matrix)), lower, lower.T)


@lru_cache(16)
def _lower(size: int) -> Bool:
    """(size, size) True on and below the diagonal."""
    return np.tri(size, dtype=bool)


def rows_at(values: F32, rows: I64) -> F32:
    """The values of some rows; of a run of rows without a copy."""
    if not len(rows):
        return values[:0]
    start = int(rows[0])
    stop = int(rows[-1]) + 1
    if len(rows) == stop - start and np.array_equal(rows, np.arange(start, stop)):
        return values[start:stop]
    return values[rows]


def factor_heads(
    features: F32, train: Sequence[I64], penalty: float, share: float, few: Sequence[bool] | None = None
) -> Factors:
    """The factors of the heads that `train` (rows of each class) fits; `few` says which classes take the dual, by
    default the smaller form."""
    r = features.shape[1]
    eye = np.eye(r, dtype=np.float32)
    if not share:
        x = rows_at(features, np.concatenate(train))
        return Factors([], [], inverse_of(x.T @ x + penalty * eye).astype(np.float32))
    a = penalty / share
    if few is None:
        few = [len(rows) < r for rows in train]
    inverses: list[F32] = []
    schur = penalty * eye
    for rows, dual in zip(train, few):
        x = rows_at(features, rows)
        if dual:
            inverses.append(inverse_of(x @ x.T + a * np.eye(len(rows), dtype=np.float32)).astype(np.float32))
            schur += a * (x.T @ (inverses[-1] @ x))  # I - a M_c
        else:
            inverses.append(inverse_of(x.T @ x + a * eye).astype(np.float32))
            schur += a * (eye - a * inverses[-1])
    return Factors(inverses, list(few), inverse_of(schur).astype(np.float32))


def solve_heads(
    features: F32, train: Sequence[I64], factors: Factors, losses: F32, penalty: float, share: float
) -> Sequence[F32 | F64]:
    """One (r, p) array of weights for each class, from the (n, p) centered losses.

    Class c predicts x (w_0 + w_c) with the penalty `penalty` * (|w_0|^2 + sum_c |w_c|^2 / share), which is kernel ridge
    with the kernel (1 + share [same class]) x.x'; `share=0` is one head for all classes. Solved by eliminating the
    class heads (Schur complement): with M_c = (X_c'X_c + a I)^-1 and a = penalty / share, S = penalty I + a sum_c (I -
    a M_c), w_0 = S^-1 a sum_c M_c X_c't and w_0 + w_c = M_c X_c't + a M_c w_0. In the dual, with G_c = (X_c X_c' + a
    I)^-1 (Woodbury): M_c X_c't = X_c' G_c t and a M_c w_0 = w_0 - X_c' G_c X_c w_0.
    """
    if not share:
        rows = np.concatenate(train)
        return [factors.shared @ (rows_at(features, rows).T @ losses[rows])] * len(train)
    a = penalty / share
    class_terms: list[F32 | F64] = []  # M_c X_c't
    for rows, inverse, dual in zip(train, factors.inverses, factors.few):
        x = rows_at(features, rows)
        if dual:
            class_terms.append(x.T @ (inverse @ losses[rows]))
        else:
            class_terms.append(inverse @ (x.T @ losses[rows]))
    common = factors.shared @ (a * np.sum(class_terms, axis=0))
    heads: list[F32 | F64] = []
    for term, rows, inverse, dual in zip(class_terms, train, factors.inverses, factors.few):
        x = rows_at(features, rows)
        if dual:
            heads.append(term + (common - x.T @ (inverse @ (x @ common))))
        else:
            heads.append(term + a * (inverse @ common))
    return heads


def of_each_class(solved: Sequence[F32 | F64], heads: I64, blocks: I64) -> F32:
    """(k, r) the head of each class, from the (r, 1) heads that `solve_heads` returns and the (n,) head and class of
    each row."""
    head_of_block = np.zeros(int(blocks.max()) + 1, dtype=np.int64)
    head_of_block[blocks] = heads
    return np.stack([w[:, 0] for w in solved]).astype(np.float32)[head_of_block]


class HeadSmoother:
    """Ridge heads (see `solve_heads`) as a linear map from the losses to out-of-fold predictions.

    Heads of fewer rows than features are kept in their dual form: for head c the (n_c, n_c) matrix P_c whose entries
    inside a fold are 0, so that the predictions are P_c t + Z w_0 with Z = X - P_c X. What is stored is n n_c + n r
    (folds + 1) numbers for
    these, and r x r for each fold of each larger head: never more heads of that kind than n / r.

    Args:
        features: (n, r) from `Features`.
        blocks: (n,) class of each row, 0..k-1.
        folds: (n,) fold of each row, 0..f-1; a row is predicted by the heads of the other folds.
        penalty, share: of `solve_heads`.
        heads: (n,) which rows share a head, 0..; by default those of a class. A head takes whole classes.
        dense: keep the map as one matrix where there are few rows; worth it for many columns of losses.
    """

    def __init__(
        self,
        features: F32,
        blocks: I64,
        folds: I64,
        *,
        penalty: float,
        share: float,
        heads: I64 | None = None,
        dense: bool = True,
    ) -> None:
        self.features = features
        self.penalty = penalty
        self.share = share
        self.blocks = blocks
        self.heads = blocks
        if not share:
            self.heads = np.zeros_like(blocks)
        elif heads is not None:
            self.heads = heads
        self.n_heads = int(self.heads.max()) + 1
        self.n_folds = int(folds.max()) + 1
        r = features.shape[1]
        counts = np.bincount(self.heads * self.n_folds + folds, minlength=self.n_heads * self.n_folds)
        counts = counts.reshape(self.n_heads, self.n_folds)
        most_train = counts.sum(1) - counts.min(1)
        self.few = (most_train < r) & bool(share)
        # rows sorted so that the heads of many rows come first, and each fold of each head is one slice
        position = np.empty(self.n_heads, dtype=np.int64)
        position[np.argsort(self.few, kind="stable")] = np.arange(self.n_heads)
        counts = counts[np.argsort(position)]
        self.few = np.sort(self.few)
        self.order = np.lexsort((folds, position[self.heads]))
        self.rows = np.ascontiguousarray(features[self.order])
        self.starts = np.r_[0, np.cumsum(counts.reshape(-1))]
        self.n_many = int((~self.few).sum())
        self._fit()
        # being linear, the whole map is one (n, n) matrix: cheaper than the heads' many small products while n is small
        self.matrix: F32 | None = None
        if dense and len(features) <= MAX_DENSE_ROWS:
            self.matrix = self._predict(np.eye(len(features), dtype=np.float32))

    def _slice(self, head: int, fold: int) -> slice:
        at = head * self.n_folds + fold
        return slice(int(self.starts[at]), int(self.starts[at + 1]))

    def _whole(self, head: int) -> slice:
        return slice(int(self.starts[head * self.n_folds]), int(self.starts[(head + 1) * self.n_folds]))

    def _fit(self) -> None:
        """The factors of each fold; for dual heads P_c, Z and, for each fold, U = G_c X_c of the rows that it trains
        on."""
        n, r = self.rows.shape
        first = n
        if self.n_many < self.n_heads:
            first = self._whole(self.n_many).start
        self.first_few = first
        self.inverses: list[F32] = []
        self.shared: list[F32] = []
        self.dual_maps: list[F32] = []  # P_c
        for head in range(self.n_many, self.n_heads):
            whole = self._whole(head)
            self.dual_maps.append(np.zeros((whole.stop - whole.start,) * 2, np.float32))
        self.reduced: F32 = self.rows[first:].copy()
        self.upper = np.zeros((self.n_folds, n - first, r), np.float32)
        for fold in range(self.n_folds):
            train: list[I64] = []
            for head in range(self.n_heads):
                whole = self._whole(head)
                test = self._slice(head, fold)
                train.append(np.r_[whole.start : test.start, test.stop : whole.stop])
            factors = factor_heads(self.rows, train, self.penalty, self.share, self.few.tolist())
            self.shared.append(factors.shared)
            inverses = np.zeros((0, r, r), np.float32)
            if self.share and self.n_many:
                inverses = np.stack(factors.inverses[: self.n_many])
            self.inverses.append(inverses)
            for head in range(self.n_many, self.n_heads):
                rows = train[head]
                test = self._slice(head, fold)
                start = self._whole(head).start
                upper = factors.inverses[head] @ self.rows[rows]
                self.upper[fold, rows - first] = upper
                weights = self.rows[test] @ upper.T  # X_test (G X)' = K_test,train G
                self.dual_maps[head - self.n_many][test.start - start : test.stop - start, rows - start] = weights
                self.reduced[test.start - first : test.stop - first] -= weights @ self.rows[rows]

    def predict(self, losses: F32) -> F32:
        """(n, p) out-of-fold predictions for the (n, p) centered losses, each column a data set of its own."""
        if self.matrix is None:
            return self._predict(losses)
        return self.matrix @ losses

    def _predict(self, losses: F32) -> F32:
        sorted_losses = losses[self.order]
        out = np.empty_like(sorted_losses)
        p = losses.shape[1]
        r = self.rows.shape[1]
        a = self.penalty / self.share if self.share else 0.0
        moments = np.empty((self.n_folds, self.n_many, r, p), dtype=np.float32)  # X't of each fold of each head
        for fold in range(self.n_folds):
            for head in range(self.n_many):
                at = self._slice(head, fold)
                moments[fold, head] = self.rows[at].T @ sorted_losses[at]
        for number, head in enumerate(range(self.n_many, self.n_heads)):
            out[self._whole(head)] = self.dual_maps[number] @ sorted_losses[self._whole(head)]
        for fold in range(self.n_folds):
            # the other folds are added up, not this one taken away: no rounding of its losses may reach its predictions
            seen = np.zeros((self.n_many, r, p), dtype=np.float32)
            for training_fold in range(self.n_folds):
                if training_fold != fold:
                    seen += moments[training_fold]
            self._predict_fold(fold, seen, sorted_losses, out, a)
        predicted = np.empty_like(out)
        predicted[self.order] = out
        return predicted

    def _predict_fold(self, fold: int, seen: F32, losses: F32, out: F32, a: float) -> None:
        if not self.share:
            at = self._slice(0, fold)
            out[at] = self.rows[at] @ (self.shared[fold] @ seen[0])
            return
        many = self.inverses[fold] @ seen
        total = many.sum(0) + self.upper[fold].T @ losses[self.first_few :]
        common = (self.shared[fold] @ (a * total)).astype(np.float32)
        for head in range(self.n_many):
            at = self._slice(head, fold)
            out[at] = self.rows[at] @ (many[head] + a * (self.inverses[fold][head] @ common))
        if self.n_many < self.n_heads:
            rows = np.concatenate([np.r_[self._slice(head, fold)] for head in range(self.n_many, self.n_heads)])
            out[rows] += self.reduced[rows - self.first_few] @ common

    def weights(self, losses: F64) -> F32:
        """(k, r) heads fitted on all rows to the (n,) centered losses, one for each class: for new rows, never for
        these."""
        rows = split_by_block(np.arange(len(self.features)), self.heads, self.n_heads)
        factors = factor_heads(self.features, rows, self.penalty, self.share)
        targets = losses[:, None].astype(np.float32)
        solved = solve_heads(self.features, rows, factors, targets, self.penalty, self.share)
        return of_each_class(solved, self.heads, self.blocks)
