"""Domino's mixture against a slow loop."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.peers.engines.domino import DominoMixture
from tests.support.engines import fit


def slow_em(z, y, p, resp, *, weight, rounds):
    """Domino's EM, sample by sample, from the formulas."""
    n, n_components = resp.shape
    k = y.max() + 1
    likelihoods = []
    for _ in range(rounds):
        parts = []
        for s in range(n_components):
            total = sum(resp[i, s] for i in range(n))
            mean = sum(resp[i, s] * z[i] for i in range(n)) / total
            variance = sum(resp[i, s] * (z[i] - mean) ** 2 for i in range(n)) / total + 1e-6
            labels = [sum(resp[i, s] for i in range(n) if y[i] == c) / total for c in range(k)]
            predictions = sum(resp[i, s] * p[i] for i in range(n)) / total
            parts.append((total / n, mean, variance, labels, predictions))
        resp = np.empty((n, n_components))
        likelihood = 0.0
        for i in range(n):
            joint = np.empty(n_components)
            for s, (share, mean, variance, labels, predictions) in enumerate(parts):
                density = -0.5 * sum(
                    np.log(2 * np.pi * variance[j]) + (z[i, j] - mean[j]) ** 2 / variance[j] for j in range(len(mean))
                )
                eps = np.finfo(float).eps
                joint[s] = (
                    np.log(share)
                    + density
                    + weight * np.log(labels[y[i]] + eps)
                    + weight * np.log(np.dot(predictions, p[i]) + eps)
                )
            top = joint.max()
            norm = top + np.log(np.exp(joint - top).sum())
            resp[i] = np.exp(joint - norm)
            likelihood += norm / n
        likelihoods.append(likelihood)
    return resp, parts, likelihoods


@pytest.mark.parametrize("start", ["k-means", "confusion"])
def test_domino_follows_the_slow_loop(start):
    rng = np.random.default_rng(5)
    n, k = 60, 2
    y = rng.integers(0, k, n)
    vectors = (rng.normal(size=(n, 4)) + y[:, None]).astype(np.float32)
    p = rng.dirichlet([1, 1], n)
    rounds = 4
    engine = DominoMixture(
        n_components=5,
        n_slices=5,
        label_weight=3,
        prediction_weight=3,
        initialisation=start,
        max_iterations=rounds - 1,
        tolerance=0,
        seed=2,
    )
    scores = engine.fit(vectors, np.zeros(n), y, p).score(vectors, y, p)
    z = engine.pca_.transform(vectors.astype(float))
    first = engine._start(z, np.eye(k)[y], p)
    slow, parts, _ = slow_em(z, y, p, first, weight=3, rounds=rounds)
    np.testing.assert_allclose(scores, slow[:, engine.order_], atol=1e-7)
    gaps = [abs(max(q - np.array(share))) for _, _, _, share, q in parts]
    np.testing.assert_array_equal(engine.order_, np.argsort([-g for g in gaps]))
    np.testing.assert_allclose(scores.sum(1), 1)


def test_domino_deals_components_to_confusion_cells_in_turn():
    y = np.array([0, 0, 1, 1])
    p = np.eye(2)[[0, 1, 0, 1]]
    first = DominoMixture(n_components=6, initialisation="confusion")._start(np.zeros((4, 1)), np.eye(2)[y], p)
    np.testing.assert_allclose(first.sum(1), 1)
    expected = np.array([[1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1], [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0]]) / np.array(
        [[2], [2], [1], [1]]
    )
    np.testing.assert_allclose(first, expected, atol=3e-3)


def test_domino_stops_when_the_likelihood_stands_still_and_says_what_is_missing(planted):
    audit, _ = planted
    assert 1 < fit("domino", audit).n_iterations_ < 100
    vectors = audit.embeddings.vectors
    with pytest.raises(InvalidInput, match="probabilities"):
        DominoMixture().fit(vectors, audit.losses, audit.labels)
    with pytest.raises(InvalidInput, match="as many rows as components"):
        DominoMixture().fit(vectors[:10], audit.losses[:10], audit.labels[:10], audit.probabilities[:10])
    with pytest.raises(InvalidInput, match="4 cells"):
        fit("domino", audit, n_components=3, initialisation="confusion")
