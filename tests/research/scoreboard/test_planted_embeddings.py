"""Planted failures are where they are said to be."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from research.evidence.planted_losses import plant_region
from research.scoreboard.planted_embeddings import plant_embeddings

KINDS = ["rare", "correlation", "noisy label", "conjunction", "several", "null"]


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
    [
        ("rare", 1, 0.55),
        ("correlation", 2, 0.55),
        ("noisy label", 1, 0.30),
        ("conjunction", 1, 0.55),
        ("null", 0, None),
    ],
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


def test_a_conjunction_fails_where_two_attributes_meet_and_not_where_one_stands_alone():
    planted, _ = plant_embeddings("conjunction", seed=1, n=20_000, dimensions=8)
    one, other = planted.attributes[:, 0], planted.attributes[:, 1]
    of_class = planted.labels == 1
    np.testing.assert_array_equal(planted.slices[0], of_class & one & other)
    assert planted.errors[of_class & (one ^ other)].mean() == pytest.approx(0.08, abs=0.02)
    assert planted.errors[~of_class & one & other].mean() == pytest.approx(0.08, abs=0.02)


def test_several_failures_are_of_different_size_and_depth_at_once():
    planted, _ = plant_embeddings("several", seed=1, n=20_000, dimensions=8)
    rates = [planted.errors[mask].mean() for mask in planted.slices]
    assert rates == pytest.approx([0.55, 0.55, 0.33], abs=0.05)
    sizes = [int(mask.sum()) for mask in planted.slices]
    assert sizes[0] * 2 < min(sizes[1:])
    np.testing.assert_array_equal(planted.slices[1] & (planted.labels == 1), False)


@pytest.mark.parametrize("kind", KINDS)
def test_with_ten_classes_the_failures_lie_where_they_are_said_to(kind):
    planted, _ = plant_embeddings(kind, seed=2, n=20_000, dimensions=16, n_classes=10)
    assert set(np.unique(planted.labels)) == set(range(10))
    np.testing.assert_allclose(planted.probabilities.sum(1), 1)
    np.testing.assert_array_equal(planted.errors, planted.probabilities.argmax(1) != planted.labels)
    inside = np.any(planted.slices, axis=0) if planted.slices else np.zeros(20_000, bool)
    assert planted.errors[~inside].mean() == pytest.approx(0.08, abs=0.01)
    for mask in planted.slices:
        assert planted.errors[mask].mean() > 0.25
    # an error in a slice is the next class, elsewhere any: what a confusion matrix shows
    wrong = planted.errors & inside
    np.testing.assert_array_equal(planted.probabilities.argmax(1)[wrong], (planted.labels[wrong] + 1) % 10)


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


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plant_embeddings("odd", seed=0), "must be one of rare"),  # pyright: ignore[reportArgumentType]
        (lambda: plant_embeddings("rare", seed=0, n=5), "n must be at least 20"),
        (lambda: plant_embeddings("rare", seed=0, n_classes=1), "n_classes must be at least 2"),
        (lambda: plant_embeddings("several", seed=0, n_attributes=3), "plants 4 attributes"),
    ],
)
def test_bad_arguments_are_named(call, words):
    with pytest.raises(InvalidInput, match=words):
        call()
