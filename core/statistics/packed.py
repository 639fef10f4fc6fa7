"""Many masks over the same rows, eight rows to a byte: counted fast, in an eighth of the memory."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.records import I64, Bool

U64 = npt.NDArray[np.uint64]
_BATCH_WORDS = 1 << 20
"""Words counted at once, which bounds memory."""


@dataclass(frozen=True, slots=True, eq=False)
class PackedMasks:
    """c masks of n rows. bits: (c, ceil(n / 64)) words; each mask is padded with zeros."""

    bits: U64
    n: int

    @classmethod
    def of(cls, masks: Iterable[Bool], n: int) -> PackedMasks:
        """Pack (n,) masks one at a time, so that an iterator need hold only one in memory."""
        packed = [_pack(mask) for mask in masks]
        if not packed:
            return cls(np.zeros((0, -(-n // 64)), np.uint64), n)
        return cls(np.stack(packed), n)

    def __len__(self) -> int:
        return len(self.bits)

    def joined(self, pairs: Iterable[tuple[int, int]]) -> PackedMasks:
        """These masks, followed by the intersection of each pair."""
        first, second = np.array(list(pairs), np.int64).reshape(-1, 2).T
        return PackedMasks(np.concatenate([self.bits, self.bits[first] & self.bits[second]]), self.n)

    def mask(self, index: int) -> Bool:
        """(n,) the mask of that index."""
        return np.unpackbits(self.bits[index].view(np.uint8), count=self.n).astype(bool)

    def sizes(self, within: Bool | None = None) -> I64:
        """(c,) rows of each mask, counted inside `within` if it is set."""
        inside = None if within is None else _pack(within)
        step = max(1, _BATCH_WORDS // max(1, self.bits.shape[1]))
        sizes = np.empty(len(self.bits), np.int64)
        for start in range(0, len(self.bits), step):
            run = self.bits[start : start + step]
            if inside is not None:
                run = run & inside
            sizes[start : start + step] = np.bitwise_count(run).sum(1, dtype=np.int64)
        return sizes

    def correlation(self, a: int, b: int) -> float:
        """Correlation of two masks as indicators; 0 where either is constant."""
        n_a = int(np.bitwise_count(self.bits[a]).sum(dtype=np.int64))
        n_b = int(np.bitwise_count(self.bits[b]).sum(dtype=np.int64))
        n_both = int(np.bitwise_count(self.bits[a] & self.bits[b]).sum(dtype=np.int64))
        spread = n_a * (self.n - n_a) * n_b * (self.n - n_b)
        if not spread:
            return 0.0
        return (self.n * n_both - n_a * n_b) / math.sqrt(spread)


def _pack(mask: Bool) -> U64:
    """(ceil(n / 64),) words."""
    packed = np.zeros(-(-len(mask) // 64) * 8, np.uint8)
    packed[: -(-len(mask) // 8)] = np.packbits(mask)
    return packed.view(np.uint64)
