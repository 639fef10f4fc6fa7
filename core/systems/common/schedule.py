"""Schedules of the learning rate, as a share of the full one."""

from __future__ import annotations

import math

WARM_UP = 0.05
"""Share of all steps in which the learning rate rises to its full value. A convention."""
FLOOR = 0.1
"""Share of the full learning rate at the end. A convention."""


def cosine(done: float, total: float, floor: float = 0.0) -> float:
    """Half a cosine from 1 down to `floor`, at `done` of `total`.

    Example:
        >>> [cosine(done, 2) for done in range(3)]
        [1.0, 0.5, 0.0]
    """
    return floor + 0.5 * (1 - floor) * (1 + math.cos(math.pi * done / total))


def rate(step: int, steps: int) -> float:
    """A linear rise over `WARM_UP` of the steps, then half a cosine down to `FLOOR`."""
    rise = max(1, round(WARM_UP * steps))
    if step < rise:
        return (step + 1) / rise
    return cosine(step - rise, max(1, steps - rise), FLOOR)


def warmed(step: int, steps: int, rise: int, floor: float = 0.0) -> float:
    """Half a cosine over all steps, times a linear rise over the first `rise` of them."""
    return min(1.0, (step + 1) / rise) * cosine(step, steps, floor)
