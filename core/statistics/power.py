"""The least difference of two means that a test would confirm often enough: what "not confirmed" means for a set that
was fixed before."""

from __future__ import annotations

import numpy as np
from scipy import special

from core.records import F64
from core.statistics.permutation import excess_and_error

_GRID = 2000


def least_difference(
    rest: F64, size: int, threshold: float, *, shares: bool = False, power: float = 0.8
) -> float | None:
    """By how much the mean of `size` rows must lie above that of the `rest` for the studentised excess to reach the
    threshold with probability `power`.

    Normal approximation; the rows vary as the rest does, or, of `shares`, as a share that is so much higher.

    Args:
        rest: values of the other rows: 0/1 of shares.
        threshold: what the statistic of `core.statistics.permutation.excess_and_error` must reach.

    Returns:
        The difference; None where none on the way (of shares, to 1) would do, or where nothing is tested.
    """
    base, spread, others = float(rest.mean()), float(rest.std()), len(rest)
    most = 1 - base if shares else 10 * max(spread, 1e-12) * (threshold + 1)
    if not np.isfinite(threshold) or size < 1 or most <= 0:
        return None
    gap = np.linspace(0, most, _GRID + 1)[1:]
    inside = base + gap
    variance = inside * (1 - inside) if shares else np.full(_GRID, spread**2)
    sums, squares = size * inside, size * (variance + inside**2)
    total, total_squares = sums + rest.sum(), squares + (rest**2).sum()
    sizes = np.full((1, 1), float(size)), np.full((1, 1), float(size + others))
    arrays = (part[None].astype(np.float64) for part in (sums, squares, total, total_squares))
    difference, error = excess_and_error(*sizes, *arrays)  # type: ignore[arg-type]
    deviation = np.sqrt(variance / size + spread**2 / others)
    reached = special.ndtr((difference[0] - threshold * error[0]) / np.maximum(deviation, 1e-12)) >= power
    return float(gap[int(reached.argmax())]) if reached.any() else None
