"""TransCLIP's rounds: a Gaussian for each class, the votes of near images, and the texts, in turns until they agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from core.encoders.arithmetic import unit
from core.records import F64, I64, Bool, Progress, no_progress
from core.row_runs import row_runs
from core.statistics import losses
from core.systems.probes.base import Images
from core.systems.probes.few_shot.affinities import BLOCK, nearest

OUTER, INNER = 10, 5
CONFIDENT = 8
"""Images a class that its first mean is taken of."""
DIVISOR, SCALE = 50.0, 100.0
"""What mixture and neighbours are divided by beside the texts' logits, and the logit scale for which that holds (for
some hundreds of dimensions)."""
FLOOR = 1e-3
"""Least variance of a dimension, as a share of the mean one."""


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Where the rounds end. n images, k classes, d dimensions."""

    z: F64
    """(n, k) assignment."""
    mixture: F64
    """(n, k) log-likelihood of each class's Gaussian."""
    votes: F64
    """(n, k) what near images say."""
    means: F64
    """(k, d)"""
    variance: F64
    """(d,) shared by the classes."""
    active: Bool
    """(k,) classes that have a mean."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What stays the same over the rounds. n images, s shots, k classes, d dimensions."""

    features: F64
    """(n, d)"""
    shots: F64
    """(s, d)"""
    truth: F64
    """(s, k) one-hot."""
    vectors: F64
    zero: F64
    """(n, k) logits of the texts."""
    graph: sparse.csr_matrix
    """(n, n + s) how much each image or shot says of each image."""
    scale: float
    trust: float
    q: int
    """Neighbours a row."""

    @classmethod
    def of(cls, test: Images, shots: Images | None, vectors: F64, scale: float, trust: float, q: int) -> Problem:
        """The problem of these images."""
        features, k = test.features.astype(np.float64), len(vectors)
        support = np.empty((0, features.shape[1])) if shots is None else shots.features.astype(np.float64)
        truth = np.zeros((len(support), k))
        if shots is not None and shots.labels is not None:
            truth[np.arange(len(support)), shots.labels] = 1.0
        graph = votes_graph(features, support, q)
        return cls(features, support, truth, vectors, scale * (features @ vectors.T), graph, scale, trust, q)

    @property
    def unit(self) -> float:
        """What mixture and votes are multiplied with beside the texts' logits."""
        return self.scale / SCALE / DIVISOR

    def solve(self, gamma: float, progress: Progress = no_progress) -> Solution:
        """The rounds of mean, variance and assignment with this weight of the shots; `progress` is called before each.

        Source: Zanella et al. 2024, eq. 3 and 7 to 9, with the released code's constants. Departures: float64; a class
        for which zero-shot takes no image (and which has no shot) starts without a mean, and the mixture neither
        favours nor punishes it until an image is given to it, where the released code makes its mean of 8 images of
        other classes; a dimension's variance has a floor; cosines below 0 don't vote.
        """
        z = losses.softmax(self.zero)
        means, active = self._first_means(z)
        variance = np.full(self.features.shape[1], 1.0 / self.features.shape[1])
        mixture = votes = np.zeros_like(z)
        for outer in range(OUTER + 1):
            progress("probe", outer, OUTER + 1)
            mixture = mixture_of(self.features, means, variance, active)
            for _ in range(INNER):
                said = np.asarray(self.graph @ np.concatenate([z, self.truth]), np.float64)
                votes = DIVISOR / (2 * max(1, self.q)) * said
                z = losses.softmax(self.trust * self.zero + self.unit * (mixture + votes))
            if outer < OUTER:
                means, active = self._means(z, means, active, gamma)
                variance = self._variance(z, means, active, gamma)
        return Solution(z, mixture, votes, means, variance, active)

    def judged(self, solution: Solution, images: Images) -> tuple[int, float]:
        """(right, -cross-entropy) of validation images that took no part: by the texts, the mixture and their nearest
        scored images."""
        assert images.labels is not None
        features = images.features.astype(np.float64)
        mixture = mixture_of(features, solution.means, solution.variance, solution.active)
        places, near = nearest(features, self.features, max(1, self.q))
        weights = np.where(places >= 0, np.maximum(np.nan_to_num(near), 0), 0)
        votes = DIVISOR / max(1, self.q) * np.einsum("nq,nqk->nk", weights, solution.z[places]) * (self.q > 0)
        logits = self.trust * self.scale * (features @ self.vectors.T) + self.unit * (mixture + votes)
        loss = losses.cross_entropy_of_logits(logits, images.labels)
        return int((logits.argmax(1) == images.labels).sum()), -float(loss.mean())

    def _first_means(self, z: F64) -> tuple[F64, Bool]:
        said, k = z.argmax(1), z.shape[1]
        means, active = np.zeros((k, self.features.shape[1])), np.zeros(k, np.bool_)
        for c in range(k):
            if self.truth[:, c].any():
                means[c], active[c] = self.shots[self.truth[:, c] > 0].mean(0), True
                continue
            own = np.flatnonzero(said == c)
            own = own[np.argsort(-z[own, c], kind="stable")[:CONFIDENT]]
            if len(own):
                means[c], active[c] = z[own, c] @ self.features[own], True
        return unit(means), active

    def _means(self, z: F64, old: F64, active: Bool, gamma: float) -> tuple[F64, Bool]:
        n, s = len(z), max(1, len(self.shots))
        weight = gamma * DIVISOR / s
        sums = z.T @ self.features / n + weight * (self.truth.T @ self.shots)
        given = np.bincount(z.argmax(1), minlength=z.shape[1]) > 0
        now = active | given
        return np.where((now & (np.linalg.norm(sums, axis=1) > 1e-9))[:, None], unit(sums), old), now

    def _variance(self, z: F64, means: F64, active: Bool, gamma: float) -> F64:
        """Weighted mean of (x - mean)^2 over images and classes, expanded so that no (n, k, d) array is made."""
        n, s = len(z), max(1, len(self.shots))
        weight = gamma * DIVISOR / s
        z = z * active
        total = _scatter(self.features, z, means) / n + weight * _scatter(self.shots, self.truth, means)
        variance = total / max(1e-12, z.sum() / n + weight * self.truth.sum())
        return np.maximum(variance, FLOOR * max(float(variance.mean()), 1e-12))


def mixture_of(features: F64, means: F64, variance: F64, active: Bool) -> F64:
    """(n, k) -1/2 sum_d (x - mean)^2 / variance; of a class without a mean, the average over the others."""
    scaled = means / variance
    square = (features**2 / variance).sum(1)[:, None]
    found = -0.5 * (square - 2 * features @ scaled.T + (means * scaled).sum(1)[None, :])
    if active.any() and not active.all():
        found[:, ~active] = found[:, active].mean(1, keepdims=True)
    return found


def votes_graph(features: F64, shots: F64, q: int) -> sparse.csr_matrix:
    """(n, n + s) weights of the votes: cosine to the q nearest images of each image (itself left out) and of each shot,
    in both directions.

    Rows are taken a block at a time, so no (n, n) array is held.
    """
    n, s = len(features), len(shots)
    width = min(q, n - 1)
    graph = sparse.csr_matrix((n, n + s))
    if width < 1:
        return graph
    own = sparse.csr_matrix(_edges(features, features, width, itself=True), shape=(n, n))
    towards_shots = sparse.csr_matrix((0, n))
    if s:
        towards_shots = sparse.csr_matrix(_edges(shots, features, min(q, n), itself=False), shape=(s, n))
    return sparse.csr_matrix(sparse.hstack([own + own.T, towards_shots.T]))


def _edges(rows: F64, others: F64, q: int, *, itself: bool) -> tuple[F64, tuple[I64, I64]]:
    """(cosine above 0, (row, other)) of the q nearest others of each row."""
    at: list[I64] = []
    near: list[F64] = []
    for part in row_runs(len(rows), len(others), BLOCK):
        cosine = rows[part] @ others.T
        if itself:
            cosine[np.arange(part.stop - part.start), np.arange(part.start, part.stop)] = -np.inf
        chosen = (
            np.argsort(-cosine, axis=1, kind="stable")[:, :q]
            if len(others) < 64
            else np.argpartition(-cosine, q - 1, axis=1)[:, :q]
        )
        at.append(chosen.astype(np.int64))
        near.append(np.maximum(np.take_along_axis(cosine, chosen, 1), 0.0))
    from_rows = np.repeat(np.arange(len(rows)), q).astype(np.int64)
    return np.concatenate(near).ravel(), (from_rows, np.concatenate(at).ravel())


def _scatter(features: F64, weights: F64, means: F64) -> F64:
    """(d,) sum over rows and classes of weight (x - mean)^2."""
    cross = ((weights.T @ features) * means).sum(0)
    return (weights.sum(1) @ features**2) - 2 * cross + weights.sum(0) @ means**2
