"""PlaneSpot: the component with most errors at the highest rate comes first."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from research.scoreboard.engines.planespot import PlaneSpot


def test_the_blob_that_fails_comes_first_however_the_axes_are_scaled():
    rng = np.random.default_rng(0)
    blob = np.repeat(np.arange(3), 60)
    vectors = np.array([[0, 0], [50, 0], [0, 1]])[blob] + rng.normal(size=(180, 2)) * [1, 0.02]
    truth = np.where(blob == 2, 0.3, 0.9)
    probabilities = np.c_[truth, 1 - truth]
    labels = np.zeros(180, int)
    engine = PlaneSpot(n_slices=3, most_components=4).fit(
        vectors.astype(np.float32), -np.log(truth), labels, probabilities
    )
    scores = engine.score(vectors.astype(np.float32), labels, probabilities)
    assert set(blob[scores[:, 0] > 0.5]) == {2}
    np.testing.assert_array_less(scores.sum(1), 1 + 1e-9)


def test_too_few_rows_are_refused():
    with pytest.raises(InvalidInput, match="at least 10 rows"):
        PlaneSpot().fit(np.eye(6, dtype=np.float32), np.ones(6), np.zeros(6, int), np.full((6, 2), 0.5))
