"""Nested sets of the highest values: the smallest set that holds each value, and sums over the sets; compiled.

A set holds the rows that `core.statistics.tops.top_positions` puts first. Values are not sorted as a whole: they fall
into bins, and only the bins that an edge of a set runs through are sorted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.records import F32, F64
from core.statistics.compiled import compiled
from core.statistics.tops import BACK, SPREAD

U8 = npt.NDArray[np.uint8]
MIN_BINS = 64
MAX_BINS = 4096
"""Bounds on the number of bins, about one for two values within them: few enough for the processor's cache."""
EDGE = np.uint8(255)
"""Marks a bin that an edge runs through; there are fewer than 255 sets."""
N_BANKS = 4
"""Partial sums kept side by side, so that an addition need not wait for the previous one."""


def levels_of(values: F32, sizes: Sequence[int]) -> U8:
    """(b, n) number of sets that a row is not in: 0 for the rows of the smallest set.

    Args:
        values: (b, n). sizes: ascending, fewer than 255.
    """
    rows = np.ascontiguousarray(values)
    out = np.empty(rows.shape, np.uint8)
    bins = int(np.clip(2 ** round(np.log2(rows.shape[1] / 2)), MIN_BINS, MAX_BINS))
    _levels(rows, rows.view(np.uint32), rows.min(1), rows.max(1), np.array(sizes, np.int64), bins, out)
    return out


def level_sums(levels: U8, values: F32, n_sizes: int) -> F64:
    """(2, sizes, b) sums of the values, and of their squares, of each set.

    Args:
        levels: (b, n) of `levels_of`. values: (b, n), or (1, n) for all rows.
    """
    sums = np.empty((2, n_sizes, len(levels)))
    _sums(levels, np.ascontiguousarray(values), sums)
    return sums


def product_sums(first: F32, second: F32, first_mean: F32, second_mean: F32) -> F64:
    """(3, b) sums over each row of two (b, n) arrays less their (b,) means: of squares of the first, of products, of
    squares of the products."""
    sums = np.empty((3, len(first)))
    _products(np.ascontiguousarray(first), np.ascontiguousarray(second), first_mean, second_mean, sums)
    return sums


@compiled("void(u8[::1])")
def _sort_down(keys: Any) -> None:
    """The largest first; by Shell's sort, since there are few."""
    gap = 1
    while gap < len(keys) // 9:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, len(keys)):
            key = keys[i]
            j = i
            while j >= gap and keys[j - gap] < key:
                keys[j] = keys[j - gap]
                j -= gap
            keys[j] = key
        gap //= 3


@compiled("void(f4[::1], f4, f4, u2[::1], i4[::1])")
def _into_bins(row: Any, low: Any, high: Any, codes: Any, counts: Any) -> None:
    """The bin of each value, equally wide ones from the lowest value to the highest, and how many are in each."""
    last = len(counts) - 1
    width = high - low
    scale = np.float32(last) / width if width > 0 else np.float32(0)
    known = width < np.inf and scale < np.inf
    for i in range(len(row)):
        codes[i] = min(max(np.int32((row[i] - low) * scale), 0), last) if known else 0
    counts[:] = 0
    for i in range(len(row)):
        counts[codes[i]] += 1


@compiled("i8(i4[::1], i8[::1], u1[::1], i4[::1], i8[:, ::1])")
def _edges(counts: Any, sizes: Any, level: Any, start: Any, edges: Any) -> Any:
    """The level of each bin, or EDGE; where the keys of EDGE bins begin, and before how many higher values. Returns
    the number of EDGE bins."""
    above = 0
    done = 0
    used = 0
    n_edges = 0
    for b in range(len(counts) - 1, -1, -1):
        while done < len(sizes) and sizes[done] <= above:
            done += 1
        level[b] = done
        if done < len(sizes) and sizes[done] < above + counts[b]:
            level[b] = EDGE
            start[b] = used
            edges[n_edges, 0] = used
            edges[n_edges, 1] = above
            n_edges += 1
            used += counts[b]
        above += counts[b]
    edges[n_edges, 0] = used
    return n_edges


@compiled("void(u1[::1], u8[::1], i8[:, ::1], i8, i8[::1])")
def _in_order(levels: Any, keys: Any, edges: Any, n_edges: Any, sizes: Any) -> None:
    """Set the levels of the rows in bins that an edge goes through."""
    for e in range(n_edges):
        bin_keys = keys[edges[e, 0] : edges[e + 1, 0]]
        _sort_down(bin_keys)
        done = 0
        for rank in range(len(bin_keys)):
            while done < len(sizes) and sizes[done] <= edges[e, 1] + rank:
                done += 1
            levels[np.uint32(np.uint32(bin_keys[rank] & np.uint64(0xFFFFFFFF)) * BACK)] = done


@compiled("void(f4[:, ::1], u4[:, ::1], f4[::1], f4[::1], i8[::1], i8, u1[:, ::1])")
def _levels(values: Any, words: Any, low: Any, high: Any, sizes: Any, bins: Any, out: Any) -> None:
    n = values.shape[1]
    codes = np.empty(n, np.uint16)
    keys = np.empty(n, np.uint64)
    counts = np.empty(bins, np.int32)
    start = np.empty(bins, np.int32)
    level = np.empty(bins, np.uint8)
    edges = np.empty((len(sizes) + 1, 2), np.int64)
    for row in range(len(values)):
        _into_bins(values[row], low[row], high[row], codes, counts)
        n_edges = _edges(counts, sizes, level, start, edges)
        for i in range(n):
            out[row, i] = level[codes[i]]
            if level[codes[i]] == EDGE:  # the keys of `top_positions`
                word = words[row, i]
                word ^= np.uint32(0xFFFFFFFF) if word >> np.uint32(31) else np.uint32(0x80000000)
                keys[start[codes[i]]] = (np.uint64(word) << np.uint64(32)) | np.uint64(np.uint32(np.uint32(i) * SPREAD))
                start[codes[i]] += 1
        _in_order(out[row], keys, edges, n_edges, sizes)


@compiled("void(u1[:, ::1], f4[:, ::1], f8[:, :, ::1])")
def _sums(levels: Any, values: Any, sums: Any) -> None:
    n_sizes = sums.shape[1]
    banks = np.empty((N_BANKS, n_sizes + 1, 2))
    for row in range(len(levels)):
        banks[:] = 0
        of_row = values[row if len(values) > 1 else 0]
        for i in range(len(of_row)):
            bank = banks[i % N_BANKS, levels[row, i]]
            bank[0] += of_row[i]
            bank[1] += of_row[i] * of_row[i]
        first = 0.0
        second = 0.0
        for size in range(n_sizes):
            for bank in range(N_BANKS):
                first += banks[bank, size, 0]
                second += banks[bank, size, 1]
            sums[0, size, row] = first
            sums[1, size, row] = second


@compiled("void(f4[:, ::1], f4[:, ::1], f4[::1], f4[::1], f8[:, ::1])", fastmath={"reassoc", "contract"})
def _products(first: Any, second: Any, first_mean: Any, second_mean: Any, sums: Any) -> None:
    """`reassoc` lets several be added at once; a row's sums do not depend on the other rows."""
    for row in range(len(first)):
        squares = 0.0
        products = 0.0
        of_products = 0.0
        for i in range(first.shape[1]):
            apart = first[row, i] - first_mean[row]
            product = apart * (second[row, i] - second_mean[row])
            squares += apart * apart
            products += product
            of_products += product * product
        sums[0, row] = squares
        sums[1, row] = products
        sums[2, row] = of_products
