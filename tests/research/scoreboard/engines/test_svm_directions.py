"""Directions of failure: phrases score high where failures lie."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from research.scoreboard.engines.svm_directions import SvmDirections


def test_svm_phrase_scores_point_where_failures_lie():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(600, 5)).astype(np.float32) * np.array([1, 1, 1, 1, 9], np.float32)
    labels = np.zeros(600, np.int64)
    errors = vectors[:, 1] > 0.8
    engine = SvmDirections().fit(vectors, errors.astype(float), labels, None, errors)
    towards, away, aside = engine.phrase_scores(
        np.array([[0, 1, 0, 0, 0], [0, -1, 0, 0, 0], [0, 0, 1, 0, 0]], np.float32)
    )[:, 0]
    assert towards > abs(aside) > 0
    assert away == pytest.approx(-towards)
    assert engine.quality_[0] > 0.8


def test_svm_needs_to_know_the_errors_and_may_read_them_off_the_probabilities(planted):
    audit, _ = planted
    vectors = audit.embeddings.vectors
    with pytest.raises(InvalidInput, match="errors"):
        SvmDirections().fit(vectors, audit.losses, audit.labels)
    read = SvmDirections().fit(vectors, audit.losses, audit.labels, audit.probabilities)
    told = SvmDirections().fit(vectors, audit.losses, audit.labels, None, audit.errors)
    np.testing.assert_array_equal(read.weights_, told.weights_)
