"""What a test says to a callback of the page, and what it makes of the answers."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any


def press(**said: Any) -> Any:
    """The event of something that was pressed."""
    return SimpleNamespace(_data=said)


def last(steps: Iterator[tuple[Any, ...]]) -> tuple[Any, ...]:
    """What a callback that yields gives in the end."""
    *_, found = steps
    return found
