"""The loss-regressor ensemble: from embedding to loss, always read on rows that the fit did not see.

`HeadSmoother` is the work-horse of the tests: ridge heads in closed form as a linear map from the (n,) losses to (n,)
out-of-fold predictions, so that the whole fit is rerun on thousands of permuted losses as a few matrix products.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.errors import InvalidInput
from core.records import F32, F64, I64

DENSE_ROWS = 2500
"""Up to so many rows a smoother is kept as one dense matrix."""


class Features:
    """Embeddings made ready for ridge: class-centred, projected on the leading directions, mean squared norm 1.

    Nothing here looks at the loss, so the same features serve every permutation.

    Args:
        vectors: (n, d) embeddings.
        blocks: (n,) class of each row, 0..k-1.
        max_dimensions: leading principal directions kept.
    """

    def __init__(self, vectors: F32, blocks: I64, max_dimensions: int = 256) -> None:
        n_blocks = int(blocks.max()) + 1
        counts = np.bincount(blocks, minlength=n_blocks).astype(np.float64)[:, None]
        sums = np.zeros((n_blocks, vectors.shape[1]))
        np.add.at(sums, blocks, vectors.astype(np.float64))
        self.centre = vectors.mean(0).astype(np.float64)
        self.block_means = np.where(counts >= 5, sums / np.maximum(counts, 1), self.centre)
        centred = vectors - self.block_means[blocks]
        gram = centred.T @ centred
        values, directions = np.linalg.eigh(gram)
        kept = min(max_dimensions, vectors.shape[1], max(1, len(vectors) - 1))
        self.basis = directions[:, ::-1][:, :kept].astype(np.float32)
        self.scale = float(np.sqrt(max((values[::-1][:kept]).sum() / len(vectors), 1e-12)))
        self.rows: F32 = np.ascontiguousarray(self._project(centred), dtype=np.float32)

    def _project(self, centred: F32 | F64) -> F64:
        return (centred @ self.basis / self.scale).astype(np.float64)

    def to_arrays(self) -> dict[str, F64]:
        """What `of` needs, as plain arrays."""
        return {"centre": self.centre, "block_means": self.block_means, "basis": self.basis, "scale": np.float64(self.scale)}  # type: ignore[dict-item]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, F64]) -> Features:
        """The same projection without the rows it was made from."""
        made = cls.__new__(cls)
        made.centre, made.block_means, made.basis = arrays["centre"], arrays["block_means"], arrays["basis"]
        made.scale = float(arrays["scale"])
        made.rows = np.zeros((0, made.basis.shape[1]), np.float32)
        return made

    def of(self, vectors: F32, blocks: I64) -> F64:
        """(m, r) features of new rows; block -1 (class unknown) is centred on the mean of all rows."""
        means = np.where((blocks >= 0)[:, None], self.block_means[np.maximum(blocks, 0)], self.centre)
        return self._project(vectors - means)


def split_by_block(rows: I64, blocks: I64, n_blocks: int) -> list[I64]:
    """`rows` as one list of row numbers for each block."""
    return [rows[blocks[rows] == b] for b in range(n_blocks)]


def factor_heads(features: F32, train: Sequence[I64], penalty: float, share: float) -> tuple[list[F32], F32]:
    """What the ridge heads of `solve_heads` need of the features alone: M_c for each class, and the inverse of S."""
    eye = np.eye(features.shape[1], dtype=np.float32)
    if not share:
        x = features[np.concatenate(train)]
        return [], np.linalg.inv(x.T @ x + penalty * eye).astype(np.float32)
    a = penalty / share
    inverses = [np.linalg.inv(features[r].T @ features[r] + a * eye).astype(np.float32) for r in train]
    schur = penalty * eye + a * sum((eye - a * m for m in inverses), np.zeros_like(eye))
    return inverses, np.linalg.inv(schur).astype(np.float32)


def solve_heads(
    features: F32, train: Sequence[I64], inverses: Sequence[F32], shared: F32, losses: F32, penalty: float, share: float
) -> Sequence[F32 | F64]:
    """One (r, p) array of weights for each class, from the (n, p) centred losses.

    Class c predicts x (w_0 + w_c) with the penalty `penalty` * (|w_0|^2 + sum_c |w_c|^2 / share), which is kernel ridge with the
    kernel (1 + share [same class]) x.x'; `share=0` is one head for all classes. Solved by eliminating the class heads (Schur
    complement): with M_c = (X_c'X_c + a I)^-1 and a = penalty / share, S = penalty I + a sum_c (I - a M_c),
    w_0 = S^-1 a sum_c M_c X_c't and w_0 + w_c = M_c X_c't + a M_c w_0.
    """
    if not share:
        rows = np.concatenate(train)
        return [shared @ (features[rows].T @ losses[rows])] * len(train)
    a = penalty / share
    own = [m @ (features[r].T @ losses[r]) for m, r in zip(inverses, train)]
    common = shared @ (a * np.sum(own, axis=0))
    return [u + a * (m @ common) for u, m in zip(own, inverses)]


class HeadSmoother:
    """Ridge heads (see `solve_heads`) as a linear map from the losses to out-of-fold predictions.

    Args:
        features: (n, r) from `Features`.
        blocks: (n,) class of each row, 0..k-1.
        folds: (n,) fold of each row, 0..f-1; a row is predicted by the heads of the other folds.
        penalty, share: of `solve_heads`.
        dense: keep the map as one matrix where there are few rows; worth it for many columns of losses.
    """

    def __init__(self, features: F32, blocks: I64, folds: I64, *, penalty: float, share: float, dense: bool = True) -> None:
        self.features, self.penalty, self.share = features, penalty, share
        self.blocks = blocks if share else np.zeros_like(blocks)
        self.n_classes, self.n_blocks = int(blocks.max()) + 1, int(self.blocks.max()) + 1
        self.parts: list[tuple[list[I64], list[I64], list[F32], F32]] = []
        for fold in range(int(folds.max()) + 1):
            train, test = (split_by_block(np.flatnonzero(rows), self.blocks, self.n_blocks) for rows in (folds != fold, folds == fold))
            self.parts.append((train, test, *factor_heads(features, train, penalty, share)))
        # being linear, the whole map is one (n, n) matrix: cheaper than the heads' many small products while n is small
        self.matrix = self._predict(np.eye(len(features), dtype=np.float32)) if dense and len(features) <= DENSE_ROWS else None

    def predict(self, losses: F32) -> F32:
        """(n, p) out-of-fold predictions for the (n, p) centred losses, each column a data set of its own."""
        return self._predict(losses) if self.matrix is None else self.matrix @ losses

    def _predict(self, losses: F32) -> F32:
        predicted = np.empty_like(losses)
        for train, test, inverses, shared in self.parts:
            heads = solve_heads(self.features, train, inverses, shared, losses, self.penalty, self.share)
            for rows, weights in zip(test, heads):
                predicted[rows] = self.features[rows] @ weights
        return predicted

    def weights(self, losses: F64) -> F32:
        """(k, r) heads fitted on all rows to the (n,) centred losses: for new rows, never for these."""
        rows = split_by_block(np.arange(len(self.features)), self.blocks, self.n_blocks)
        factors = factor_heads(self.features, rows, self.penalty, self.share)
        heads = solve_heads(self.features, rows, *factors, losses[:, None].astype(np.float32), self.penalty, self.share)
        stacked = np.stack([w[:, 0] for w in heads]).astype(np.float32)
        return stacked if self.share else np.repeat(stacked, self.n_classes, axis=0)


def assign_folds(n: int, blocks: I64, groups: I64 | None, n_folds: int, rng: np.random.Generator) -> I64:
    """(n,) fold of each row: groups are never split, and classes are spread evenly where groups allow it.

    Raises:
        InvalidInput: there are fewer groups than folds.
    """
    labels = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    n_groups = int(labels.max()) + 1
    if n_groups < n_folds:
        raise InvalidInput(f"Cross-fitting needs at least {n_folds} groups: got {n_groups}. Leave the group column out, or bring more groups.")
    first = np.unique(labels, return_index=True)[1]
    order = np.lexsort((rng.random(n_groups), blocks[first]))  # groups by class, shuffled inside each
    fold_of_group = np.empty(n_groups, dtype=np.int64)
    fold_of_group[order] = np.arange(n_groups) % n_folds
    return fold_of_group[labels]
