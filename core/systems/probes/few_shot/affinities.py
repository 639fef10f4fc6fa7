"""Affinity of an image to labeled images, and their evidence for its class. float64 throughout, in blocks of rows.

n images, s support images, k classes, d dimensions. `features` and `support` are (n, d) and (s, d) unit rows, `vectors`
(k, d) the classes' texts.

Sources: Zhang et al. 2022, Tip-Adapter (arXiv 2207.09519, eq. 4 to 6); Udandarao et al. 2023, SuS-X (arXiv 2211.16198,
eq. 5 to 8). Departures:
- every row is scored, whatever the block, and nothing is in half precision (the released code leaves the last part of a
  hundred at 0);
- the divergence is rescaled by the range among the support images, so that one image's logits do not depend on which
  others are scored;
- the divergence is negated before it is rescaled, not after, so that near images are evidence for their class and a
  class is not penalized for many images;
- classes have equal weight whatever their number of support images, and a class without any is neither favored nor
  penalized.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.records import F32, F64, I64
from core.row_runs import row_runs

BLOCK_PAIRS = 2**22
"""Pairs of images held at once (32 MiB each matrix)."""
RANGE_ROWS = 3000
"""Larger support sets are thinned to this many, evenly spaced, for the range of affinities."""

Rows = npt.NDArray[np.floating[Any]]


def image_affinity(features: Rows, support: Rows) -> F64:
    """(n, s) cosine between images."""
    return features.astype(np.float64) @ support.astype(np.float64).T


def tip_affinity(affinity: F64, beta: float) -> F64:
    """exp(-beta (1 - A)): 1 for the same image; with a large beta only the nearest count. Tip-Adapter, eq. 4."""
    return np.exp(-beta * (1 - affinity))


def tip_logits(affinity: F64, values: F64, beta: float) -> F64:
    """(n, k) sums of `tip_affinity` over each class's support images. Classes without any: see `neutral`."""
    return neutral(tip_affinity(affinity, beta) @ values, values)


def signatures(features: Rows, vectors: Rows, temperature: float = 0.5) -> F64:
    """(n, k) log of the class probabilities of images under the texts: log-softmax of cosines / T, not at the encoder's
    scale. SuS-X, eq. 5."""
    z = features.astype(np.float64) @ vectors.astype(np.float64).T / temperature
    z -= z.max(1, keepdims=True)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def kl(log_p: F64, log_q: F64) -> F64:
    """(n, s) divergence in nats of each row of (n, k) log p from each of (s, k) log q, at least 0. SuS-X, eq. 6,
    without the loop over pairs.

    The two terms nearly cancel (divergences are around 1e-3), hence float64 and the clamp.
    """
    p = np.exp(log_p)
    return np.maximum((p * log_p).sum(1)[:, None] - p @ log_q.T, 0.0)


@dataclass(frozen=True, slots=True)
class Span:
    """Range of divergence and of cosine between different support images, to rescale one to the other."""

    low_kl: float
    high_kl: float
    low: float
    high: float

    def rescaled(self, divergence: F64) -> F64:
        """psi(-D): the nearest pair of the support set gets its largest cosine, the farthest its smallest; other values
        lie on the same line.

        SuS-X, eq. 7, but linear in -D. Where all divergences are the same, the largest cosine.
        """
        width = self.high_kl - self.low_kl
        if width <= 1e-15:
            return np.full(divergence.shape, self.high)
        return (self.high_kl - divergence) / width * (self.high - self.low) + self.low


def support_span(support: Rows, log_q: F64) -> Span:
    """The range over pairs of different support images; for a single image, with itself."""
    if len(support) > RANGE_ROWS:
        at = np.linspace(0, len(support) - 1, RANGE_ROWS).astype(np.int64)
        support = support[at]
        log_q = log_q[at]
    low_kl = low = np.inf
    high_kl = high = -np.inf
    for rows in row_runs(len(support), len(support), BLOCK_PAIRS):
        keep = np.ones((rows.stop - rows.start, len(support)), np.bool_)
        if len(support) > 1:
            keep[np.arange(rows.stop - rows.start), np.arange(rows.start, rows.stop)] = False
        a = image_affinity(support[rows], support)[keep]
        d = kl(log_q[rows], log_q)[keep]
        low = min(low, float(a.min()))
        high = max(high, float(a.max()))
        low_kl = min(low_kl, float(d.min()))
        high_kl = max(high_kl, float(d.max()))
    return Span(low_kl, high_kl, low, high)


def cache_values(labels: I64, k: int, *, balance: bool = True) -> F64:
    """(s, k) one-hot labels; balanced, those of class c weigh reference / count of c.

    The reference is the lower median of the counts above 0: for equal counts these are the plain labels, and images
    added to one class change neither its weight nor the others'. (The mean would let a single large class raise every
    cache against the texts.)
    """
    values = np.zeros((len(labels), k))
    values[np.arange(len(labels)), labels] = 1.0
    if balance and len(labels):
        counts = np.bincount(labels, minlength=k)
        present = np.sort(counts[counts > 0])
        values *= (present[(len(present) - 1) // 2] / np.maximum(counts, 1))[None, :]
    return values


def neutral(evidence: F64, values: F64) -> F64:
    """(n, k) evidence in which a class without support images has the mean of the others, since nothing speaks for or
    against it."""
    empty = ~values.any(0)
    if not empty.any() or empty.all():
        return evidence
    filled = evidence.copy()
    filled[:, empty] = evidence[:, ~empty].mean(1, keepdims=True)
    return filled


def text_subspace(vectors: Rows) -> F64:
    """(r, d) orthonormal leading principal directions of the classes' texts about their mean: at most half the
    dimensions, and at most k - 1.

    After projection on them, a cosine ignores image differences that no class's text describes: besides SuS-X's
    divergence, another answer to uncalibrated cosines between images.
    """
    centred = vectors.astype(np.float64) - vectors.astype(np.float64).mean(0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    nonzero = sizes > 1e-6 * max(float(sizes[0]), 1e-12)  # beyond float32's rounding of the texts
    return directions[nonzero][: max(1, vectors.shape[1] // 2)]


def projected(features: Rows, directions: F64) -> F64:
    """(n, r) unit rows: the features' coordinates along the directions. A row orthogonal to all of them stays 0."""
    inside = features.astype(np.float64) @ directions.T
    return inside / np.maximum(np.linalg.norm(inside, axis=1, keepdims=True), 1e-12)


def tip_evidence(features: Rows, support: Rows, values: F64, beta: float, block: int = BLOCK_PAIRS) -> F64:
    """(n, k) `tip_logits` of images against a support set, with at most `block` pairs in memory."""
    support = support.astype(np.float64)
    logits = np.empty((len(features), values.shape[1]))
    for rows in row_runs(len(features), len(support), block):
        logits[rows] = tip_logits(image_affinity(features[rows], support), values, beta)
    return logits


def signature_evidence(log_p: F64, log_q: F64, values: F64, span: Span, block: int = BLOCK_PAIRS) -> F64:
    """(n, k) sums over each class's support images of psi(-KL): the term that TIP-X adds to the cache."""
    logits = np.empty((len(log_p), values.shape[1]))
    for rows in row_runs(len(log_p), len(log_q), block):
        logits[rows] = neutral(span.rescaled(kl(log_p[rows], log_q)) @ values, values)
    return logits


def nearest(rows: Rows, others: Rows, q: int, *, by_kl: bool = False, block: int = BLOCK_PAIRS) -> tuple[I64, F32]:
    """(n, q) positions of the nearest of `others`, nearest first (-1 where there are fewer), and (n, q) their cosine or
    negative divergence.

    Args:
        rows, others: unit rows; with `by_kl` log-probabilities.
    """
    width = min(q, len(others))
    positions = np.full((len(rows), q), -1, np.int64)
    affinities = np.full((len(rows), q), np.nan, np.float32)
    for part in row_runs(len(rows), len(others), block):
        if by_kl:
            affinity = -kl(rows[part].astype(np.float64), others.astype(np.float64))
        else:
            affinity = image_affinity(rows[part], others)
        at = np.argsort(-affinity, axis=1, kind="stable")[:, :width]
        positions[part, :width] = at
        affinities[part, :width] = np.take_along_axis(affinity, at, 1)
    return positions, affinities
