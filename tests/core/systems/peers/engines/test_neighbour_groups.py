"""Underperforming groups, beside Cleanlab's own."""

from __future__ import annotations

import numpy as np
import pytest
from cleanlab.datalab.internal.issue_manager.underperforming_group import UnderperformingGroupIssueManager
from sklearn.neighbors import NearestNeighbors

from core.systems.peers.engines.neighbour_groups import NeighbourGroups, cluster_graph


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(0)
    blob = np.repeat(np.arange(4), [60, 60, 60, 3])
    vectors = np.eye(6)[blob] + 0.1 * rng.normal(size=(183, 6))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    truth = np.where(blob == 1, 0.03, 0.9) + 0.02 * rng.random(183)
    return blob, vectors, np.c_[truth, 1 - truth]


def test_groups_and_ratios_are_those_of_cleanlab(blobs):
    _, vectors, probabilities = blobs
    labels = np.zeros(183, int)
    engine = NeighbourGroups(eps=0.5).fit(vectors, np.zeros(183), labels, probabilities)
    graph = NearestNeighbors(n_neighbors=10, metric="cosine").fit(vectors).kneighbors_graph(mode="distance")
    theirs = UnderperformingGroupIssueManager.__new__(UnderperformingGroupIssueManager)
    theirs.clustering_kwargs, theirs.min_cluster_samples, theirs.threshold = {}, 5, 0.1
    at = theirs.perform_clustering(graph)
    np.testing.assert_array_equal(cluster_graph(graph, 0.5), at)
    ratios, worst, ratio = theirs.get_underperforming_clusters(at, theirs.filter_cluster_ids(at), labels, probabilities)
    assert engine.ratios_[0] == pytest.approx(ratio)
    np.testing.assert_array_equal(engine.groups_[0], np.flatnonzero(at == worst))
    assert engine.ratios_[engine.ratios_ < 1].tolist() == pytest.approx(sorted(ratios.values()))


def test_where_nothing_is_dense_there_is_no_group_and_no_order():
    vectors = np.eye(30, dtype=np.float32)
    engine = NeighbourGroups(eps=0.5).fit(vectors, np.zeros(30), np.zeros(30, int), np.full((30, 2), 0.5))
    assert engine.score(vectors, np.zeros(30, int)).tolist() == [[0.0]] * 30
