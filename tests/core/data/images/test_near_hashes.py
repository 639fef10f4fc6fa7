"""The hashes that lie near each other are those that a comparison of each with all finds, however they are spread."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.data.images import near_hashes
from core.records import I64, Bool

N = 1200


def turned(bits: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Up to `most` bits of each row turned over, some rows exactly at the bound and one bit beyond it."""
    for row in bits:
        row[rng.choice(256, rng.integers(0, most), replace=False)] ^= 1
    return bits


def spread(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 2, (N, 256), np.uint8)


def clustered(rng: np.random.Generator) -> np.ndarray:
    """Copies of 300 random ones, so that distances lie on both sides of the bound."""
    return turned(spread(rng)[rng.integers(0, 300, N)], 16, rng)


def at_the_bound(rng: np.random.Generator) -> np.ndarray:
    """Pairs exactly 24 and 25 bits apart, their bits anywhere, in one run, or evenly over the runs."""
    bits = spread(rng)
    for k in range(0, N, 2):
        n, start = 24 + k // 2 % 2, int(rng.integers(0, 256 - 25))
        where = (
            rng.choice(256, n, replace=False),
            np.arange(start, start + n),
            np.arange(n) * 10 + int(rng.integers(10)),
        )
        bits[k + 1] = bits[k]
        bits[k + 1, where[k // 4 % 3]] ^= 1
    return bits


def crowded(rng: np.random.Generator) -> np.ndarray:
    """All in one place: what is looked up would be as much as there is."""
    return turned(np.zeros((N, 256), np.uint8), 30, rng)


def in_one_bucket(rng: np.random.Generator) -> np.ndarray:
    bits = spread(rng)
    bits[:, :230] = 0
    return bits


def found(bits: np.ndarray, few: int, parts: I64 | None = None) -> Bool:
    """(N, N) whether a pair was given, either way round."""
    hashes = np.packbits(bits, axis=1).view(np.uint64)
    given = np.zeros((N, N), np.bool_)
    own = np.arange(N) if parts is None else parts
    for share, (one, other) in near_hashes.near_hashes(hashes, lambda: own, few=few):
        assert 0 <= share <= 1
        given[one, other] = given[other, one] = True
    return given


def within(bits: np.ndarray) -> Bool:
    signs = 2 * bits.astype(np.float32) - 1
    near = signs @ signs.T >= 256 - 2 * 24  # a bit that differs takes two from the product
    np.fill_diagonal(near, False)
    return near


@pytest.mark.parametrize("made", [spread, clustered, at_the_bound, crowded, in_one_bucket])
@pytest.mark.parametrize("few", [0, N], ids=["looked up", "each with all"])
def test_the_pairs_are_those_of_a_comparison_of_each_with_all(
    made: Callable[[np.random.Generator], np.ndarray], few: int
) -> None:
    bits = made(np.random.default_rng(0))
    np.testing.assert_array_equal(found(bits, few), within(bits))


@pytest.mark.parametrize(("made", "expected"), [(clustered, 0), (at_the_bound, 0), (crowded, 1), (in_one_bucket, 1)])
def test_each_is_compared_with_all_only_where_they_crowd(
    made: Callable[[np.random.Generator], np.ndarray], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    plain = near_hashes._each_with_all
    monkeypatch.setattr(near_hashes, "_each_with_all", lambda *given: calls.append(1) or plain(*given))
    found(made(np.random.default_rng(1)), few=0)
    assert len(calls) == expected


@pytest.mark.parametrize("few", [0, N])
def test_rows_of_one_part_are_passed_over_and_no_others(few: int) -> None:
    bits = clustered(np.random.default_rng(2))
    parts = np.arange(N) % 3
    np.testing.assert_array_equal(found(bits, few, parts), within(bits) & (parts[:, None] != parts))


def test_no_more_pairs_are_held_than_a_chunk_or_one_row_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_hashes, "_CHUNK_PAIRS", 50)
    starts, sizes = np.array([0, 3, 0, 7, 1]), np.array([30, 0, 15, 120, 49])
    parts = list(near_hashes._expand_pairs(starts, sizes))
    assert [len(one) for one, _ in parts] == [45, 120, 49]
    got = [pair for one, other in parts for pair in zip(one.tolist(), other.tolist())]
    assert got == [(k, starts[k] + i) for k in range(5) for i in range(sizes[k])]
