"""Work on all cores that can be stopped between batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Result = TypeVar("Result")

BATCH_JOBS = 4
"""Jobs between two checks whether to stop."""


def on_all_cores(work: Callable[..., Result], *pieces: Sequence[Any]) -> Iterator[list[Result]]:
    """Results of `work` on each of the pieces, in order, in batches of BATCH_JOBS; a batch starts when it is requested.

    BLAS gets one thread per worker, so that workers do not compete for the cores.
    """
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for at in range(0, len(pieces[0]), BATCH_JOBS):
            yield list(pool.map(work, *(piece[at : at + BATCH_JOBS] for piece in pieces)))
