"""Sliceguard's slices: clusters from all levels of a hierarchy, ordered by their drop in accuracy."""

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
    Clusters under `min_rows` rows are dropped.

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
        candidates: list[tuple[float, F64]] = []  # (value, center)
        for cluster_of_row in hierarchy(rows):
            counts = np.bincount(cluster_of_row)
            values = np.bincount(cluster_of_row, wrong) / counts - wrong.mean()
            if self.criterion == "drop*support":
                values = values * counts
            for k in np.flatnonzero(counts >= self.min_rows):
                candidates.append((float(values[k]), rows[cluster_of_row == k].mean(0)))
        best = sorted(candidates, key=lambda candidate: -candidate[0])[: self.n_slices]
        if not best:  # too few rows for any cluster: one slice around all rows
            best = [(0.0, rows.mean(0))]
        self.centres_ = np.stack([center for _, center in best])
        return self

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        rows: F64 = self.pca_.transform(embeddings.astype(np.float64))
        return -np.linalg.norm(rows[:, None, :] - self.centres_, axis=2)


def hierarchy(rows: F64) -> list[I64]:
    """(n,) cluster of each row at each level, finest first, until one cluster is left."""
    levels: list[I64] = []
    cluster_of_row = np.arange(len(rows))
    means = rows
    while len(means) > 2:
        nearest: I64 = NearestNeighbors(n_neighbors=1).fit(means).kneighbors(return_distance=False)[:, 0]
        n = len(means)
        graph = coo_matrix((np.ones(n), (np.arange(n), nearest)), shape=(n, n))
        count, joined = connected_components(graph, directed=False)
        if count == 1:
            break
        cluster_of_row = joined[cluster_of_row].astype(np.int64)
        levels.append(cluster_of_row)
        sizes = np.bincount(cluster_of_row, minlength=count)
        sums = [np.bincount(cluster_of_row, column, minlength=count) for column in rows.T]
        means = np.stack(sums, axis=1) / sizes[:, None]
    return levels or [np.zeros(len(rows), np.int64)]
