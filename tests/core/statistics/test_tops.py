"""The highest of many rows, against sorting each."""

from __future__ import annotations

import numpy as np
import pytest

from core.records import F32
from core.row_runs import row_runs
from core.statistics.tops import TILE, Cuts, taken, top_positions


@pytest.mark.parametrize("most", [1, 7, 40])
def test_the_highest_come_first_whatever_their_sign_and_size(most: int) -> None:
    values = np.random.default_rng(0).standard_cauchy((6, 40)).astype(np.float32)
    values[0, :4] = np.inf, -np.inf, 1e-42, -1e-42  # the last two are subnormal
    np.testing.assert_array_equal(top_positions(values, most), np.argsort(-values, axis=1, kind="stable")[:, :most])


def test_of_equal_values_those_that_come_first_are_spread_over_all_places() -> None:
    values = np.zeros((1, 4000), np.float32)
    top = np.sort(top_positions(values, 400)[0])
    assert len(np.unique(top)) == 400
    np.testing.assert_array_less(np.diff(top), 40)  # no stretch of four times the mean gap is left out
    values[0, 123] = 1
    assert top_positions(values, 400)[0, 0] == 123


def test_a_row_is_ranked_as_if_it_were_alone() -> None:
    values = np.random.default_rng(1).integers(0, 5, (8, 300)).astype(np.float32)
    alone = np.concatenate([top_positions(row[None], 50) for row in values])
    np.testing.assert_array_equal(top_positions(values, 50), alone)


def test_sums_are_those_of_the_first_so_many_and_sizes_may_repeat() -> None:
    values: F32 = np.random.default_rng(2).normal(size=(3, 30)).astype(np.float32)
    found = Cuts([10, 10, 17, 30]).sums(values)
    for size, own in zip([10, 10, 17, 30], found):
        np.testing.assert_allclose(own, values[:, :size].sum(1, dtype=np.float64))
    assert Cuts([]).sizes.size == 0


def test_values_are_taken_row_by_row_from_any_part_of_an_array() -> None:
    whole = np.random.default_rng(3).normal(size=(4, 50)).astype(np.float32)
    part, at = whole[:, 10:30], np.array([[0, 19], [3, 3], [5, 6], [7, 1]])
    np.testing.assert_array_equal(taken(part, at), np.take_along_axis(part, at, 1))
    np.testing.assert_array_equal(taken(np.broadcast_to(part[:1], part.shape), at), part[0][at])


@pytest.mark.parametrize("columns", [1, 100, TILE, 3 * TILE])
def test_tiles_hold_every_row_once(columns: int) -> None:
    rows = np.arange(1000)
    np.testing.assert_array_equal(np.concatenate([rows[at] for at in row_runs(1000, columns, TILE)]), rows)
