"""Many masks over the same rows, eight rows to a byte: counted fast, and kept in an eighth of the room."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.records import I64, Bool

U64 = npt.NDArray[np.uint64]
_BATCH_WORDS = 1 << 20
"""Words that are counted at once."""


@dataclass(frozen=True, slots=True, eq=False)
class PackedMasks:
    """bits: (c, ceil(n / 64)) words, of each mask its n rows, then zeros."""

    bits: U64
    n: int

    @classmethod
    def of(cls, masks: Iterable[Bool], n: int) -> PackedMasks:
        """The masks, each (n,), packed one at a time; no two of them need be in memory at once."""
        packed = [_pack(mask) for mask in masks]
        return cls(np.stack(packed) if packed else np.zeros((0, -(-n // 64)), np.uint64), n)

    def __len__(self) -> int:
        return len(self.bits)

    def joined(self, pairs: Iterable[tuple[int, int]]) -> PackedMasks:
        """These masks, then for each pair of them what both have."""
        first, second = np.array(list(pairs), np.int64).reshape(-1, 2).T
        return PackedMasks(np.concatenate([self.bits, self.bits[first] & self.bits[second]]), self.n)

    def mask(self, place: int) -> Bool:
        """(n,) one of the masks."""
        return np.unpackbits(self.bits[place].view(np.uint8), count=self.n).astype(bool)

    def sizes(self, within: Bool | None = None) -> I64:
        """(c,) how many rows each mask has; of those `within`, if they are given."""
        inside = None if within is None else _pack(within)
        step = max(1, _BATCH_WORDS // max(1, self.bits.shape[1]))
        runs = (self.bits[start : start + step] for start in range(0, len(self.bits), step))
        counted = [np.bitwise_count(run if inside is None else run & inside).sum(1, dtype=np.int64) for run in runs]
        return np.concatenate(counted) if counted else np.zeros(0, np.int64)

    def correlation(self, a: int, b: int) -> float:
        """Of two of the masks as indicators; 0 where one of them is constant."""
        both, one, other = (
            int(np.bitwise_count(bits).sum(dtype=np.int64))
            for bits in (self.bits[a] & self.bits[b], self.bits[a], self.bits[b])
        )
        spread = one * (self.n - one) * other * (self.n - other)
        return (self.n * both - one * other) / math.sqrt(spread) if spread else 0.0


def _pack(mask: Bool) -> U64:
    """(ceil(n / 64),) words."""
    packed = np.zeros(-(-len(mask) // 64) * 8, np.uint8)
    packed[: -(-len(mask) // 8)] = np.packbits(mask)
    return packed.view(np.uint64)
