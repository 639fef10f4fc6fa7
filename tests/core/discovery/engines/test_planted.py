"""Planted failures are where they are said to be, and the null sets have nothing to find."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from core.discovery.engines.planted import expected_precision_at, make_null, plant_embeddings
from core.discovery.engines.planted_losses import plant_region
from core.errors import InvalidInput

KINDS = ["rare", "correlation", "noisy label", "null"]


@pytest.mark.parametrize("kind", KINDS)
def test_records_of_a_planted_set_agree_with_each_other(kind):
    for planted in plant_embeddings(kind, seed=3, n=400, dimensions=32):
        rows = np.arange(400)
        np.testing.assert_allclose(np.linalg.norm(planted.embeddings.vectors, axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(planted.probabilities.sum(1), 1)
        np.testing.assert_allclose(planted.losses, -np.log(planted.probabilities[rows, planted.labels]))
        np.testing.assert_array_equal(planted.errors, planted.probabilities.argmax(1) != planted.labels)
        assert planted.embeddings.vectors.dtype == planted.phrases.dtype == np.float32


@pytest.mark.parametrize(
    ("kind", "n_slices", "inside"),
    [("rare", 1, 0.55), ("correlation", 2, 0.55), ("noisy label", 1, 0.30), ("null", 0, None)],
)
def test_the_model_fails_at_the_stated_rate_inside_and_outside(kind, n_slices, inside):
    planted, _ = plant_embeddings(kind, seed=1, n=20_000, dimensions=8)
    assert len(planted.slices) == n_slices
    anywhere = np.zeros(20_000, bool)
    for mask in planted.slices:
        anywhere |= mask
        assert planted.errors[mask].mean() == pytest.approx(inside, abs=0.06)
    assert planted.errors[~anywhere].mean() == pytest.approx(0.08, abs=0.01)


def test_slices_follow_from_the_class_and_the_first_attribute():
    rare, _ = plant_embeddings("rare", seed=2, n=2000)
    np.testing.assert_array_equal(rare.slices[0], (rare.labels == 1) & rare.attributes[:, 0])
    correlated, _ = plant_embeddings("correlation", seed=2, n=2000)
    np.testing.assert_array_equal(
        correlated.slices[0] | correlated.slices[1], correlated.attributes[:, 0] != correlated.labels
    )
    assert (correlated.attributes[:, 0] == correlated.labels).mean() == pytest.approx(0.8, abs=0.03)


def test_audit_and_fresh_rows_are_different_rows_of_one_world():
    audit, fresh = plant_embeddings("rare", seed=5, n=4000, dimensions=64)
    assert not np.allclose(audit.embeddings.vectors, fresh.embeddings.vectors)
    np.testing.assert_array_equal(audit.phrases, fresh.phrases)
    # the same attributes move the same directions: mean embeddings with and without attribute 1 differ alike in both
    moves = [
        p.embeddings.vectors[p.attributes[:, 1]].mean(0) - p.embeddings.vectors[~p.attributes[:, 1]].mean(0)
        for p in (audit, fresh)
    ]
    assert np.corrcoef(*moves)[0, 1] > 0.6
    other, _ = plant_embeddings("rare", seed=6, n=4000, dimensions=64)
    assert abs(np.corrcoef(moves[0], other.phrases[1])[0, 1]) < 0.5


def test_the_same_seed_gives_the_same_rows():
    first, second = (plant_embeddings("noisy label", seed=7, n=100, dimensions=16)[1] for _ in range(2))
    np.testing.assert_array_equal(first.embeddings.vectors, second.embeddings.vectors)
    np.testing.assert_array_equal(first.losses, second.losses)


@pytest.mark.parametrize("kind", ["heavy tail", "unequal variance", "grouped"])
def test_a_null_set_has_no_mean_loss_to_predict_on_fresh_rows(kind):
    """Fit on half of the groups, read on the other half: the correlation is that of noise, over ten sets together."""
    correlations = []
    for seed in range(10):
        null = make_null(kind, seed=seed, dimensions=32)
        groups = np.arange(2000) if null.groups is None else null.groups
        half = groups % 2 == 0
        x = np.c_[null.embeddings.vectors, np.ones(2000)].astype(float)
        losses = np.minimum(null.losses, np.quantile(null.losses, 0.99))
        weights = np.linalg.solve(x[half].T @ x[half] + np.eye(33), x[half].T @ losses[half])
        correlations.append(np.corrcoef(x[~half] @ weights, losses[~half])[0, 1])
    assert abs(np.mean(correlations)) < 3 * np.std(correlations, ddof=1) / np.sqrt(10)


def test_unequal_variance_keeps_the_mean_and_changes_the_spread():
    null = make_null("unequal variance", seed=0, n=20_000, dimensions=16)
    centred = null.embeddings.vectors - null.embeddings.vectors.mean(0)
    spread_along = centred.T @ ((null.losses - 1) ** 2)
    score = centred @ spread_along
    low, high = score < np.quantile(score, 0.1), score > np.quantile(score, 0.9)
    assert null.losses[high].std() > 3 * null.losses[low].std()
    assert null.losses[high].mean() == pytest.approx(null.losses[low].mean(), abs=0.04)
    assert null.losses.min() > 0


def test_groups_are_unequal_and_their_rows_share_their_loss():
    null = make_null("grouped", seed=0)
    assert null.groups is not None
    sizes = np.bincount(null.groups)
    assert 60 <= len(sizes) <= 100
    assert sizes.min() >= 3
    assert sizes.max() > 3 * np.median(sizes)
    logs = np.log(null.losses)
    means = np.bincount(null.groups, weights=logs) / sizes
    within = np.var(logs - means[null.groups])
    assert within == pytest.approx(0.36, abs=0.05)
    assert np.var(logs) > 1.5 * within


@pytest.mark.parametrize("with_errors", [True, False])
def test_a_planted_region_fails_and_no_class_changes_its_losses(with_errors):
    null, _ = plant_embeddings("null", seed=4, n=1000, dimensions=32)
    vectors = null.embeddings.vectors
    losses, errors, members = plant_region(
        vectors, null.losses, null.labels, null.errors if with_errors else None, size=40, seed=0
    )
    assert members.sum() == 40
    assert len(set(null.labels[members])) == 1
    assert losses[members].mean() > 2 * null.losses[members].mean()
    for label in (0, 1):
        np.testing.assert_array_equal(np.sort(losses[null.labels == label]), np.sort(null.losses[null.labels == label]))
    if with_errors:
        assert errors is not None
        assert errors[members].mean() == 0.5
        np.testing.assert_array_equal(errors, losses > -np.log(0.5))  # losses and errors moved together
    else:
        assert errors is None
    # nearest to one of their own: some member has exactly the members as its nearest rows of the class
    rows = np.flatnonzero(null.labels == null.labels[members][0])
    nearest = [set(rows[np.argsort(-vectors[rows] @ vectors[m], kind="stable")[:40]]) for m in np.flatnonzero(members)]
    assert set(np.flatnonzero(members)) in nearest


def test_a_region_too_large_for_every_class_is_refused():
    null, _ = plant_embeddings("null", seed=4, n=100, dimensions=8)
    with pytest.raises(InvalidInput, match="Lower size"):
        plant_region(null.embeddings.vectors, null.losses, null.labels, null.errors, size=40, seed=0)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_expected_precision_is_the_mean_over_all_orders_of_ties(k):
    scores = np.array([2.0, 1.0, 1.0, 1.0, -np.inf, -np.inf])
    truth = np.array([False, True, True, False, True, False])
    slow = []
    for order in permutations(range(6)):
        ranked = sorted(order, key=lambda i: -scores[i])  # sorted is stable: ties stay in the order of the permutation
        slow.append(truth[ranked[:k]].mean())
    assert expected_precision_at(k, scores, truth) == pytest.approx(np.mean(slow))


def test_a_constant_score_has_the_precision_of_chance():
    truth = np.arange(40) < 6
    assert expected_precision_at(10, np.zeros(40), truth) == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plant_embeddings("odd", seed=0), "must be one of rare"),  # pyright: ignore[reportArgumentType]
        (lambda: plant_embeddings("rare", seed=0, n=5), "n must be at least 20"),
        (lambda: make_null("grouped", seed=0, n=100), "n >= 300"),
        (lambda: expected_precision_at(11, np.zeros(10), np.zeros(10, bool)), "between 1 and 10"),
        (lambda: expected_precision_at(1, np.array([np.nan, 1.0]), np.zeros(2, bool)), "1 of 2 are"),
    ],
)
def test_bad_arguments_are_named(call, words):
    with pytest.raises(InvalidInput, match=words):
        call()
