"""Shuffled losses: classes keep theirs, and groups move whole."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from research.evidence.planted_losses import shuffle_within


def test_shuffling_keeps_the_losses_of_each_class():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200)
    rows = shuffle_within(labels, None, rng)
    np.testing.assert_array_equal(np.sort(rows), np.arange(200))
    np.testing.assert_array_equal(labels[rows], labels)
    assert (rows == np.arange(200)).mean() < 0.1


def test_shuffling_groups_keeps_neighbours_together():
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(50), rng.integers(4, 12, 50)))
    labels = rng.integers(0, 2, len(groups))
    rows = shuffle_within(labels, groups, rng)
    np.testing.assert_array_equal(np.sort(rows), np.arange(len(groups)))
    np.testing.assert_array_equal(labels[rows], labels)
    effects = rng.normal(size=50)[groups]

    def shared(values):
        means = np.bincount(groups, weights=values) / np.bincount(groups)
        return means.var() / values.var()

    assert shared(effects) == pytest.approx(1, abs=0.3)
    # blocks run on into the next group, but stay together far more than by chance
    assert shared(effects[rows]) > 2 * shared(effects[rng.permutation(len(groups))])
    assert abs(np.corrcoef(effects, effects[rows])[0, 1]) < 0.4


def test_shuffling_equal_groups_moves_them_whole():
    groups = np.repeat(np.arange(30), 5)
    rows = shuffle_within(None, groups, np.random.default_rng(1))
    sources = groups[rows].reshape(30, 5)
    assert (sources == sources[:, :1]).all()
    assert sorted(sources[:, 0]) == list(range(30))


def test_shuffling_without_any_length_is_refused():
    with pytest.raises(InvalidInput, match="labels, groups or n"):
        shuffle_within(None, None, np.random.default_rng(0))
    assert len(shuffle_within(None, None, np.random.default_rng(0), n=7)) == 7
