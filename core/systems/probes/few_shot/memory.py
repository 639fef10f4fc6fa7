"""A support set as SuS-X reads it: evidence of labeled images for each class, by cosine and by class probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.records import F32, F64
from core.systems.probes.base import Images
from core.systems.probes.few_shot.affinities import (
    Span,
    cache_values,
    nearest,
    projected,
    signature_evidence,
    signatures,
    support_span,
    text_subspace,
    tip_evidence,
)
from core.systems.probes.few_shot.grid_search import SearchResult, axis_of, coarse_to_fine, geometric
from core.systems.probes.records import Neighbours

NEIGHBOURS = 8
"""Support images listed for each image, by each affinity."""
SCALE = 100.0
"""The logit scale at which the papers state alpha, beta and gamma."""
DEFAULTS = {"alpha": 0.1, "beta": 1.0, "gamma": 0.1}
"""Weights without a search: the grids' smallest values above 0."""
GRIDS = {
    "beta": geometric(1, 50, 10),
    "alpha": geometric(0.1, 50, 8, zero=True),
    "gamma": geometric(0.1, 30, 7, zero=True),
}
"""The papers' ranges, in equal ratios; 0 leaves a term out."""


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """A prepared support set, the same for every scored image. s support images, k classes."""

    vectors: F64
    """(k, d) the classes' texts."""
    support: F64
    """(s, d) unit rows."""
    values: F64
    """(s, k) labels, balanced on request."""
    log_q: F64
    """(s, k) signatures."""
    span: Span
    directions: F64 | None
    """(r, d) the texts' subspace, where the cache works in it."""
    affinity: str
    """ "tip-adapter", "tip-x" or "subspace"."""
    temperature: float

    @classmethod
    def of(cls, support: Images, vectors: F32, affinity: str, temperature: float, *, balance: bool) -> Memory:
        """The memory of a labeled support set."""
        assert support.labels is not None
        log_q = signatures(support.features, vectors, temperature)
        values = cache_values(support.labels, len(vectors), balance=balance)
        directions = None
        span = Span(0, 0, 0, 0)
        if affinity == "subspace":
            directions = text_subspace(vectors)
        elif affinity == "tip-x":
            span = support_span(support.features, log_q)
        texts = vectors.astype(np.float64)
        features = support.features.astype(np.float64)
        return cls(texts, features, values, log_q, span, directions, affinity, temperature)

    def zero_shot(self, features: F32, scale: float) -> F64:
        """(n, k) logits of the texts alone."""
        return scale * (features.astype(np.float64) @ self.vectors.T)

    def cache(self, features: F32, beta: float) -> F64:
        """(n, k) sums of the image affinities, in the subspace if one is used."""
        if self.directions is None:
            return tip_evidence(features, self.support, self.values, beta)
        support = projected(self.support, self.directions)
        return tip_evidence(projected(features, self.directions), support, self.values, beta)

    def signature(self, features: F32) -> F64:
        """(n, k) sums of the rescaled negative divergences."""
        return signature_evidence(
            signatures(features, self.vectors, self.temperature), self.log_q, self.values, self.span
        )

    def parts(self, features: F32, weights: Mapping[str, float], scale: float) -> dict[str, F64]:
        """(n, k) each; they sum to the logits."""
        unit = scale / SCALE
        parts = {
            "zero-shot": self.zero_shot(features, scale),
            "cache": unit * weights["alpha"] * self.cache(features, weights["beta"]),
        }
        if self.affinity == "tip-x":
            parts["signature"] = unit * weights["gamma"] * self.signature(features)
        return parts

    def neighbours(self, features: F32) -> tuple[Neighbours, ...]:
        """The nearest support images by cosine and by divergence; they differ where the texts matter."""
        log_p = signatures(features, self.vectors, self.temperature)
        image = nearest(features, self.support, NEIGHBOURS)
        return Neighbours("image", *image), Neighbours("signature", *nearest(log_p, self.log_q, NEIGHBOURS, by_kl=True))


def tune_weights(
    memory: Memory, images: Images, names: tuple[str, ...], fixed: Mapping[str, float], scale: float
) -> SearchResult:
    """Search alpha, beta and gamma on the validation images; `fixed` ones stay."""
    labels = images.labels
    assert labels is not None
    zero = memory.zero_shot(images.features, scale)
    signature = np.zeros_like(zero)
    if "gamma" in names:
        signature = memory.signature(images.features)

    @lru_cache(maxsize=1)  # beta changes slowest
    def cache(beta: float) -> F64:
        return memory.cache(images.features, beta)

    def logits_of(values: Mapping[str, float]) -> F64:
        gamma = values.get("gamma", 0.0)
        return zero + scale / SCALE * (values["alpha"] * cache(values["beta"]) + gamma * signature)

    axes = [axis_of(n, fixed.get(n), DEFAULTS[n], GRIDS[n]) for n in ("beta", "alpha", "gamma") if n in names]
    return coarse_to_fine(axes, logits_of, labels)


def sum_of(parts: Mapping[str, F64]) -> F64:
    """The sum of the parts, added in their order."""
    total, *rest = parts.values()
    for extra in rest:
        total = total + extra
    return total
