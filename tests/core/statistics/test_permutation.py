"""Permutations within blocks, with and without groups, and the p values that come of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.records import F64, I64
from core.statistics.permutation import (
    Permuter,
    chunks,
    difference_of,
    holm,
    permutation_p,
    plain_excess,
    studentised_excess,
)


def slow_holm(p: list[float]) -> list[float]:
    """From the definition: the j-th smallest of m is multiplied by m - j + 1, and none may be below a smaller one's."""
    out = [0.0] * len(p)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        running = max(running, min(1.0, (len(p) - rank) * p[index]))
        out[index] = running
    return out


def test_holm_matches_the_slow_loop_and_a_known_answer() -> None:
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    rng = np.random.default_rng(0)
    for size in (0, 1, 2, 7, 40):
        p = (rng.random(size) ** 3).tolist()
        np.testing.assert_allclose(holm(p), slow_holm(p))


def columns_are_permutations(draw: I64) -> bool:
    return bool((np.sort(draw, axis=0) == np.arange(len(draw))[:, None]).all())


def test_plain_draws_are_permutations_within_strata() -> None:
    strata = np.random.default_rng(4).integers(0, 4, 90)
    draw = Permuter(strata).draw(30, np.random.default_rng(0))
    assert draw.shape == (90, 30)
    assert columns_are_permutations(draw)
    assert (strata[draw] == strata[:, None]).all()
    assert len({column.tobytes() for column in draw.T}) == 30


def test_a_plain_draw_sends_every_row_everywhere_equally_often() -> None:
    count = 6000
    draw = Permuter(np.zeros(6, np.int64)).draw(count, np.random.default_rng(0))
    for place in range(6):
        assert stats.chisquare(np.bincount(draw[place], minlength=6)).pvalue > 1e-4


def test_groups_of_one_row_are_no_groups() -> None:
    assert not Permuter(np.zeros(5, np.int64), np.array([4, 3, 9, 1, 0])).grouped


def test_groups_of_equal_size_receive_one_whole_group_each_turned_round() -> None:
    groups = np.random.default_rng(5).permutation(np.repeat(np.arange(24), 4))
    permuter = Permuter(np.zeros(96, np.int64), groups)
    assert permuter.grouped
    draw = permuter.draw(40, np.random.default_rng(0))
    assert columns_are_permutations(draw)
    turns = set[int]()
    for column in draw.T:
        for group in range(24):
            here, source = np.flatnonzero(groups == group), column[groups == group]
            givers = np.unique(groups[source])
            assert len(givers) == 1
            whole = np.flatnonzero(groups == givers[0])
            turn = int(np.flatnonzero(whole == source[0])[0])
            np.testing.assert_array_equal(source, np.roll(whole, -turn))
            turns.add(turn)
            assert len(here) == 4
    assert turns == {0, 1, 2, 3}


def test_every_group_gives_to_every_other_equally_often() -> None:
    groups = np.repeat(np.arange(5), 3)
    draw = Permuter(np.zeros(15, np.int64), groups).draw(5000, np.random.default_rng(0))
    for place in (0, 7, 14):
        assert stats.chisquare(np.bincount(draw[place], minlength=15)).pvalue > 1e-4


def test_groups_of_one_class_stay_in_their_class_and_groups_across_classes_move_anywhere() -> None:
    groups = np.repeat(np.arange(40), 3)
    pure = (groups % 2).astype(np.int64)
    draw = Permuter(pure, groups).draw(20, np.random.default_rng(0))
    assert (pure[draw] == pure[:, None]).all()
    crossing = (np.arange(120) % 2).astype(np.int64)
    moved = Permuter(crossing, groups).draw(20, np.random.default_rng(0))
    assert (crossing[moved] != crossing[:, None]).any()
    assert columns_are_permutations(moved)


def test_unequal_groups_receive_from_one_group_of_similar_size_without_needless_repeats() -> None:
    sizes = np.random.default_rng(6).permutation(np.repeat([1, 2, 3, 8, 9], 12))
    groups = np.repeat(np.arange(60), sizes)
    draw = Permuter(np.zeros(len(groups), np.int64), groups).draw(25, np.random.default_rng(0))
    assert draw.shape == (len(groups), 25)
    for column in draw.T:
        for group in range(60):
            source = column[groups == group]
            givers = np.unique(groups[source])
            assert len(givers) == 1
            giver = int(givers[0])
            assert sizes[giver] == sizes[group]  # twelve groups of a size fill a bin of their own
            assert len(np.unique(source)) == min(sizes[group], sizes[giver])


def test_a_bin_of_unequal_groups_repeats_from_the_smaller_and_takes_a_part_of_the_larger() -> None:
    groups = np.repeat(np.arange(12), np.arange(1, 13))
    draw = Permuter(np.zeros(len(groups), np.int64), groups).draw(50, np.random.default_rng(0))
    for column in draw.T:
        givers = [np.unique(groups[column[groups == g]]) for g in range(12)]
        assert all(len(g) == 1 for g in givers)
        assert sorted(int(g[0]) for g in givers) == list(range(12))
        for group, giver in enumerate(givers):
            assert len(np.unique(column[groups == group])) == min(group + 1, int(giver[0]) + 1)


def test_a_group_takes_nothing_from_groups_of_another_order_of_size() -> None:
    """A few large groups may vary more than small ones: among them alone are they exchanged; a giant keeps its own."""
    sizes = np.array([1] * 30 + [10] * 4 + [200])
    groups = np.repeat(np.arange(len(sizes)), sizes)
    drawn = Permuter(np.zeros(len(groups), np.int64), groups).draw(50, np.random.default_rng(0))
    of_row = sizes[groups]
    np.testing.assert_array_equal(of_row[drawn], np.repeat(of_row[:, None], 50, 1))
    assert (groups[drawn] != groups[:, None]).any()


def test_a_permutation_p_counts_itself() -> None:
    assert permutation_p(5.0, np.arange(9.0)) == pytest.approx(0.5)
    assert permutation_p(100.0, np.arange(9.0)) == pytest.approx(0.1)


def test_chunks_add_up() -> None:
    assert list(chunks(10, 4)) == [4, 4, 2]
    assert list(chunks(0, 4)) == []


def slow_excess(inside: F64, scope: F64, prior: float) -> tuple[float, float]:
    """Plain and studentised excess of one set of values, `inside` being a part of `scope` and `scope[len(inside):]` the
    rest."""
    outside = scope[len(inside) :]
    common = scope.var()
    spread = [max(v.var(ddof=1), (len(v) * v.var() + prior * common) / (len(v) + prior)) for v in (inside, outside)]
    difference = inside.mean() - outside.mean()
    return difference, difference / np.sqrt(spread[0] / len(inside) + spread[1] / len(outside))


def test_studentised_excess_matches_the_slow_loop_for_many_sets_and_columns() -> None:
    rng = np.random.default_rng(7)
    scores, masks = rng.gamma(1.0, 2.0, (120, 5)), rng.random((30, 120)) < rng.uniform(0.1, 0.8, (30, 1))
    sizes = masks.sum(1)[:, None].astype(float)
    arguments: Any = (
        sizes,
        np.full((1, 1), 120.0),
        masks @ scores,
        masks @ scores**2,
        scores.sum(0)[None],
        (scores**2).sum(0)[None],
    )
    fast, plain = studentised_excess(*arguments, prior=40.0), plain_excess(*arguments)
    for row, mask in enumerate(masks):
        for column in range(5):
            values = scores[:, column]
            expected = slow_excess(values[mask], np.r_[values[mask], values[~mask]], 40.0)
            np.testing.assert_allclose([plain[row, column], fast[row, column]], expected, rtol=1e-9)


def test_without_a_prior_the_statistic_is_welchs() -> None:
    rng = np.random.default_rng(8)
    inside, outside = rng.normal(1, 2, 30), rng.normal(0, 1, 80)
    values = np.r_[inside, outside]
    one = np.ones((1, 1))
    sums: Any = [v * one for v in (inside.sum(), (inside**2).sum(), values.sum(), (values**2).sum())]
    found = studentised_excess(30.0 * one, 110.0 * one, *sums, prior=0.0)
    reference: Any = stats.ttest_ind(inside, outside, equal_var=False)
    assert float(found[0, 0]) == pytest.approx(reference.statistic)


def test_rows_of_a_group_count_as_often_as_kishs_effective_size_says() -> None:
    rng = np.random.default_rng(10)
    inside, outside = rng.normal(1, 1, 40), rng.normal(0, 1, 60)
    alone = difference_of(inside, outside)
    assert difference_of(inside, outside, (np.ones(40), np.ones(60))) == pytest.approx(alone)
    # the same four rows ten times are four rows
    once, ten_times = difference_of(inside[:4], outside), np.tile(inside[:4], 10)
    again = difference_of(ten_times, outside, (np.full(40, 10), np.ones(60)))
    assert again[0] == pytest.approx(once[0])
    assert again[1] == pytest.approx(once[1], rel=0.1)  # the scope, of which five rows are mixed in, holds 100 rows
    assert again[1] > 2.5 * difference_of(ten_times, outside)[1]
    # all of one group: a single row, judged by the spread of the scope
    error = difference_of(np.full(40, 2.0), outside, (np.full(40, 40), np.ones(60)))[1]
    assert error > 0.8 * np.r_[np.full(40, 2.0), outside].std()


def test_a_small_set_of_far_wider_losses_is_judged_by_its_own_spread() -> None:
    """Of equal mean, ten times as wide in 15 rows of 500: past 3.4 as rarely as Student's t with 14 degrees of freedom,
    where the spread of all losses alone would let three times as many past."""
    rng, runs = np.random.default_rng(9), 6000
    past = 0
    for _ in range(runs):
        difference, error = difference_of(rng.normal(1.0, 1.0, 15), rng.normal(1.0, 0.1, 485))
        past += difference / error >= 3.4
    assert past <= 1.3 * runs * stats.t.sf(3.4, 14) + 3
