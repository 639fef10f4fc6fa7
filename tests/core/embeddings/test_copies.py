"""Copies by vectors: found at the noise of a second saving, and not among ordinary rows, in any dimension."""

from __future__ import annotations

import numpy as np
import pytest

from core.embeddings.copies import MIN_ROWS, find_copies, is_coarse, near_pairs
from core.encoders.arithmetic import unit
from core.records import F32, I64


def rows(n: int, d: int, seed: int = 0) -> F32:
    return unit(np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32) + 0.3)


def with_copies(vectors: F32, noise: float, n: int, seed: int = 1) -> tuple[F32, I64]:
    """The rows and `n` more that are like some of them, noise times their length away; and which."""
    rng = np.random.default_rng(seed)
    of = rng.integers(0, len(vectors), n)
    steps = rng.normal(size=(n, vectors.shape[1])) / np.sqrt(vectors.shape[1])
    return np.r_[vectors, unit((vectors[of] + noise * steps).astype(np.float32))], of


@pytest.mark.parametrize("d", [2, 3, 4, 8, 16, 64, 512])
def test_ordinary_rows_are_hardly_ever_taken_for_copies(d: int) -> None:
    _, near = find_copies(rows(800, d))
    assert (np.bincount(near)[near] > 1).mean() <= 0.01


@pytest.mark.parametrize(("d", "noise"), [(4, 0.001), (8, 0.03), (16, 0.1), (64, 0.3), (512, 0.3)])
def test_copies_with_a_little_noise_share_a_group(d: int, noise: float) -> None:
    vectors, of = with_copies(rows(800, d), noise, 240)
    exact, near = find_copies(vectors)
    assert (near[of] == near[800:]).mean() >= 0.95
    assert len(np.unique(exact)) == 1040


def test_exact_copies_share_a_group_whatever_their_number_and_minus_zero_is_zero() -> None:
    vectors = rows(50, 4)
    vectors[:, 3] = 0.0
    again = np.repeat(vectors, 3, axis=0)
    again[::3, 3] = -0.0
    exact, near = find_copies(again)
    assert len(np.unique(exact)) == 50
    assert (exact.reshape(50, 3) == exact.reshape(50, 3)[:, :1]).all()
    np.testing.assert_array_equal(near, exact)


def test_a_row_that_was_copied_a_hundred_times_with_noise_is_one_group() -> None:
    vectors = np.r_[rows(900, 64), with_copies(rows(1, 64, 5), 0.03, 99)[0]]
    _, near = find_copies(vectors)
    assert len(np.unique(near[900:])) == 1
    assert len(np.unique(near)) == 901


def test_groups_do_not_depend_on_the_order_of_the_rows() -> None:
    vectors, _ = with_copies(rows(300, 200), 0.3, 60)
    order = np.random.default_rng(2).permutation(360)
    _, near = find_copies(vectors)
    _, moved = find_copies(vectors[order])
    same, again = near[:, None] == near, moved[:, None] == moved
    np.testing.assert_array_equal(same[np.ix_(order, order)], again)


def test_vectors_of_few_values_are_coarse_and_repeated_texts_are_not() -> None:
    rng = np.random.default_rng(3)
    assert is_coarse(np.unique(unit((rng.random((500, 8)) < 0.4) + np.float32(1e-6)).astype(np.float32), axis=0))
    assert not is_coarse(rows(40, 64))
    assert not is_coarse(np.round(rows(400, 128), 2))  # quantized: many values
    assert not len(near_pairs(unit((rng.random((500, 8)) < 0.4).astype(np.float32) + np.float32(1e-6))))


def test_few_rows_or_one_dimension_have_no_near_copies() -> None:
    vectors, _ = with_copies(rows(20, 64), 0.001, 20)
    assert len(vectors) < MIN_ROWS
    assert near_pairs(vectors).shape == near_pairs(np.ones((100, 1), np.float32)).shape == (0, 2)
