"""All pairs of hashes that differ in at most `MAX_BITS` of 256 bits, without comparing each with all.

Two near hashes agree in the last 16 bits, or differ in at most one bit in one of the twelve runs of 20 bits before
them: otherwise they would differ in at least 12 x 2 + 1 bits. So rows are looked up by their bits in a run, and by
those bits with each single bit flipped; rows that meet are compared in full. That is multi-index hashing (Norouzi,
Punjani and Fleet 2012) with bounds that differ from run to run. The pairs are exactly those of comparing each with all.
That comparison runs instead if rows are few, or crowd together so that lookups would take longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from core.records import I64

U64 = npt.NDArray[np.uint64]
Pairs = tuple[I64, I64]
"""(m,) and (m,) rows; the first of a pair may be higher than the second."""

MAX_BITS = 24
WORDS = 4
"""Words of 64 bits in a hash."""
_RUNS = (*((20 * run, 20, 1) for run in range(12)), (240, 16, 0))
"""First bit, number of bits, and in how many of them two hashes may differ."""
assert sum(differing + 1 for _, _, differing in _RUNS) == MAX_BITS + 1  # a pair that no run finds differs in more bits
MAX_ROWS_BY_ALL_PAIRS = 2048
"""Up to this number of rows, each is compared with all."""
LOOKUP_COST = 16
"""Time of a pair that is looked up, in units of a pair in an all-pairs comparison."""
_CHUNK_PAIRS = 2**21
"""Pairs that are held at a time (at least all pairs of one row)."""


def near_hashes(
    hashes: U64, parts: Callable[[], I64], *, few: int = MAX_ROWS_BY_ALL_PAIRS
) -> Iterator[tuple[float, Pairs]]:
    """Find the pairs i != j of (n, WORDS) hashes that differ in at most MAX_BITS and are in different parts.

    Args:
        parts: returns (n,) numbers; rows that share one are not compared any more. Called after each yield, so that
            pairs already connected by earlier pairs are skipped.
        few: rows up to which each is compared with all.

    Yields:
        Share of the work that is done, and a bounded number of pairs. A pair may come more than once.
    """
    if len(hashes) <= few:
        yield from _each_with_all(hashes, parts)
        return
    budget = len(hashes) ** 2 // (2 * LOOKUP_COST)  # pairs that may be looked up
    for run, (first, width, differing) in enumerate(_RUNS):
        # (n,) the number that `width` bits from `first` on encode
        word, shift = divmod(first, 64)
        bits = hashes[:, word] >> np.uint64(shift)
        if shift + width > 64:
            bits = bits | hashes[:, word + 1] << np.uint64(64 - shift)
        key = (bits & np.uint64(2**width - 1)).astype(np.int64)
        order = np.argsort(key, kind="stable")
        run_of_bits = _RunOfBits(key[order], width)
        in_order = hashes[order]
        for flipped in (None, *range(width))[: 1 + width * differing]:
            starts, sizes = run_of_bits.matches(flipped)
            budget -= int(sizes.sum())
            if budget < 0:  # crowded
                yield from _each_with_all(hashes, parts)
                return
            for left, right in _expand_pairs(starts, sizes):
                part = parts()
                apart = part[order[left]] != part[order[right]]
                left, right = _filter_near(in_order, left[apart], right[apart])
                yield run / len(_RUNS), (order[left], order[right])


class _RunOfBits:
    """Rows sorted by the value of a run of bits."""

    def __init__(self, key: I64, width: int) -> None:
        self.key = key
        self.sizes = np.bincount(key, minlength=2**width)
        self.starts = np.cumsum(self.sizes) - self.sizes
        self.index = np.arange(len(key))

    def matches(self, flipped: int | None) -> Pairs:
        """(n,) and (n,) start and number of the rows that each row, in this order, meets: the later ones with the same
        bits, or those in which bit `flipped` is 1 and the row's is 0."""
        if flipped is None:
            return self.index + 1, self.starts[self.key] + self.sizes[self.key] - self.index - 1
        key = self.key | (1 << flipped)
        return self.starts[key], np.where(key == self.key, 0, self.sizes[key])


def _expand_pairs(starts: I64, sizes: I64) -> Iterator[Pairs]:
    """Pair each row k with starts[k], ..., starts[k] + sizes[k] - 1, about _CHUNK_PAIRS or one row at a time."""
    rows = np.flatnonzero(sizes)
    ends = np.cumsum(sizes[rows])
    begin = 0
    done = 0
    while begin < len(rows):
        end = max(int(np.searchsorted(ends, done + _CHUNK_PAIRS, "right")), begin + 1)
        part = rows[begin:end]
        size = sizes[rows[begin:end]]
        first = ends[begin:end] - size - done  # index of each row's first pair in this part
        yield np.repeat(part, size), np.arange(int(size.sum())) + np.repeat(starts[part] - first, size)
        begin = end
        done = int(ends[end - 1])


def _filter_near(hashes: U64, left: I64, right: I64) -> Pairs:
    """Keep the pairs within the bound, word by word: most exceed it before the last word."""
    differ = np.zeros(len(left), np.uint8)
    for word in range(WORDS):
        differ = differ + np.bitwise_count(hashes[left, word] ^ hashes[right, word])
        close = differ <= MAX_BITS
        left = left[close]
        right = right[close]
        differ = differ[close]
    return left, right


def _each_with_all(hashes: U64, parts: Callable[[], I64]) -> Iterator[tuple[float, Pairs]]:
    n = len(hashes)
    first_word = np.ascontiguousarray(hashes[:, 0])
    for row in range(n):
        part = parts()
        later = row + 1 + np.flatnonzero(part[row + 1 :] != part[row])
        close = later[np.bitwise_count(first_word[later] ^ first_word[row]) <= MAX_BITS]
        near = _filter_near(hashes, np.full(len(close), row), close)
        if len(near[0]) or row % 1024 == 0:
            yield 1 - (1 - row / n) ** 2, near
