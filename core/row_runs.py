"""Many rows a block at a time, which bounds memory."""

from __future__ import annotations

from collections.abc import Iterator


def row_runs(n: int, width: int, cells: int) -> Iterator[slice]:
    """Runs of n rows of so many columns that each holds at most `cells` entries, and at least one row."""
    step = max(1, cells // max(1, width))
    return (slice(start, min(n, start + step)) for start in range(0, n, step))
