"""Many rows a block at a time, which bounds memory, or some of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt


def row_runs(n: int, width: int, cells: int) -> Iterator[slice]:
    """Runs of n rows of so many columns that each holds at most `cells` entries, and at least one row."""
    step = max(1, cells // max(1, width))
    return (slice(start, min(n, start + step)) for start in range(0, n, step))


def some_rows(n: int, most: int, seed: int = 0) -> npt.NDArray[np.int64] | slice:
    """(most,) ascending numbers of rows, drawn: at even steps a pattern in their order would be missed. All of them,
    which copies nothing, where there are no more."""
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False)) if n > most else slice(None)
