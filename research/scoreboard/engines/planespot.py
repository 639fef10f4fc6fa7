"""PlaneSpot without its map: clusters of a plane and the model's confidence, ranked by how many errors they hold."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool


@dataclass
class PlaneSpot:
    """Slices are the components of a Gaussian mixture over (two coordinates in [0, 1], w times the probability of the
    true class); a row's score is its responsibility.

    The number of components, from `n_slices` to `most_components`, has the least BIC. Components are ordered by n times
    the squared mean of 1 - the probability of the true class. It reads the predictions for the rows that it scores: a
    track of its own.

    Source: Plumb et al. 2023, arXiv 2207.04104, and its port in `domino` (w, full covariances, range of components,
    order). Departures: the plane is that of the first two principal components, where theirs is made by scvis, a
    variational network; coordinates are divided by their range, where the port divides by the largest value.
    """

    needs: ClassVar[tuple[str, ...]] = ("labels", "probabilities")
    n_slices: int = 5
    most_components: int = 32
    weight: float = 0.025
    seed: int = 0
    pca_: PCA = field(init=False, repr=False)
    range_: tuple[F64, F64] = field(init=False, repr=False)
    mixture_: GaussianMixture = field(init=False, repr=False)
    order_: I64 = field(init=False, repr=False)

    def fit(
        self, embeddings: F32, losses: F64, labels: I64, probabilities: F64 | None = None, errors: Bool | None = None
    ) -> Self:
        if probabilities is None:
            raise InvalidInput("PlaneSpot needs probabilities (n, k): got none.")
        if len(embeddings) < 2 * self.n_slices:
            raise InvalidInput(f"PlaneSpot needs at least {2 * self.n_slices} rows: got {len(embeddings)}.")
        self.pca_ = PCA(min(2, *embeddings.shape), random_state=self.seed)
        plane: F64 = self.pca_.fit_transform(embeddings.astype(np.float64))
        self.range_ = plane.min(0), np.maximum(np.ptp(plane, axis=0), 1e-12)
        points = self._points(plane, labels, probabilities)
        most = min(self.most_components, len(points) // 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the BIC chooses among what was reached
            mixtures = [GaussianMixture(k, random_state=self.seed).fit(points) for k in range(self.n_slices, most + 1)]
        self.mixture_ = min(mixtures, key=lambda mixture: float(mixture.bic(points)))
        at: I64 = self.mixture_.predict(points)
        missed = 1 - probabilities[np.arange(len(labels)), labels]
        k = int(self.mixture_.n_components)
        sums = np.bincount(at, missed, minlength=k)
        counts = np.bincount(at, minlength=k)
        self.order_ = np.argsort(-(sums**2) / np.maximum(counts, 1), kind="stable")[: self.n_slices]
        return self

    def _points(self, plane: F64, labels: I64, probabilities: F64) -> F64:
        confidence = probabilities[np.arange(len(labels)), labels]
        return np.c_[(plane - self.range_[0]) / self.range_[1], self.weight * confidence]

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        if probabilities is None:
            raise InvalidInput("PlaneSpot needs the probabilities (m, k) of the rows to score: got none.")
        plane: F64 = self.pca_.transform(embeddings.astype(np.float64))
        shares: F64 = self.mixture_.predict_proba(self._points(plane, labels, probabilities))
        return shares[:, self.order_]
