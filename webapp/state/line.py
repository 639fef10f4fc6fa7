"""The line of heavy jobs of all visitors."""

from __future__ import annotations

import threading
from collections.abc import Set as AbstractSet

from core.errors import InvalidInput
from webapp.state.quotas import quotas


class Line:
    """Jobs in order of arrival: the first `Quotas.at_once` run, the others wait."""

    def __init__(self) -> None:
        self._waiting: dict[str, AbstractSet[str]] = {}
        """Visits by job id, earliest first."""
        self._lock = threading.Lock()

    def enter(self, job: str, visits: AbstractSet[str] = frozenset()) -> None:
        """Add a job, as the single job of each of these visits. Visits that are added to the set later count too.

        Raises:
            InvalidInput: one of the visits already has a job, or the line is full.
        """
        limits = quotas()
        with self._lock:
            if any(visits & others for others in self._waiting.values()):
                raise InvalidInput(
                    "You already have a run in progress or in line. Wait for it or press Cancel, then start again."
                )
            if len(self._waiting) >= limits.at_once + limits.max_waiting:
                raise InvalidInput(
                    f"The server is full: {limits.at_once} running and {limits.max_waiting} waiting. "
                    "Your files and choices are still here. Try again in a few minutes."
                )
            self._waiting[job] = visits

    def position(self, job: str) -> int:
        """Return 0 for a job that may run, 1 for the next one, and so on."""
        with self._lock:
            ahead = 0
            if job in self._waiting:
                ahead = list(self._waiting).index(job)
        return max(0, ahead - quotas().at_once + 1)

    def leave(self, job: str) -> None:
        """Remove a job, if present."""
        with self._lock:
            self._waiting.pop(job, None)

    def holds(self, job: str) -> bool:
        """Whether the job waits or runs."""
        return job in self._waiting
