"""Sliceguard's way: a hierarchy of clusters, and of all its levels those in which a metric drops most."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from core.records import F32, F64, I64, Bool
from core.systems.peers.engines import failures


@dataclass
class HierarchySlices:
    """Slices are clusters of any level, in the order of the drop in accuracy against all rows (or the drop times the
    number of rows); a row's score is minus its distance to the cluster's mean.

    The hierarchy joins each row with its nearest neighbor, then each cluster's mean with the nearest mean, and so on.
    Clusters under `min_rows` rows are left out.

    Source: sliceguard 0.0.35 (Renumics): hierarchy, drop, criteria, least support; the hierarchy is that of Sarfraz et
    al. 2019, arXiv 1902.11266, which its package hnne uses. Departures: the embedding is reduced by PCA to 32
    dimensions, where theirs is by UMAP; `min_rows` has a default, where theirs has none and returns single rows; its
    clusters cannot place new rows, here they go by distance.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    n_slices: int = 5
    n_dimensions: int = 32
    min_rows: int = 10
    criterion: Literal["drop", "drop*support"] = "drop"
    seed: int = 0
    pca_: PCA = field(init=False, repr=False)
    centres_: F64 = field(init=False, repr=False)

    def fit(
        self, embeddings: F32, losses: F64, labels: I64, probabilities: F64 | None = None, errors: Bool | None = None
    ) -> Self:
        wrong = failures("Sliceguard", labels, probabilities, errors)
        self.pca_ = PCA(min(self.n_dimensions, *embeddings.shape), random_state=self.seed)
        rows: F64 = self.pca_.fit_transform(embeddings.astype(np.float64))
        found: list[tuple[float, F64]] = []
        for at in hierarchy(rows):
            counts = np.bincount(at)
            drops = np.bincount(at, wrong) / counts - wrong.mean()
            values = drops * counts if self.criterion == "drop*support" else drops
            found += [(float(values[k]), rows[at == k].mean(0)) for k in np.flatnonzero(counts >= self.min_rows)]
        found = sorted(found, key=lambda one: -one[0])[: self.n_slices] or [(0.0, rows.mean(0))]
        self.centres_ = np.stack([centre for _, centre in found])
        return self

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        rows: F64 = self.pca_.transform(embeddings.astype(np.float64))
        return -np.linalg.norm(rows[:, None, :] - self.centres_, axis=2)


def hierarchy(rows: F64) -> list[I64]:
    """(n,) cluster of each row at each level, finest first, until one cluster is left."""
    levels: list[I64] = []
    at = np.arange(len(rows))
    means = rows
    while len(means) > 2:
        nearest: I64 = NearestNeighbors(n_neighbors=1).fit(means).kneighbors(return_distance=False)[:, 0]
        n = len(means)
        graph = coo_matrix((np.ones(n), (np.arange(n), nearest)), shape=(n, n))
        count, joined = connected_components(graph, directed=False)
        if count == 1:
            break
        at = joined[at].astype(np.int64)
        levels.append(at)
        sizes = np.bincount(at, minlength=count)
        means = np.stack([np.bincount(at, column, minlength=count) for column in rows.T], axis=1) / sizes[:, None]
    return levels or [np.zeros(len(rows), np.int64)]
