"""Estimated waiting time of jobs in line."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from statistics import fmean

N_REMEMBERED = 20


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
