"""The highest values of each of many rows, in order."""

from __future__ import annotations

import sys

import numpy as np

from core.records import F32, I64

SPREAD = np.uint32(2_654_435_761)
BACK = np.uint32(244_002_641)
"""Odd multipliers, inverse to each other modulo 2^32: they spread positions evenly over the integers, and back. SPREAD
is about 2^32 over the golden ratio (Knuth's multiplicative hashing)."""
_LOW = slice(0 if sys.byteorder == "little" else 1, None, 2)
_HIGH = slice(1 - _LOW.start, None, 2)


def top_positions(values: F32, most: int) -> I64:
    """(b, most) positions of the highest values in each row of (b, n), the highest first.

    Ties are broken evenly over the positions, whatever their order, so that a sorted table does not decide which rows
    of equal value come first. One integer holds value and position, so that integers are sorted: several times faster
    than sorting positions by value.
    """
    keys = np.empty(values.shape, np.uint64)
    words = keys.view(np.uint32)
    bits = np.ascontiguousarray(values).view(np.int32)
    # a float's bits sort as an unsigned integer once the sign bit is flipped, and of negative floats all other bits
    np.bitwise_xor(bits, (bits >> 31) | np.int32(-(2**31)), out=words[:, _HIGH].view(np.int32))
    np.multiply(np.arange(values.shape[1], dtype=np.uint32), SPREAD, out=words[:, _LOW])
    first = values.shape[1] - most
    keys.partition(first, axis=1)
    top = keys[:, first:]
    top.sort(axis=1)
    return (top.astype(np.uint32)[:, ::-1] * BACK).astype(np.int64)  # the cast keeps the low word
