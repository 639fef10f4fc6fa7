"""The tree of errors: a box of failures is a leaf, and the leaf with most of the errors comes first."""

from __future__ import annotations

import numpy as np

from research.scoreboard.engines.error_tree import ErrorTree


def test_a_box_of_failures_in_one_class_is_the_first_leaf():
    rng = np.random.default_rng(0)
    vectors = rng.uniform(-1, 1, size=(800, 2)).astype(np.float32) * np.array([3, 1], np.float32)  # its own axes
    labels = np.arange(800) % 2
    box = (labels == 1) & (vectors[:, 0] > 1) & (vectors[:, 1] > 0)
    wrong = box | (rng.random(800) < 0.02)
    engine = ErrorTree(n_dimensions=2).fit(vectors, np.zeros(800), labels, None, wrong)
    first = engine.score(vectors, labels)[:, 0]
    assert set(np.unique(first)) == {0.0, 1.0}
    assert not first[labels == 0].any()
    assert box[first == 1].mean() > 0.9
    assert first[box].mean() > 0.9
