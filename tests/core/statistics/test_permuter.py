"""Permutations within strata, with and without groups, in one stratum and across."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.records import F64, I64
from core.statistics.permuter import CrossingGroups, Permuter


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


def test_groups_of_one_class_stay_in_their_class() -> None:
    groups = np.repeat(np.arange(40), 3)
    pure = (groups % 2).astype(np.int64)
    draw = Permuter(pure, groups).draw(20, np.random.default_rng(0))
    assert (pure[draw] == pure[:, None]).all()


def test_groups_across_classes_leave_every_class_the_values_that_it_has() -> None:
    rng = np.random.default_rng(1)
    groups, strata = np.repeat(np.arange(50), rng.integers(2, 6, 50)), np.arange(500) % 3
    strata, values = strata[: len(groups)], rng.random(len(groups))
    draw = Permuter(strata, groups, values).draw(20, rng)
    assert columns_are_permutations(draw)
    assert (strata[draw] == strata[:, None]).all()
    assert len({column.tobytes() for column in draw.T}) == 20


def test_a_group_of_the_same_classes_passes_on_its_own_values() -> None:
    """Two rows of either class in each of 30 groups: each group takes those of one other, class by class."""
    groups, strata = np.repeat(np.arange(30), 4), np.tile([0, 1, 0, 1], 30)
    values = np.random.default_rng(2).permutation(120).astype(np.float64)
    draw = Permuter(strata, groups, values).draw(40, np.random.default_rng(0))
    givers = groups[draw].reshape(30, 4, 40)
    assert (givers == givers[:, :1]).all()
    assert (np.sort(givers[:, 0], axis=0) == np.arange(30)[:, None]).all()
    assert len(np.unique(givers[0, 0])) > 15


def test_a_group_of_other_classes_passes_on_ranks() -> None:
    """Every second group is high in its class, whose values are of other orders. A receiver whose giver has nothing of
    its class takes the giver's ranks; what the rows of a group have in common stays."""
    groups = np.repeat(np.arange(24), 4)
    strata = np.tile([0, 0, 0, 1, 1, 1, 1, 2], 12)
    high = groups % 4 < 2
    values = 1000.0**strata + 10 * high + np.random.default_rng(3).random(96)
    drawn = high[Permuter(strata, groups, values).draw(200, np.random.default_rng(0))]
    together = [drawn[groups == g].all(0) | ~drawn[groups == g].any(0) for g in range(24)]
    assert np.mean(together) > 0.4  # of four rows at random all are alike in an eighth


def test_groups_of_one_class_are_exchanged_with_those_of_their_class_alone_whatever_else_crosses() -> None:
    """Few as they are, and where a finding has split them into strata too."""
    groups, classes = np.repeat(np.arange(25), 4), np.repeat([0, 1, 2], [16, 12, 72])
    classes[28:] = np.tile([1, 2], 36)  # four groups of class 0, three of class 1, the others cross
    split = classes * 2 + (np.arange(100) % 2)
    values = np.random.default_rng(0).random(100)
    for strata in (classes, split):
        drawn = groups[Permuter(strata, groups, values, classes).draw(50, np.random.default_rng(0))]
        assert (drawn[:16] < 4).all()
        assert ((drawn[16:28] >= 4) & (drawn[16:28] < 7)).all()


def test_where_groups_cross_a_second_way_keeps_what_rows_of_one_class_have_in_common() -> None:
    groups, strata = np.repeat(np.arange(30), 4), np.tile([0, 1, 0, 1], 30)
    values = np.random.default_rng(0).random((120, 2))
    whole = Permuter(strata, groups, values)
    assert len(whole.exchange_schemes) == 2
    drawn = groups[whole.exchange_schemes[1].draw(40, np.random.default_rng(0))].reshape(30, 2, 2, 40)
    assert (drawn[:, 0] == drawn[:, 1]).all()  # the two rows of a class come from one group
    assert (drawn[:, 0, 0] != drawn[:, 0, 1]).any()
    assert len(Permuter(np.zeros(120, np.int64), groups, values).exchange_schemes) == 1


@pytest.mark.parametrize(
    ("sizes", "bins"),
    [
        ([1] * 10 + [2] * 10, [10, 10]),
        ([1] * 9 + [2] * 11, [20]),
        ([1] * 11 + [2] * 9, [20]),
        ([1] * 3 + [3] * 4, [3, 4]),
        ([2] * 3 + [4] * 4 + [5], [7, 1]),
    ],
)
def test_groups_of_similar_size_are_exchanged_by_tens_and_none_with_one_of_twice_its_size(
    sizes: list[int], bins: list[int]
) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    assert [len(bin) for bin in Permuter(np.zeros(len(groups), np.int64), groups).bins] == bins


def test_measures_are_ordered_by_the_first_then_by_the_next() -> None:
    values = np.array([[0.0, 9.0], [1.0, 0.0], [0.0, 2.0], [1.0, 5.0]])
    order = np.array([2, 0, 1, 3])  # from the least
    made = Permuter(np.array([0, 1] * 4), np.array([0, 0, 1, 1, 2, 2, 3, 3]), np.repeat(values, 2, 0)).crossing[0]
    np.testing.assert_array_equal(made.rows[made.by_value][:4] // 2, order)


def slow_ranks(strata: I64, values: F64, stratum: int, value: float) -> tuple[float, float]:
    own = values[strata == stratum]
    return float((own < value).mean()), float((own == value).mean())


def test_ranks_within_strata_match_a_slow_loop() -> None:
    rng = np.random.default_rng(4)
    strata, values = rng.integers(0, 3, 60), rng.integers(0, 4, 60).astype(np.float64)
    made = CrossingGroups.of([[np.arange(g, 60, 20) for g in range(20)]], strata, values)
    for row, low, tied in zip(made.rows, made.low, made.tied):
        assert (low, tied) == pytest.approx(slow_ranks(strata, values, int(strata[row]), float(values[row])))
    of_stratum = strata[made.rows[made.by_value]]
    assert (np.diff(of_stratum) >= 0).all()
    assert (np.diff(values[made.rows[made.by_value]])[np.diff(of_stratum) == 0] >= 0).all()


def test_tied_rows_of_crossing_groups_are_drawn_anew_each_time() -> None:
    """One row in ten is wrong in either class: each is wrong as often, whatever its place in the table."""
    groups, strata = np.repeat(np.arange(30), 2), np.tile([0, 1], 30)
    wrong = (np.arange(60) // 2 % 10 == 0) * 1.0
    draw = Permuter(strata, groups, wrong).draw(4000, np.random.default_rng(0))
    assert np.abs(wrong[draw].mean(1) - 0.1).max() < 0.03
    apart = CrossingGroups.of([[np.array([0, 1])], [np.array([2, 3])]], np.array([0, 1, 0, 1]), np.zeros(4))
    assert {tuple(column) for column in apart.draw(100, np.random.default_rng(0)).T} > {(0, 1, 2, 3)}


def test_without_values_groups_across_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="the values are needed"):
        Permuter(np.arange(60) % 2, np.repeat(np.arange(20), 3))


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
