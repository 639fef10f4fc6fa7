"""The null of the largest statistic: drawn by each way of the permuter, and joined so that the larger p counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.records import F64
from core.statistics.max_t import chunks, conservative_null, max_t, nulls
from core.statistics.permuter import Permuter

VALUES = np.random.default_rng(0).normal(size=24)
CROSSING = Permuter(np.arange(24) % 2, np.arange(24) // 4, VALUES)
"""Groups of four rows, two of each stratum: two ways."""


def read(way: Permuter, count: int, rng: np.random.Generator) -> F64:
    drawn = VALUES[way.draw(count, rng)]
    return np.stack([np.abs(drawn[:3]).max(0), drawn[0]])


def test_both_ways_are_drawn_one_after_another_and_the_larger_p_counts() -> None:
    found, rng = max_t(read, CROSSING, np.random.default_rng(3), [7, 7, 6]), np.random.default_rng(3)
    first, second = (
        np.concatenate([read(way, n, rng) for n in (7, 7, 6)], axis=1) for way in CROSSING.exchange_schemes
    )
    assert found.shape == (2, 20)
    for number in range(2):
        for seen in np.linspace(-2, 2, 41):
            each = max((null[number] >= seen).sum() for null in (first, second))
            assert (found[number] >= seen).sum() == each


def test_a_way_ends_where_enough_is_known_and_the_next_is_drawn_all_the_same() -> None:
    asked = list[tuple[int, int]]()

    def enough(way: int, parts: Sequence[F64]) -> bool:
        asked.append((way, len(parts)))
        return way == 0 and len(parts) == 2

    found = nulls(read, CROSSING, np.random.default_rng(3), [7, 7, 6], enough=enough)
    assert [null.shape for null in found] == [(2, 14), (2, 20)]
    assert asked == [(0, 1), (0, 2), (1, 1), (1, 2), (1, 3)]
    assert conservative_null(found) is found[0]


def test_sizes_that_are_drawn_side_by_side_each_have_a_generator_of_their_own() -> None:
    found = nulls(read, CROSSING.exchange_schemes[1], np.random.default_rng(3), [5, 2], every=map)
    each = map(read, [CROSSING.exchange_schemes[1]] * 2, [5, 2], np.random.default_rng(3).spawn(2))
    np.testing.assert_array_equal(found[0], np.concatenate(list(each), axis=1))


def test_the_larger_null_gives_the_larger_p() -> None:
    a, b = np.array([5.0, 1.0, 3.0]), np.array([0.0, 6.0, 2.0])
    both = conservative_null([a, b])
    for seen in (0.5, 1.5, 2.5, 4.0, 5.5, 7.0):
        assert (both >= seen).sum() == max((a >= seen).sum(), (b >= seen).sum())
    assert conservative_null([a]) is a


@pytest.mark.parametrize(("total", "size", "each"), [(0, 3, []), (6, 3, [3, 3]), (7, 3, [3, 3, 1]), (2, 3, [2])])
def test_chunks_add_up_to_the_total_and_none_is_larger_than_the_size(total: int, size: int, each: list[int]) -> None:
    assert chunks(total, size) == each
