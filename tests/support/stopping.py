"""A visitor who presses Stop, and what is then still open."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import Cancelled
from core.records import Progress

_OPEN = Path("/proc/self/fd")


@contextmanager
def stop_after(calls: int) -> Generator[Progress]:
    """A `Progress` that raises Cancelled at its call of that number; the block must end by it, and not go on after
    it."""
    made = 0

    def progress(step: str, done: int, total: int) -> None:
        nonlocal made
        made += 1
        if made >= calls:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        yield progress
    assert made == calls


def open_files() -> set[str]:
    """What this process has open; skips where the system does not say."""
    if not _OPEN.is_dir():
        pytest.skip("this system does not list a process's open files")
    found = set[str]()
    for one in _OPEN.iterdir():
        try:
            found.add(f"{one.name}: {os.readlink(one)}")
        except FileNotFoundError:  # the listing's own
            continue
    return {name for name in found if "/proc/" not in name}
