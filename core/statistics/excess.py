"""The permuted statistic of all sets and columns in one compiled pass; `core.statistics.permutation` defines it, and
computes the same on arrays of any shape.

`error_model="numpy"` leaves divisions unchecked; with checks the loops would not be vectorized over columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.records import F32, F64
from core.statistics.compiled import compiled
from core.statistics.permutation import PRIOR_ROWS


def studentised_excesses(
    size: F64,
    scope_size: F64,
    inside: F32,
    inside_squares: F32,
    total: F32,
    total_squares: F32,
    inside_groups: Sequence[F32] | None = None,
    total_groups: Sequence[F32] | None = None,
) -> F32:
    """(r, p) `core.statistics.permutation.studentised_excess` of r sets in one scope, equal to the last bit.

    Args:
        size: (r, 1). scope_size: (1, 1). inside, inside_squares: (r, p). total, total_squares: (1, p).
        inside_groups: (r, p), (r, p) and (r, p) or (r, 1). total_groups: (1, p), (1, p) and (1, p) or (1, 1).
    """
    out = np.empty(inside.shape, np.float32)
    common = np.empty(inside.shape[1])
    whole = float(scope_size[0, 0])
    sizes = np.ascontiguousarray(size[:, 0])
    if inside_groups is None or total_groups is None:
        _common(whole, total[0], total_squares[0], common, PRIOR_ROWS)
        _plain(sizes, whole, inside, inside_squares, total[0], total_squares[0], common, PRIOR_ROWS, out)
        return out
    of_all = np.empty((3, inside.shape[1]), np.float32)
    for row, term in zip(of_all, total_groups):
        row[:] = term[0]
    spans = np.array(np.broadcast_to(inside_groups[2], inside.shape), order="C")
    _common_of_groups(whole, total[0], total_squares[0], of_all, common, PRIOR_ROWS)
    _grouped(
        sizes, whole, inside, inside_squares, total[0], total_squares[0],
        inside_groups[0], inside_groups[1], spans, of_all, common, PRIOR_ROWS, out,
    )  # fmt: skip
    return out


@compiled("f8(f8, f4, f4)", inline="always", error_model="numpy")
def _squares(size: Any, total: Any, squares: Any) -> Any:
    """Sum of squares about the mean."""
    return max(squares - total * total / size, 0.0)


@compiled("f8(f8, f8)", inline="always", error_model="numpy")
def _effective_rows(size: Any, span: Any) -> Any:
    """Effective rows of a side (Kish 1965)."""
    return max(size**2 / max(span, 1.0), 1.0)


@compiled("f8(f8, f4, f8, f4, f4, f4, f8)", inline="always", error_model="numpy")
def _effective_squares(size: Any, total: Any, inner: Any, products: Any, crossed: Any, span: Any, count: Any) -> Any:
    mean = total / size
    of_sums = products - mean * crossed + mean**2 * span
    return max(of_sums, inner) * (count / size) ** 2


@compiled("f8(f8, f8, f8, f8)", inline="always", error_model="numpy")
def _squared_error(inner: Any, count: Any, common: Any, prior: Any) -> Any:
    return max(inner / max(count - 1, 1.0), (inner + common) / (count + prior)) / count


@compiled("void(f8, f4[::1], f4[::1], f8[::1], f8)", error_model="numpy")
def _common(whole: Any, total: Any, squares: Any, common: Any, prior: Any) -> None:
    for p in range(len(common)):
        common[p] = prior * max(_squares(whole, total[p], squares[p]) / whole, 1e-12)


@compiled("void(f8, f4[::1], f4[::1], f4[:, ::1], f8[::1], f8)", error_model="numpy")
def _common_of_groups(whole: Any, total: Any, squares: Any, of_all: Any, common: Any, prior: Any) -> None:
    for p in range(len(common)):
        count = _effective_rows(whole, of_all[2, p])
        inner = _squares(whole, total[p], squares[p])
        inner = _effective_squares(whole, total[p], inner, of_all[0, p], of_all[1, p], of_all[2, p], count)
        common[p] = prior * max(inner / count, 1e-12)


@compiled("void(f8[::1], f8, f4[:, ::1], f4[:, ::1], f4[::1], f4[::1], f8[::1], f8, f4[:, ::1])", error_model="numpy")
def _plain(
    sizes: Any, whole: Any, inside: Any, squares: Any, total: Any, all_squares: Any, common: Any, prior: Any, out: Any
) -> None:
    for r in range(len(out)):
        size = sizes[r]
        rest = whole - sizes[r]
        for p in range(out.shape[1]):
            outside = total[p] - inside[r, p]
            inner = _squares(size, inside[r, p], squares[r, p])
            others = _squares(rest, outside, all_squares[p] - squares[r, p])
            error = _squared_error(inner, size, common[p], prior) + _squared_error(others, rest, common[p], prior)
            out[r, p] = (inside[r, p] / size - outside / rest) / np.sqrt(error)


@compiled(
    "void(f8[::1], f8, f4[:, ::1], f4[:, ::1], f4[::1], f4[::1], f4[:, ::1], f4[:, ::1], f4[:, ::1], f4[:, ::1], "
    "f8[::1], f8, f4[:, ::1])",
    error_model="numpy",
)
def _grouped(
    sizes: Any, whole: Any, inside: Any, squares: Any, total: Any, all_squares: Any,
    products: Any, crossed: Any, spans: Any, of_all: Any, common: Any, prior: Any, out: Any,
) -> None:  # fmt: skip
    for r in range(len(out)):
        size = sizes[r]
        rest = whole - sizes[r]
        for p in range(out.shape[1]):
            outside = total[p] - inside[r, p]
            span = spans[r, p]
            other_span = of_all[2, p] - spans[r, p]
            count = _effective_rows(size, span)
            other_count = _effective_rows(rest, other_span)
            inner = _squares(size, inside[r, p], squares[r, p])
            inner = _effective_squares(size, inside[r, p], inner, products[r, p], crossed[r, p], span, count)
            others = _squares(rest, outside, all_squares[p] - squares[r, p])
            others = _effective_squares(
                rest, outside, others, of_all[0, p] - products[r, p], of_all[1, p] - crossed[r, p], other_span,
                other_count,
            )  # fmt: skip
            error = _squared_error(inner, count, common[p], prior) + _squared_error(
                others, other_count, common[p], prior
            )
            out[r, p] = (inside[r, p] / size - outside / rest) / np.sqrt(error)
