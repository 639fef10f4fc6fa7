"""Sliceguard's hierarchy and its drop."""

from __future__ import annotations

import numpy as np

from core.systems.peers.engines.sliceguard import HierarchySlices, hierarchy


def test_levels_nest_and_join_nearest_neighbours_first():
    rows = np.array([[0.0], [0.1], [1.0], [1.1], [10.0], [10.1]])
    finest, *coarser = hierarchy(rows)
    assert [sorted(np.flatnonzero(finest == k)) for k in range(3)] == [[0, 1], [2, 3], [4, 5]]
    for fine, coarse in zip([finest, *coarser], coarser):
        assert all(len(set(coarse[fine == k])) == 1 for k in set(fine))


def test_the_cluster_whose_accuracy_drops_most_comes_first():
    rng = np.random.default_rng(0)
    blob = np.repeat(np.arange(4), 50)
    vectors = (5 * np.eye(4)[blob] + 0.1 * rng.normal(size=(200, 4))).astype(np.float32)
    wrong = rng.random(200) < np.where(blob == 3, 0.7, 0.1)
    engine = HierarchySlices(min_rows=30).fit(vectors, wrong.astype(np.float64), np.zeros(200, int), None, wrong)
    scores = engine.score(vectors, np.zeros(200, int))
    assert set(blob[np.argsort(-scores[:, 0])[:30]]) == {3}
