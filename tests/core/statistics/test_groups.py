"""Rows that share things are joined, directly or through others."""

from __future__ import annotations

import numpy as np

from core.statistics.groups import joined


def test_rows_are_joined_through_others_and_numbered_by_their_first_row() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        rows, things = rng.integers(0, 20, 25), rng.integers(0, 15, 25) * 1000
        found = joined(20, rows, things)
        reach = np.eye(20, dtype=bool)
        for thing in np.unique(things):
            held = rows[things == thing]
            reach[np.ix_(held, held)] = True
        reach = np.linalg.matrix_power(reach.astype(float), 20) > 0
        np.testing.assert_array_equal(found[:, None] == found, reach)
        _, first = np.unique(found, return_index=True)
        assert (np.diff(first) > 0).all()


def test_rows_that_share_nothing_stay_apart() -> None:
    none = np.empty(0, np.int64)
    assert joined(3, none, none).tolist() == [0, 1, 2]
    assert joined(0, none, none).tolist() == []
