"""Read and prepare images for an encoder in threads, in order and a bounded number ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from core.data.modality import Unreadable
from core.errors import DiagnosisError
from core.records import ItemStore

T = TypeVar("T")


def read_bytes(images: ItemStore, row: int) -> bytes:
    """Read the encoded bytes of a row.

    Raises:
        Unreadable: the store cannot open it.
    """
    try:
        return images.read(row)
    except (OSError, KeyError, ValueError, DiagnosisError) as error:
        raise Unreadable(f"cannot be opened ({error}).") from error


def none_readable(unreadable: dict[int, str], what: str = "images") -> str:
    """Write the message for a set of items without a readable one."""
    if not unreadable:
        return f"The input contains no {what}. Add at least one."
    first = next(iter(unreadable.values()))
    return f"Cannot read any of the {len(unreadable):,} {what}. The first: {first}"


def prefetch(prepare: Callable[[int], T], rows: range, workers: int, window: int) -> Iterator[T]:
    """Yield `prepare` of each row in order, computed ahead by threads, at most `window` at a time."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    ahead: deque[Future[T]] = deque()
    try:
        for row in rows:
            ahead.append(pool.submit(prepare, row))
            if len(ahead) == window:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
