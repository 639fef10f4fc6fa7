"""Who may work now and who waits: heavy work of all visitors stands in one line."""

from __future__ import annotations

import threading

from core.errors import InvalidInput
from webapp.state.quotas import quotas


class Line:
    """The first `Quotas.at_once` in line work, the others wait, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}
        """The visitor by the job's id, the earliest first."""
        self._lock = threading.Lock()

    def enter(self, job: str, visitor: str = "") -> None:
        """Stand in line, as the visitor's one job where one is given.

        Raises:
            InvalidInput: the visitor has one already, or the line is full.
        """
        limits = quotas()
        with self._lock:
            if visitor and visitor in self._waiting.values():
                raise InvalidInput(
                    "You have a run under way or waiting, and may have one at a time. "
                    "Wait for it or press Cancel there, then start this one again."
                )
            if len(self._waiting) >= limits.at_once + limits.max_waiting:
                raise InvalidInput(
                    f"The server is busy: {limits.at_once} at work and {limits.max_waiting} waiting is the most it "
                    "takes. Your files and choices are still here: try again in a few minutes."
                )
            self._waiting[job] = visitor

    def place(self, job: str) -> int:
        """0 for one that may work, 1 for the next one, and so on."""
        with self._lock:
            ahead = list(self._waiting).index(job) if job in self._waiting else 0
        return max(0, ahead - quotas().at_once + 1)

    def leave(self, job: str) -> None:
        """Make room, if it stands there."""
        with self._lock:
            self._waiting.pop(job, None)

    def holds(self, job: str) -> bool:
        """Whether it waits or works."""
        return job in self._waiting
