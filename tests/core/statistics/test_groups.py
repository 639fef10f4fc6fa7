"""Rows that share things are joined, directly or through others."""

from __future__ import annotations

import numpy as np
import pytest

from core.statistics.groups import join_classes, joined, some_groups


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


@pytest.mark.parametrize(
    ("labels", "joining", "groups", "expected"),
    [
        ([0, 0, 1, 1, 2, 2], [True, True, False], None, [0, 0, 1, 1, 2, 3]),
        ([0, 0, 1, 1, 2, 2], [False, False, True], [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 4]),
        ([0, 0, 1, 1, 2, 2], [True, False, False], [0, 1, 2, 3, 4, 5], [0, 0, 1, 2, 3, 4]),
        ([0, 0, 1, 1], [True, True], [5, 7, 7, 5], [0, 0, 0, 0]),  # half of the two groups are left
        ([0, 0, 1, 1, 2, 2], [True, True, True], [0, 1, 1, 2, 2, 0], None),  # a third
    ],
)
def test_classes_are_joined_with_groups_while_half_of_them_stay_apart(
    labels: list[int], joining: list[bool], groups: list[int] | None, expected: list[int] | None
) -> None:
    of = None if groups is None else np.array(groups)
    found = join_classes(np.array(labels), np.array(joining), of)
    assert (None if found is None else found.tolist()) == expected


def test_some_groups_are_drawn_whole_up_to_about_so_many_rows() -> None:
    groups = np.random.default_rng(0).integers(0, 200, 1000)
    rows = some_groups(groups, 300, np.random.default_rng(1))
    assert 270 <= len(rows) <= 300
    np.testing.assert_array_equal(rows, np.flatnonzero(np.isin(groups, groups[rows])))
    assert len(some_groups(np.zeros(50, np.int64) + np.arange(50) // 25, 10, np.random.default_rng(0))) == 50
