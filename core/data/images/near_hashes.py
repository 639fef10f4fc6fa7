"""All pairs of hashes that differ in at most `MAX_BITS` of 256 bits, without comparing each with all.

Two such hashes agree in the last 16 bits, or in at most one bit differ in one of the twelve runs of 20 before them:
otherwise they would differ in at least 12 x 2 + 1 bits. So rows are looked up by what they hold in a run, and by that
with each one bit turned over; what meets there is compared in full. That is multi-index hashing (Norouzi, Punjani and
Fleet 2012) with bounds that differ from run to run. Nothing is missed: the pairs are those of a comparison of each with
all, which is made instead where rows are few or crowd together so much that looking them up would take longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from core.records import I64

U64 = npt.NDArray[np.uint64]
Pairs = tuple[I64, I64]
"""(m,) and (m,) rows; the first of a pair is not always the lower."""

MAX_BITS = 24
WORDS = 4
"""Of 64 bits, in a hash."""
_RUNS = (*((20 * run, 20, 1) for run in range(12)), (240, 16, 0))
"""First bit, number of bits, and in how many of them two hashes may differ."""
assert sum(differing + 1 for _, _, differing in _RUNS) == MAX_BITS + 1  # a pair that no run finds differs in more
FEW = 2048
"""Up to so many rows each is compared with all."""
DENSER = 16
"""So many times as long as a pair takes in order is what one takes that is looked up."""
_CHUNK = 2**21
"""Pairs that are held at a time, or one row's."""


def near_hashes(hashes: U64, parts: Callable[[], I64], *, few: int = FEW) -> Iterator[tuple[float, Pairs]]:
    """The pairs i != j of (n, WORDS) hashes that differ in at most MAX_BITS and are not of one part.

    Args:
        parts: gives (n,) numbers; rows that share one need not be compared any more. Asked again after each yield, so
            that pairs which hang together by what was found are passed over.

    Yields:
        The share of the work that was done, and a bounded number of pairs. A pair may come more than once.
    """
    if len(hashes) <= few:
        yield from _each_with_all(hashes, parts)
        return
    left = len(hashes) ** 2 // (2 * DENSER)
    for run, (first, width, differing) in enumerate(_RUNS):
        key = _bits(hashes, first, width)
        order = np.argsort(key, kind="stable")
        run_of_bits = _RunOfBits(key[order], width)
        in_order = hashes[order]
        for turned in (None, *range(width))[: 1 + width * differing]:
            starts, sizes = run_of_bits.others(turned)
            left -= int(sizes.sum())
            if left < 0:  # crowded
                yield from _each_with_all(hashes, parts)
                return
            for one, other in _met(starts, sizes):
                part = parts()
                apart = part[order[one]] != part[order[other]]
                one, other = _near(in_order, one[apart], other[apart])
                yield run / len(_RUNS), (order[one], order[other])


class _RunOfBits:
    """Rows sorted by what they hold in a run of bits."""

    def __init__(self, key: I64, width: int) -> None:
        self.key = key
        self.sizes = np.bincount(key, minlength=2**width)
        self.starts = np.cumsum(self.sizes) - self.sizes
        self.place = np.arange(len(key))

    def others(self, turned: int | None) -> Pairs:
        """(n,) for each row in this order, where those begin that it meets and how many they are: the later ones with
        the same bits, or those in which bit `turned` is 1 and the row's is 0."""
        if turned is None:
            return self.place + 1, self.starts[self.key] + self.sizes[self.key] - self.place - 1
        key = self.key | (1 << turned)
        return self.starts[key], np.where(key == self.key, 0, self.sizes[key])


def _bits(hashes: U64, first: int, width: int) -> I64:
    """(n,) the number that `width` bits from `first` on make."""
    word, shift = divmod(first, 64)
    found = hashes[:, word] >> np.uint64(shift)
    if shift + width > 64:
        found = found | hashes[:, word + 1] << np.uint64(64 - shift)
    return (found & np.uint64(2**width - 1)).astype(np.int64)


def _met(starts: I64, sizes: I64) -> Iterator[Pairs]:
    """Each row k with starts[k], ..., starts[k] + sizes[k] - 1, about _CHUNK pairs or one row's at a time."""
    rows = np.flatnonzero(sizes)
    ends = np.cumsum(sizes[rows])
    begin = 0
    done = 0
    while begin < len(rows):
        end = max(int(np.searchsorted(ends, done + _CHUNK, "right")), begin + 1)
        part = rows[begin:end]
        size = sizes[rows[begin:end]]
        first = ends[begin:end] - size - done  # of each row's pairs among those of this part
        yield np.repeat(part, size), np.arange(int(size.sum())) + np.repeat(starts[part] - first, size)
        begin = end
        done = int(ends[end - 1])


def _near(hashes: U64, one: I64, other: I64) -> Pairs:
    """Those of the pairs that are within the bound: some words differ in no more bits than all, so most end early."""
    differ = np.zeros(len(one), np.uint8)
    for word in range(WORDS):
        differ = differ + np.bitwise_count(hashes[one, word] ^ hashes[other, word])
        close = differ <= MAX_BITS
        one = one[close]
        other = other[close]
        differ = differ[close]
    return one, other


def _each_with_all(hashes: U64, parts: Callable[[], I64]) -> Iterator[tuple[float, Pairs]]:
    n = len(hashes)
    first_word = np.ascontiguousarray(hashes[:, 0])
    for row in range(n):
        part = parts()
        later = row + 1 + np.flatnonzero(part[row + 1 :] != part[row])
        close = later[np.bitwise_count(first_word[later] ^ first_word[row]) <= MAX_BITS]
        near = _near(hashes, np.full(len(close), row), close)
        if len(near[0]) or row % 1024 == 0:
            yield 1 - (1 - row / n) ** 2, near
