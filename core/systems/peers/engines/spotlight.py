"""Spotlight: soft balls in the embedding, moved and sized to the highest mean loss inside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from core.records import F32, F64, I64, Bool

BETAS = (0.9, 0.999)
EPSILON = 1e-8
"""Adam's published defaults."""
MIN_RISE = 1e-4
"""Relative rise of the objective that counts as one; a convention."""


@dataclass
class Spotlight:
    """Slices are balls, fitted one after the other; a row's score is 1 - tau |z - mu|^2, which is positive inside.

    Row i weighs k_i = max(0, 1 - tau |z_i - mu|^2). Adam raises sum k l / sum k - b (W - W_min - x_t)^2 / x_t^2, where
    W = sum k and the second term, a barrier, counts while W < W_min + x_t; x_t falls geometrically from n - W_min to
    0.05 W_min. After each ball l_i becomes l_i (1 - k_i / max k). It starts with mu = 0 and tau = `precision`; the
    step is halved where the objective has not risen for `patience` steps.

    Source: d'Eon et al. 2022, arXiv 2107.00758, and their released code, spherical, with its kernel, barrier, schedule
    and 1,000 steps. Departures: `scaled` takes the rows less their mean, scaled to a mean squared length of d, and
    starts with tau = 0.5 / d: the released code takes raw features, whose distances suit its tau, and with unit vectors
    its ball holds all rows and hardly moves; the gradient is written out, so that a step costs two products with the
    matrix and no d x d precision is built; losses are divided by their standard deviation, so that the barrier's weight
    of 1 means the same for any loss; a row outside the ball is still ranked by its distance, where theirs is 0.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    n_slices: int = 5
    min_share: float = 0.02
    """W_min over n."""
    steps: int = 1000
    rate: float = 0.1
    """Of Adam; theirs is 0.001."""
    precision: float = 1e-4
    scaled: bool = True
    barrier: float = 1.0
    patience: int = 20
    mean_: F32 = field(init=False, repr=False)
    scale_: float = field(init=False, repr=False)
    centres_: F64 = field(init=False, repr=False)
    """(s, d)"""
    precisions_: F64 = field(init=False, repr=False)
    """(s,)"""

    def fit(
        self, embeddings: F32, losses: F64, labels: I64, probabilities: F64 | None = None, errors: Bool | None = None
    ) -> Self:
        remaining = losses / max(float(losses.std()), 1e-12)
        mean = embeddings.mean(axis=0)
        self.mean_ = mean if self.scaled else np.zeros_like(mean)
        spread = float(np.sqrt(((embeddings - mean) ** 2).mean()))
        self.scale_ = 1 / max(spread, 1e-12) if self.scaled else 1.0
        rows, squares = self._scaled(embeddings)
        balls: list[tuple[F64, float]] = []
        for _ in range(self.n_slices):
            center, precision = self._fit_ball(rows, squares, remaining)
            balls.append((center, precision))
            weights = np.maximum(0, 1 - precision * _distances(rows, squares, center))
            # losses inside are spent, so that the next ball looks elsewhere
            remaining = remaining * (1 - weights / max(float(weights.max()), 1e-12))
        self.centres_ = np.stack([center for center, _ in balls])
        self.precisions_ = np.array([precision for _, precision in balls])
        return self

    def _scaled(self, embeddings: F32) -> tuple[F32, F64]:
        """(n, d) rows that the balls are fitted on, and (n,) their squared lengths."""
        rows = ((embeddings - self.mean_) * np.float32(self.scale_)).astype(np.float32)
        return rows, np.einsum("nd,nd->n", rows, rows).astype(np.float64)

    def _fit_ball(self, rows: F32, squares: F64, losses: F64) -> tuple[F64, float]:
        """(d,) center and precision of one ball."""
        n, d = rows.shape
        min_weight = max(1.0, self.min_share * n)
        start = 0.5 / d if self.scaled else self.precision
        point = np.r_[np.zeros(d), np.log(start)]  # the center, then log tau
        first = np.zeros(d + 1)
        second = np.zeros(d + 1)
        rate = self.rate
        best = -np.inf
        steps_since_best = 0
        slacks = np.geomspace(max(n - min_weight, 1.0), 0.05 * min_weight, self.steps)
        for step, slack in enumerate(slacks, start=1):
            value, gradient = objective(point, rows, squares, losses, min_weight + slack, self.barrier / slack**2)
            first += (1 - BETAS[0]) * (gradient - first)
            second += (1 - BETAS[1]) * (gradient**2 - second)
            scale = np.sqrt(second / (1 - BETAS[1] ** step)) + EPSILON
            point = point + rate * first / (1 - BETAS[0] ** step) / scale
            if value > best + MIN_RISE * abs(best):
                best = value
                steps_since_best = 0
            else:
                steps_since_best += 1
            if steps_since_best > self.patience:
                rate = rate / 2
                steps_since_best = 0
                best = -np.inf
        return point[:-1], float(np.exp(point[-1]))

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        rows, squares = self._scaled(embeddings)
        columns = [1 - p * _distances(rows, squares, c) for c, p in zip(self.centres_, self.precisions_)]
        return np.stack(columns, axis=1)


def objective(point: F64, rows: F32, squares: F64, losses: F64, enough: float, steepness: float) -> tuple[float, F64]:
    """The value and its (d + 1,) gradient at (center, log precision).

    Args:
        squares: (n,) squared lengths of the rows.
        enough: weight in the ball below which the barrier counts.
        steepness: barrier over the squared lack of weight.
    """
    center = point[:-1]
    precision = float(np.exp(point[-1]))
    distances = _distances(rows, squares, center)
    weights = np.maximum(0, 1 - precision * distances)
    total = max(float(weights.sum()), 1e-12)
    mean = float(weights @ losses) / total
    lack = min(0.0, total - enough)
    by_weight = np.where(weights > 0, (losses - mean) / total - 2 * steepness * lack, 0.0)  # d value / d k_i
    pull = (by_weight.astype(np.float32) @ rows).astype(np.float64) - by_weight.sum() * center
    gradient = np.r_[2 * precision * pull, -precision * float(by_weight @ distances)]
    return mean - steepness * lack**2, gradient


def _distances(rows: F32, squares: F64, center: F64) -> F64:
    """(n,) squared distances to the center."""
    return np.maximum(0, squares - 2 * (rows @ center.astype(np.float32)) + center @ center)
