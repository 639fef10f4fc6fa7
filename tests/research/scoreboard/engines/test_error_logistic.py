"""Logistic regression on errors: the direction of failure, and the learnable class first."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from research.scoreboard.engines.error_logistic import ErrorLogistic


def test_the_class_with_a_pattern_comes_first_and_its_weights_point_to_the_failure():
    rng = np.random.default_rng(0)
    vectors, labels = rng.normal(size=(600, 5)).astype(np.float32), np.arange(600) % 2
    wrong = np.where(labels == 1, vectors[:, 2] > 1, rng.random(600) < 0.15)
    engine = ErrorLogistic(penalty=1.0).fit(vectors, np.zeros(600), labels, None, wrong)
    assert engine.classes_ == [1, 0]
    assert int(np.argmax(engine.weights_[0])) == 2
    scores = engine.score(vectors, labels)
    assert np.isneginf(scores[labels == 0, 0]).all()
    assert wrong[np.argsort(-scores[:, 0])[:40]].all()


def test_a_model_that_is_never_wrong_is_refused():
    with pytest.raises(InvalidInput, match="two failures"):
        ErrorLogistic().fit(np.eye(8, dtype=np.float32), np.zeros(8), np.zeros(8, int), None, np.zeros(8, bool))
