"""The highest values of each of many rows, and what their counterparts in another array add up to."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from core.records import F32, F64, I64

TILE = 32_768
"""Cells that are worked on at once, so that they stay in a core's cache from one step to the next."""
_SPREAD, _BACK = np.uint32(2_654_435_761), np.uint32(244_002_641)
"""Odd, and each the other's inverse modulo 2^32."""
_LOW = slice(0 if sys.byteorder == "little" else 1, None, 2)
_HIGH = slice(1 - _LOW.start, None, 2)


def top_positions(values: F32, most: int) -> I64:
    """(b, most) positions of the highest of each row of (b, n), the highest first.

    Which of equal values come first is spread evenly over the positions, whatever order those are in. One integer holds
    value and position, so that whole integers are sorted: several times faster than sorting positions by value.
    """
    keys = np.empty(values.shape, np.uint64)
    words, bits = keys.view(np.uint32), np.ascontiguousarray(values).view(np.int32)
    # as an unsigned integer a float sorts like a float once its sign bit is turned, and if negative all others too
    np.bitwise_xor(bits, (bits >> 31) | np.int32(-(2**31)), out=words[:, _HIGH].view(np.int32))
    np.multiply(np.arange(values.shape[1], dtype=np.uint32), _SPREAD, out=words[:, _LOW])
    first = values.shape[1] - most
    keys.partition(first, axis=1)
    top = keys[:, first:]
    top.sort(axis=1)
    return (top.astype(np.uint32)[:, ::-1] * _BACK).astype(np.int64)  # the cast keeps the low word


class Cuts:
    """Sums over the first so many of rows that are ordered already, for several such sizes at once.

    Args:
        sizes: ascending.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = np.array(sizes, np.int64)
        self._ends, self._which = np.unique(self.sizes, return_inverse=True)
        self._starts = np.r_[0, self._ends[:-1]] if len(sizes) else self._ends

    def sums(self, values: F32) -> F64:
        """(sizes, b) of (b, m) values, m at least the largest size."""
        parts = np.add.reduceat(values[:, : self._ends[-1]], self._starts, axis=1, dtype=np.float64)
        return np.cumsum(parts, axis=1).T[self._which]


def taken(values: F32, positions: I64) -> F32:
    """(b, m) of (b, n) values those at (b, m) positions."""
    starts = np.arange(len(values))[:, None] * values.shape[1]
    return np.ascontiguousarray(values).reshape(-1).take(positions + starts)
