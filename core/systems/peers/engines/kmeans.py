"""K-means on the embeddings, its clusters ranked by their mean loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from sklearn.cluster import KMeans

from core.records import F32, F64, I64, Bool


@dataclass
class KMeansSlices:
    """Slice s scores a row by minus its distance to centre s; centres in the order of their members' mean loss.

    Clusters do not look at the loss, only their order does. Those under `min_rows` rows come last: their mean is mostly
    chance.

    Source: Lloyd 1982; the usual first try of "cluster, then look where the loss is high".
    """

    needs: ClassVar[tuple[str, ...]] = ()
    n_clusters: int = 25
    n_slices: int = 5
    min_rows: int = 5
    seed: int = 0
    centres_: F64 = field(init=False, repr=False)

    def fit(
        self, embeddings: F32, losses: F64, labels: I64, probabilities: F64 | None = None, errors: Bool | None = None
    ) -> Self:
        k = min(self.n_clusters, len(embeddings))
        found = KMeans(k, n_init=2, random_state=self.seed)  # pyright: ignore[reportArgumentType]
        assigned: I64 = found.fit_predict(embeddings)
        counts = np.bincount(assigned, minlength=k)
        means = np.bincount(assigned, weights=losses, minlength=k) / np.maximum(counts, 1)
        order = np.lexsort((-means, counts < self.min_rows))
        centres: F64 = np.asarray(found.cluster_centers_, dtype=np.float64)
        self.centres_ = centres[order[: self.n_slices]]
        return self

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        offsets = embeddings[:, None, :].astype(np.float64) - self.centres_  # (m, s, d)
        return -np.linalg.norm(offsets, axis=2)
