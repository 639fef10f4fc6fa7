"""Every engine of the table keeps the contract; each does what its formula says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.discovery.engines import ENGINES, load_engine
from core.discovery.engines.class_ridge import ClassRidge, ridge
from core.discovery.engines.domino import DominoMixture
from core.discovery.engines.kmeans import KMeansSlices
from core.discovery.engines.planted import Planted, expected_precision_at, plant_embeddings
from core.discovery.engines.svm_directions import SvmDirections
from core.errors import InvalidInput
from core.records import F64


@pytest.fixture(scope="module")
def planted() -> tuple[Planted, Planted]:
    return plant_embeddings("correlation", seed=11, n=1600, dimensions=48)


def fit(name: str, rows: Planted, **settings) -> Any:
    return load_engine(name, **settings).fit(
        rows.embeddings.vectors, rows.losses, rows.labels, rows.probabilities, rows.errors
    )


def score(engine: Any, rows: Planted, keep: Any = slice(None)) -> F64:
    return engine.score(rows.embeddings.vectors[keep], rows.labels[keep], rows.probabilities[keep], rows.losses[keep])


@pytest.mark.parametrize("name", ENGINES)
def test_scores_have_their_shape_follow_the_rows_and_repeat(name, planted):
    audit, fresh = planted
    engine = fit(name, audit)
    scores = score(engine, fresh)
    assert scores.shape[0] == 1600
    assert 1 <= scores.shape[1] <= 5
    assert scores.dtype == np.float64
    assert not np.isnan(scores).any()
    order = np.random.default_rng(0).permutation(1600)
    np.testing.assert_allclose(score(engine, fresh, order), scores[order], rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(score(fit(name, audit), fresh), scores)


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_says_what_it_must_be_told_about_new_rows(name, planted):
    """What `needs` leaves out changes nothing; an optional record that it lists is asked for by name."""
    audit, fresh = planted
    engine = fit(name, audit)
    vectors, given = fresh.embeddings.vectors, {"probabilities": fresh.probabilities, "losses": fresh.losses}
    needed = {key: value for key, value in given.items() if key in engine.needs}
    np.testing.assert_array_equal(engine.score(vectors, fresh.labels, **needed), score(engine, fresh))
    if "labels" not in engine.needs:
        np.testing.assert_array_equal(engine.score(vectors, 1 - fresh.labels, **needed), score(engine, fresh))
    for key in needed:
        with pytest.raises(InvalidInput, match=key):
            engine.score(vectors, fresh.labels, **{k: v for k, v in needed.items() if k != key})


@pytest.mark.parametrize("name", ["class ridge", "svm directions", "domino"])
def test_a_correlation_slice_is_found_on_fresh_rows(name, planted):
    audit, fresh = planted
    scores = score(fit(name, audit), fresh)
    for truth in fresh.slices:
        assert max(expected_precision_at(10, column, truth) for column in scores.T) >= 0.8


def test_an_unknown_engine_is_refused_with_the_known_ones():
    with pytest.raises(InvalidInput, match="k-means"):
        load_engine("spectral")


def test_raw_loss_ranks_the_rows_of_each_class_by_loss(planted):
    audit, fresh = planted
    engine = fit("raw loss", audit)
    scores = score(engine, fresh)
    worst_class = int(np.argmax([audit.losses[audit.labels == c].mean() for c in (0, 1)]))
    rows = np.flatnonzero(fresh.labels == worst_class)
    assert np.argmax(scores[:, 0]) == rows[np.argmax(fresh.losses[rows])]
    np.testing.assert_array_equal(np.isfinite(scores[:, 0]), fresh.labels == worst_class)


def test_confusion_cells_hold_only_mistakes_the_commonest_first(planted):
    audit, fresh = planted
    scores = score(fit("confusion cells", audit), fresh)
    assert scores.shape[1] == 2
    np.testing.assert_array_equal(np.isfinite(scores).any(1), fresh.errors)
    counts = [(audit.errors & (audit.labels == c)).sum() for c in (0, 1)]
    assert set(fresh.labels[np.isfinite(scores[:, 0])]) == {int(np.argmax(counts))}


def test_kmeans_puts_the_bad_blob_first_and_the_tiny_one_last():
    rng = np.random.default_rng(0)
    centres = np.eye(4)
    blob = np.repeat(np.arange(4), [40, 40, 40, 3])
    vectors = (centres[blob] + 0.01 * rng.normal(size=(123, 4))).astype(np.float32)
    losses = np.where(blob == 2, 1.0, 0.1) + np.where(blob == 3, 5.0, 0)
    labels = np.zeros(123, np.int64)
    scores = KMeansSlices(n_clusters=4).fit(vectors, losses, labels).score(vectors, labels)
    assert scores.shape == (123, 4)
    assert set(blob[np.argsort(-scores[:, 0])[:40]]) == {2}
    assert set(blob[np.argsort(-scores[:, 3])[:3]]) == {3}  # three rows of enormous loss are not trusted


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
    assert engine.accuracies_[0] > 0.8


def test_svm_needs_to_know_the_errors_and_may_read_them_off_the_probabilities(planted):
    audit, _ = planted
    vectors = audit.embeddings.vectors
    with pytest.raises(InvalidInput, match="errors"):
        SvmDirections().fit(vectors, audit.losses, audit.labels)
    read = SvmDirections().fit(vectors, audit.losses, audit.labels, audit.probabilities)
    told = SvmDirections().fit(vectors, audit.losses, audit.labels, None, audit.errors)
    np.testing.assert_array_equal(read.weights_, told.weights_)


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
