"""How long work that stands in line is likely to wait."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from statistics import fmean

N_REMEMBERED = 20


class Pace:
    """How long the latest finished jobs of this server worked, whosever they were."""

    def __init__(self) -> None:
        self._took: deque[float] = deque(maxlen=N_REMEMBERED)

    def note(self, seconds: float) -> None:
        """A job has ended well after working that long."""
        self._took.append(seconds)

    def wait_s(self, place: int, working_s: Sequence[float], at_once: int) -> float | None:
        """Seconds until the job at a place in line begins, if each job takes as long as the remembered ones took in the
        mean; None as long as none has finished.

        Args:
            place: from 1, the next one.
            working_s: how long each job that is at work has worked by now.
            at_once: how many may work beside each other.
        """
        if not self._took:
            return None
        each = fmean(self._took)
        # of one that has worked longer than that, only that it is a long one is known
        free = [max(each - now, each / 4) for now in working_s]
        free += [0.0] * (at_once - len(free))
        heapq.heapify(free)
        for _ in range(place - 1):
            heapq.heapreplace(free, free[0] + each)
        return free[0]
