"""Ridge regressors by class: counts as repeated rows, and the class with a pattern first."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from research.scoreboard.engines.class_ridge import ClassRidge, ridge


def test_ridge_with_counts_equals_repeated_rows_and_spares_the_intercept():
    rng = np.random.default_rng(0)
    x = np.c_[rng.normal(size=(30, 4)), np.ones(30)]
    losses, counts = rng.normal(size=30) + 50, rng.integers(0, 4, 30)
    repeated = np.repeat(np.arange(30), counts)
    penalty = np.diag([2.0] * 4 + [0.0])
    plain = np.linalg.inv(x[repeated].T @ x[repeated] + penalty) @ x[repeated].T @ losses[repeated]
    np.testing.assert_allclose(ridge(x, losses, counts.astype(float), 2.0), plain, rtol=1e-8)
    assert ridge(x, losses, np.ones(30), 1e9)[-1] == pytest.approx(losses.mean(), rel=1e-6)


def test_class_ridge_puts_the_class_with_a_pattern_first():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(400, 6)).astype(np.float32)
    labels = np.arange(400) % 2
    losses = np.abs(rng.normal(size=400)) + np.where(labels == 1, np.maximum(vectors[:, 0], 0) * 2, 0)
    engine = ClassRidge().fit(vectors, losses, labels)
    assert engine.classes_ == [1, 0]
    slopes = engine.weights_[0].mean(0)[:-1]
    assert int(np.argmax(np.abs(slopes))) == 0


def test_class_ridge_on_errors_does_not_look_at_the_losses(planted):
    audit, _ = planted
    vectors = audit.embeddings.vectors
    told = ClassRidge(target="error").fit(vectors, audit.losses, audit.labels, None, audit.errors)
    blind = ClassRidge(target="error").fit(vectors, np.zeros(len(vectors)), audit.labels, audit.probabilities)
    np.testing.assert_array_equal(told.weights_, blind.weights_)
    with pytest.raises(InvalidInput, match="errors"):
        ClassRidge(target="error").fit(vectors, audit.losses, audit.labels)
