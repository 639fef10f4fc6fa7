"""Split rows into blocks that bound memory, or draw some rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt


def row_runs(n: int, width: int, cells: int) -> Iterator[slice]:
    """Yield slices of n rows of `width` columns; each has at most `cells` entries, and at least one row."""
    step = max(1, cells // max(1, width))
    return (slice(start, min(n, start + step)) for start in range(0, n, step))


def some_rows(n: int, most: int, seed: int = 0) -> npt.NDArray[np.int64] | slice:
    """Draw (most,) ascending row numbers; even steps could miss a periodic pattern. With at most `most` rows, return a
    slice of all, which copies nothing."""
    if n <= most:
        return slice(None)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
