"""A probe's outcomes."""

from __future__ import annotations

import numpy as np

from core.systems.probes.result import outcomes_of


def test_outcomes_are_cross_entropy_with_probabilities():
    logits = np.array([[2.0, 0.0], [0.0, 1.0]])
    found = outcomes_of(logits, np.array([0, 0]), "made")
    np.testing.assert_allclose(found.loss, [np.log1p(np.exp(-2)), np.log1p(np.exp(1))])
    np.testing.assert_allclose(found.scores.sum(1), 1)
    assert found.errors.tolist() == [False, True]
    assert found.predictions.tolist() == [0, 1]
