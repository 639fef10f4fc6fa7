"""How the step size rises and falls over a training."""

from __future__ import annotations

from core.systems.common.epochs import cosine

WARM_UP = 0.05
"""Share of all steps in which the step size rises to its full value."""
FLOOR = 0.1
"""Share of the full step size at the end."""


def rate(step: int, steps: int) -> float:
    """Share of the full step size: a linear rise, then half a cosine down to `FLOOR`."""
    rise = max(1, round(WARM_UP * steps))
    if step < rise:
        return (step + 1) / rise
    return cosine(step - rise, max(1, steps - rise), FLOOR)
