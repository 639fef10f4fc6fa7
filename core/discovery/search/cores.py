"""Work on all cores that can be stopped between batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Result = TypeVar("Result")

BATCH = 4
"""Pieces of work between two looks at whether to go on."""


def on_all_cores(work: Callable[..., Result], *pieces: Sequence[Any]) -> Iterator[list[Result]]:
    """The results of `work` on each of the pieces, in order, BATCH at a time; a batch is begun when it is asked for."""
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for at in range(0, len(pieces[0]), BATCH):
            yield list(pool.map(work, *(piece[at : at + BATCH] for piece in pieces)))
