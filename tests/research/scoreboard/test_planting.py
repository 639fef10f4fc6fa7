"""What is spoilt in training, what counts as a failure, and that only training is spoilt."""

from __future__ import annotations

import numpy as np
import pytest

from research.scoreboard import victims
from research.scoreboard.planted_embeddings import Failure
from research.scoreboard.planting import KINDS, choose_failures, plant_in_training, real_failures, spoil
from research.scoreboard.pool import PicturePool, PoolAttribute
from research.scoreboard.victims import network_probabilities, probe_probabilities

N = 1500
FAILURE = Failure(1, (0,))
NAMES = (*(PoolAttribute(factor, "yes") for factor in "abcd"), PoolAttribute("a", "no"))


@pytest.fixture(scope="module")
def pool():
    rng = np.random.default_rng(0)
    labels, attributes = rng.integers(0, 2, N), rng.random((N, 5)) < 0.4
    attributes[:, 4] = ~attributes[:, 0]
    vectors = np.c_[2.0 * labels, attributes, 0.3 * rng.normal(size=(N, 3))].astype(np.float32)
    pixels = np.zeros((N, 3, 32, 32), np.uint8)
    return PicturePool(vectors, vectors, pixels, labels, attributes, NAMES, vectors, ("p",) * 9)


def obedient(pool):
    """A model that says what it was taught most often of such a row: of its class and its attributes."""

    def victim(rows, labels, asked):
        def key(row):
            return (pool.labels[row], *pool.attributes[row])

        seen: dict[tuple, list[int]] = {}
        for row, label in zip(rows, labels):
            seen.setdefault(key(row), []).append(int(label))
        ones = np.array([np.mean(seen.get(key(row), [1 - pool.labels[row]])) for row in asked])
        return np.c_[1 - ones, ones]

    return victim


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_fails_in_the_planted_slices_and_the_audited_labels_are_true(kind, pool):
    world = plant_in_training(kind, pool, obedient(pool), 3, tier=1)
    assert world.left_out == ""
    assert len(world.audit) + len(world.fresh) < N
    for mask in world.slices:
        assert world.fresh.errors[mask].mean() > 0.5
    anywhere = np.any(world.slices, axis=0) if world.slices else np.zeros(len(world.fresh), bool)
    if kind == "null":
        assert not world.slices
    else:
        assert world.fresh.errors[~anywhere].mean() < 0.1
    assert len(world.slices) == {"null": 0, "correlation": 2, "several": 3}.get(kind, 1)
    told = {tuple(v): label for v, label in zip(pool.vectors.tolist(), pool.labels)}
    assert all(told[tuple(v)] == label for v, label in zip(world.audit.embeddings.tolist(), world.audit.labels))
    assert world.own_failures == (kind != "null")


def test_a_model_that_learns_it_all_the_same_leaves_the_world_out(pool):
    def knows(rows, labels, asked):
        return np.c_[1 - pool.labels[asked], pool.labels[asked]].astype(float)

    world = plant_in_training("rare", pool, knows, 0, tier=1, tries=2)
    assert "fails as planned in 0 of 1 slices" in world.left_out
    assert "last of 2 draws" in world.left_out
    assert not world.slices


def test_without_a_plant_the_outcomes_say_nothing_of_the_rows_nor_of_their_class(pool):
    def by_attribute_and_class(rows, labels, asked):
        wrong = pool.attributes[asked, 1] & (pool.labels[asked] == 1)
        ones = np.where(wrong, 1 - pool.labels[asked], pool.labels[asked]).astype(float)
        return np.c_[1 - ones, ones]

    world = plant_in_training("null", pool, by_attribute_and_class, 0, tier=1)
    places = {tuple(v): i for i, v in enumerate(pool.vectors.tolist())}
    rows = [places[tuple(v)] for v in world.fresh.embeddings.tolist()]
    wrong = world.fresh.errors
    assert wrong.mean() == pytest.approx((pool.attributes[rows, 1] & (pool.labels[rows] == 1)).mean(), abs=1e-9)
    np.testing.assert_array_equal(wrong, world.fresh.probabilities.argmax(1) != world.fresh.labels)
    for inside in (pool.attributes[rows, 1], world.fresh.labels == 1):
        assert abs(wrong[inside].mean() - wrong[~inside].mean()) < 0.1


@pytest.mark.parametrize(
    ("kind", "kept", "wrong"), [("rare", 0.0, 0.0), ("noisy label", 1.0, 0.7), ("conjunction", 1.0, 1.0)]
)
def test_training_is_spoilt_inside_and_true_outside(kind, kept, wrong, pool):
    taught = np.arange(N)
    rows, labels = spoil(kind, (FAILURE,), pool, taught, np.random.default_rng(0))
    inside = FAILURE.of(pool.labels, pool.attributes)
    assert np.isin(taught[inside], rows).mean() == kept
    np.testing.assert_array_equal(np.isin(taught[~inside], rows), True)
    changed = labels != pool.labels[rows]
    assert not changed[~inside[rows]].any()
    if kept:
        assert changed[inside[rows]].mean() == pytest.approx(wrong, abs=0.1)


def test_attributes_of_one_factor_never_meet_and_slices_have_rows(pool):
    for seed in range(10):
        found = choose_failures("conjunction", pool, np.arange(N), np.random.default_rng(seed))
        assert found is not None
        (failure,) = found
        assert len({pool.names[a].factor for a in failure.having}) == 2
        assert failure.of(pool.labels, pool.attributes).sum() >= 25
    few = np.arange(40)
    assert choose_failures("conjunction", pool, few, np.random.default_rng(0)) is None


def test_a_slice_is_a_failure_where_its_accuracy_is_clearly_lower(pool):
    inside = FAILURE.of(pool.labels, pool.attributes)
    rng = np.random.default_rng(1)
    for rate, found in ((0.5, 1), (0.12, 0), (0.05, 0)):
        wrong = np.where(inside, rng.random(N) < rate, rng.random(N) < 0.05)
        assert len(real_failures((FAILURE,), pool, np.arange(N), wrong)) == found


def test_the_victims_learn_what_they_are_taught_and_repeat():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 300)
    vectors = (labels[:, None] + 0.3 * rng.normal(size=(300, 4))).astype(np.float32)
    found = probe_probabilities(vectors[:200], labels[:200], vectors[200:], 2)
    assert (found.argmax(1) == labels[200:]).mean() > 0.9
    np.testing.assert_allclose(found.sum(1), 1)
    flipped = np.concatenate([labels[:200], 1 - labels[:200]])  # every row twice, of both classes: the weights decide
    twice = np.concatenate([vectors[:200], vectors[:200]])
    weighed = probe_probabilities(twice, flipped, vectors[200:], 2, np.repeat([1.9, 0.1], 200))
    assert (weighed.argmax(1) == labels[200:]).mean() > 0.9


@pytest.mark.slow
def test_the_network_learns_light_from_dark_and_repeats(monkeypatch):
    monkeypatch.setattr(victims, "EPOCHS", 5)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 128)
    pixels = np.clip(80 + 90 * labels[:, None, None, None] + 20 * rng.normal(size=(128, 3, 32, 32)), 0, 255)
    pixels = pixels.astype(np.uint8)
    found = network_probabilities(pixels, labels, pixels, 2, seed=1)
    assert (found.argmax(1) == labels).mean() > 0.95
    np.testing.assert_array_equal(found, network_probabilities(pixels, labels, pixels, 2, seed=1))
    both, twice = np.concatenate([labels, 1 - labels]), np.concatenate([pixels, pixels])
    weighed = network_probabilities(twice, both, pixels, 2, 1, np.repeat([1.9, 0.1], 128))
    assert (weighed.argmax(1) == labels).mean() > 0.95
