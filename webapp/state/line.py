"""The line of heavy jobs of all visitors, and estimated waiting times."""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Sequence, Set as AbstractSet
from statistics import fmean

from core.errors import InvalidInput
from webapp.state.quotas import quotas

N_REMEMBERED = 20


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


class Pace:
    """Durations of this server's latest finished jobs, of any visitor."""

    def __init__(self) -> None:
        self._took: deque[float] = deque(maxlen=N_REMEMBERED)

    def note(self, seconds: float) -> None:
        """Record the duration of a finished job."""
        self._took.append(seconds)

    def wait_s(self, position: int, working_s: Sequence[float], at_once: int) -> float | None:
        """Estimate the seconds until the job at a position in line starts, if each job takes the mean of the remembered
        durations; None before any has finished.

        Args:
            position: from 1, the next one.
            working_s: time worked so far by each running job.
            at_once: number of jobs that can run in parallel.
        """
        if not self._took:
            return None
        each = fmean(self._took)
        # a job beyond the mean is assumed to take another quarter of it, a convention
        free = [max(each - now, each / 4) for now in working_s]
        free += [0.0] * (at_once - len(free))
        heapq.heapify(free)
        for _ in range(position - 1):
            heapq.heapreplace(free, free[0] + each)
        return free[0]
