"""Marks that members carry more often: found where planted, adjusted over all, silent where nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.vl_t5.over_represented import over_represented


def drawn(seed: int, n: int = 200, k: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random((n, k)) < 0.3, rng.random(n) < 0.25, rng.integers(0, 3, n)


def test_a_planted_mark_is_first_and_its_shares_are_counted() -> None:
    present, members, strata = drawn(0)
    present[members, 4] = np.random.default_rng(1).random(int(members.sum())) < 0.7
    found = over_represented(present, members, strata, None, permutations=499)
    assert int(found.statistic.argmax()) == 4
    assert found.p[4] == pytest.approx(1 / 500)
    assert found.inside[4] == present[members, 4].mean()
    assert found.outside[4] == present[~members, 4].mean()
    assert (np.delete(found.p, 4) > 0.05).all()


def test_a_mark_that_only_goes_with_the_class_is_not_one_of_its_members() -> None:
    rng = np.random.default_rng(2)
    strata = np.repeat([0, 1], 150)
    members = rng.random(300) < np.where(strata == 1, 0.6, 0.1)
    present = (rng.random(300) < np.where(strata == 1, 0.8, 0.1))[:, None]
    assert over_represented(present, members, strata, None, permutations=499).p[0] > 0.05
    assert over_represented(present, members, np.zeros(300, np.int64), None, permutations=499).p[0] < 0.01


def test_where_nothing_is_some_mark_passes_in_about_one_of_twenty_runs() -> None:
    smallest = [over_represented(*drawn(seed), None, permutations=199).p.min() for seed in range(60)]
    assert np.mean(np.array(smallest) <= 0.05) <= 0.15


def test_groups_move_whole_and_with_one_member_a_class_there_is_no_p() -> None:
    present, members, _ = drawn(3, n=120)
    groups = np.repeat(np.arange(30), 4)
    members[:] = np.repeat(np.arange(30) < 8, 4)
    present[:, 0] = members
    grouped = over_represented(present, members, np.zeros(120, np.int64), groups, permutations=499)
    assert grouped.p[0] < 0.01
    alone = over_represented(present, members, np.arange(120), None, permutations=99)
    assert np.isnan(alone.p).all()


@pytest.mark.parametrize("all_of_them", [True, False])
def test_without_a_rest_there_is_nothing_to_compare(all_of_them: bool) -> None:
    with pytest.raises(InvalidInput, match=r"[05] of 5 samples are members"):
        over_represented(np.ones((5, 1), bool), np.full(5, all_of_them), np.zeros(5, np.int64), None)
