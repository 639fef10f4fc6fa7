"""The highest of many rows, against sorting each."""

from __future__ import annotations

import numpy as np
import pytest

from core.statistics.tops import top_positions


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
