"""Domino's mixture over embedding, label and prediction: rows of one component err alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool

EPSILON = float(np.finfo(np.float64).eps)
"""Keeps logarithms of zero shares finite, as in the released code."""


@dataclass
class Components:
    """Parameters of the mixture: S components over r dimensions and k classes."""

    weights: F64  # (S,)
    means: F64  # (S, r)
    variances: F64  # (S, r)
    label_shares: F64  # (S, k)
    prediction_shares: F64  # (S, k)


@dataclass
class DominoMixture:
    """Slices are the components of a mixture whose labels and predictions differ most.

    Given component s: z ~ N(mu_s, diag v_s) after PCA, y ~ Cat(p_s), prediction ~ Cat(q_s), with soft predictions put
    in as they are. E-step: log r_is = log pi_s + log N(z_i; mu_s, v_s) + g log p_s[y_i] + h log(q_s . prob_i),
    normalized over s; M-step: the weighted means of all of these. It stops when the mean log-likelihood moves by less
    than `tolerance`. Components are ordered by |max_c (q_s - p_s)[c]|; a row's score is its responsibility. It reads
    the predictions of the rows that it scores, so it is in the separate track.

    Initialization "k-means" starts each row in its cluster. "confusion" deals the components in turn to the cells (true
    a, predicted b): r_is is y_i[a] prob_i[b] plus noise, normalized.

    Source: Eyuboglu et al. 2022, arXiv 2203.14960, and their released code (tolerance, regularization, both
    initializations). The release defaults to label and prediction weights of 1; the authors' evaluation uses 10, as
    here: with 1 the 128 dimensions of the embedding outweigh the labels. PCA is cut to what the rows allow, where
    theirs would raise an error.
    """

    needs: ClassVar[tuple[str, ...]] = ("labels", "probabilities")
    n_slices: int = 5
    n_components: int = 25
    n_dimensions: int = 128
    label_weight: float = 10.0
    prediction_weight: float = 10.0
    initialisation: Literal["k-means", "confusion"] = "k-means"
    confusion_noise: float = 1e-3
    max_iterations: int = 100
    tolerance: float = 1e-3
    regularisation: float = 1e-6
    """Added to every variance."""
    seed: int = 0
    pca_: PCA = field(init=False, repr=False)
    components_: Components = field(init=False, repr=False)
    order_: I64 = field(init=False, repr=False)
    n_iterations_: int = field(init=False, repr=False)

    def fit(
        self, embeddings: F32, losses: F64, labels: I64, probabilities: F64 | None = None, errors: Bool | None = None
    ) -> Self:
        if probabilities is None:
            raise InvalidInput("Domino's mixture needs probabilities (n, k): got none.")
        if len(embeddings) < self.n_components:
            raise InvalidInput(
                f"Domino's mixture needs as many rows as components ({self.n_components}): got {len(embeddings)}. "
                "Use more samples."
            )
        self.pca_ = PCA(min(self.n_dimensions, *embeddings.shape), random_state=self.seed)
        z: F64 = self.pca_.fit_transform(embeddings.astype(np.float64))
        y = _one_hot(labels, probabilities.shape[1])
        self.components_ = self._m_step(z, y, probabilities, self._start(z, y, probabilities))
        previous = -np.inf
        for iteration in range(1, self.max_iterations + 1):
            self.n_iterations_ = iteration
            responsibilities, likelihood = self._e_step(z, y, probabilities)
            self.components_ = self._m_step(z, y, probabilities, responsibilities)
            if abs(likelihood - previous) < self.tolerance:
                break
            previous = likelihood
        gap = np.abs((self.components_.prediction_shares - self.components_.label_shares).max(axis=1))
        self.order_ = np.argsort(-gap, kind="stable")[: self.n_slices]
        return self

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        if probabilities is None:
            raise InvalidInput("Domino's mixture needs the probabilities (m, k) of the rows to score: got none.")
        z: F64 = self.pca_.transform(embeddings.astype(np.float64))
        return self._e_step(z, _one_hot(labels, probabilities.shape[1]), probabilities)[0][:, self.order_]

    def _start(self, z: F64, y: F64, probabilities: F64) -> F64:
        """(n, S) first responsibilities."""
        if self.initialisation == "k-means":
            assigned: I64 = KMeans(self.n_components, n_init=1, random_state=self.seed).fit_predict(z)  # pyright: ignore[reportArgumentType]
            return _one_hot(assigned, self.n_components)
        n_cells = y.shape[1] ** 2
        if self.n_components < n_cells:
            raise InvalidInput(
                f"Confusion initialization needs one component for each of {n_cells} cells: got {self.n_components}. "
                "Use k-means."
            )
        cells = (y[:, :, None] * probabilities[:, None, :]).reshape(len(z), n_cells)
        dealt = cells[:, np.arange(self.n_components) % n_cells]
        dealt = dealt / dealt.sum(axis=1, keepdims=True)
        # without noise, components of one cell would stay equal in every step
        dealt = dealt + self.confusion_noise * np.random.default_rng(self.seed).random(dealt.shape)
        return dealt / dealt.sum(axis=1, keepdims=True)

    def _m_step(self, z: F64, y: F64, probabilities: F64, responsibilities: F64) -> Components:
        counts = responsibilities.sum(axis=0)[:, None] + 10 * EPSILON  # (S, 1)
        means = responsibilities.T @ z / counts
        variances = responsibilities.T @ z**2 / counts - means**2
        return Components(
            weights=counts[:, 0] / len(z),
            means=means,
            variances=np.maximum(variances, 0) + self.regularisation,
            label_shares=responsibilities.T @ y / counts,
            prediction_shares=responsibilities.T @ probabilities / counts,
        )

    def _e_step(self, z: F64, y: F64, probabilities: F64) -> tuple[F64, float]:
        """((n, S) responsibilities, mean log-likelihood)."""
        c = self.components_
        # squared distances over variances, multiplied out, so that no (n, S, r) array is built
        distances = (
            z**2 @ (1 / c.variances).T - 2 * z @ (c.means / c.variances).T + (c.means**2 / c.variances).sum(axis=1)
        )
        log_normal = -0.5 * (z.shape[1] * np.log(2 * np.pi) + np.log(c.variances).sum(axis=1) + distances)
        joint = np.log(c.weights) + log_normal
        joint += self.label_weight * np.log(y @ c.label_shares.T + EPSILON)
        joint += self.prediction_weight * np.log(probabilities @ c.prediction_shares.T + EPSILON)
        highest = joint.max(axis=1, keepdims=True)  # taken out, so that the exponentials do not underflow
        total = highest + np.log(np.exp(joint - highest).sum(axis=1, keepdims=True))
        return np.exp(joint - total), float(total.mean())


def _one_hot(values: I64, k: int) -> F64:
    return np.eye(k)[values]
