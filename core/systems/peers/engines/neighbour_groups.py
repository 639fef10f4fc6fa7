"""Cleanlab's underperforming groups: dense groups of neighbors where the true class gets a low probability."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.cluster import DBSCAN
from sklearn.neighbors import NearestNeighbors

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool


@dataclass
class NeighbourGroups:
    """Slices are DBSCAN's groups on the graph of `n_neighbours` nearest neighbors by cosine distance; a row's score is
    minus its distance to the nearest audited row of the group.

    Groups are ordered by the mean probability of the true class over that of all rows in groups, lowest first; groups
    under `min_rows` rows are dropped.

    Source: the issue manager "underperforming_group" of cleanlab 2.9 (graph, DBSCAN's defaults eps 0.5 and 5 rows,
    ratio, least size); groups and ratios are equal to its own. Departures: it reports one group, here five are ranked;
    it cannot place new rows, here they go by distance. `eps` None takes the distance that a share `reach` of the edges
    lie within: at 0.5 almost any embedding is a single group, or has none.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    n_slices: int = 5
    n_neighbours: int = 10
    eps: float | None = None
    reach: float = 0.1
    min_rows: int = 5
    eps_: float = field(init=False, repr=False)
    rows_: F32 = field(init=False, repr=False)
    groups_: list[I64] = field(init=False, repr=False)
    """Row indices of each slice."""
    ratios_: F64 = field(init=False, repr=False)

    def fit(
        self, embeddings: F32, losses: F64, labels: I64, probabilities: F64 | None = None, errors: Bool | None = None
    ) -> Self:
        if probabilities is None:
            raise InvalidInput("Underperforming groups need probabilities (n, k): got none.")
        self.rows_ = embeddings
        graph = (
            NearestNeighbors(n_neighbors=min(self.n_neighbours, len(embeddings) - 1), metric="cosine")
            .fit(embeddings)
            .kneighbors_graph(mode="distance")
        )
        self.eps_ = float(np.quantile(graph.data, self.reach)) if self.eps is None else self.eps
        group_of_row = cluster_graph(graph, self.eps_)
        counts = np.bincount(group_of_row[group_of_row >= 0], minlength=1)
        large = np.flatnonzero(counts >= self.min_rows)
        true_probability = probabilities[np.arange(len(labels)), labels]
        overall = float(true_probability[np.isin(group_of_row, large)].mean()) if len(large) else 1.0
        ratios = np.array([true_probability[group_of_row == k].mean() / overall for k in large])
        order = np.argsort(ratios, kind="stable")[: self.n_slices]
        self.groups_ = [np.flatnonzero(group_of_row == large[i]) for i in order]
        self.ratios_ = ratios[order]
        return self

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        if not self.groups_:  # nothing is dense, so all rows score alike
            return np.zeros((len(embeddings), 1))
        nearest = [(embeddings @ self.rows_[rows].T).max(axis=1) for rows in self.groups_]
        return np.stack(nearest, axis=1).astype(np.float64) - 1


def cluster_graph(graph: csr_matrix, eps: float) -> I64:
    """(n,) DBSCAN's group of each row of a sparse graph of distances; -1 outside groups."""
    group_of_row: I64 = DBSCAN(eps=eps, metric="precomputed").fit_predict(graph.copy())
    return group_of_row
