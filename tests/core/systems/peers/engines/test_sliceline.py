"""SliceLine: the best conjunctions, against trying all."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.peers.engines.sliceline import SliceLine


def test_the_slices_are_the_best_of_all_conjunctions():
    rng = np.random.default_rng(0)
    likeness, labels = rng.normal(size=(300, 6)).astype(np.float32), np.arange(300) % 2
    wrong = rng.random(300) < np.where((likeness[:, 1] > 0.5) & (likeness[:, 4] > 0.5) & (labels == 1), 0.9, 0.1)
    engine = SliceLine(quantile=0.6).fit(likeness, np.zeros(300), labels, None, wrong, likeness)
    columns = np.c_[likeness > np.quantile(likeness, 0.6, axis=0), labels == 0, labels == 1]

    def value(chosen: tuple[int, ...]) -> float:
        inside = columns[:, list(chosen)].all(axis=1)
        if inside.sum() < 10:
            return -np.inf
        return 0.95 * (wrong[inside].mean() / wrong.mean() - 1) - 0.05 * (300 / inside.sum() - 1)

    tried = [c for k in (1, 2, 3) for c in combinations(range(8), k)]
    assert engine.slices_ == sorted(tried, key=lambda c: (-value(c), c))[:5]
    assert engine.slices_[0] == (1, 4, 7)
    np.testing.assert_array_equal(
        engine.score(likeness, labels, likeness=likeness)[:, 0], columns[:, [1, 4, 7]].all(axis=1)
    )


def test_without_phrases_it_says_what_it_needs():
    with pytest.raises(InvalidInput, match="likeness"):
        SliceLine().fit(np.eye(4, dtype=np.float32), np.ones(4), np.zeros(4, int), None, np.ones(4, bool))
