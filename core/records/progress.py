"""How long work says where it is, and is told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as progress(step, done, total). It may raise `core.errors.Cancelled` to stop the run at the next safe
point."""

SECONDS_BETWEEN_REPORTS = 0.5


def no_progress(step: str, done: int, total: int) -> None:
    """The silent default of every `progress` argument."""


class Reporter:
    """Calls `progress` at the first report, then at most twice a second, and at the end: cheap enough for any loop."""

    def __init__(self, progress: Progress, step: str, total: int) -> None:
        self._progress, self._step, self._total, self._last = progress, step, total, float("-inf")

    def __call__(self, done: int, last: bool = False) -> None:
        now = time.monotonic()
        if last or now - self._last >= SECONDS_BETWEEN_REPORTS:
            self._last = now
            self._progress(self._step, done, self._total)
