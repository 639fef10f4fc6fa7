"""Effects of a set of rows against the others of its scope, as tested and corrected for the search.

A set that was searched for because it fails will fail less on new data (the winner's curse), so none of its figures is
a plain mean. The difference is shrunk for having passed the threshold, its interval inverts the test, and the error
rate and the coverage follow from the rate of the others plus that difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.discovery.design import Design
from core.discovery.search.family import centre
from core.records import F64, I64, UNDEFINED, Bool, Estimate, Outcomes
from core.statistics.intervals import searched_difference


@dataclass(frozen=True, slots=True)
class Effects:
    """Effects of one set of rows within its scope; error figures are None without known errors."""

    excess_loss: Estimate
    """Class-centered mean loss inside minus outside. For a loss that is the 0/1 error it equals `error_difference`."""
    error_difference: Estimate | None
    """The same for the error rate. Like `error_rate` it is cut to the range of shares, which an interval that pays for
    the search can exceed."""
    mean_loss: Estimate
    """Mean loss of the rows, corrected for the search."""
    error_rate: Estimate | None
    """Error rate of the rows, corrected for the search."""
    error_outside: float | None
    coverage: Estimate
    """Share of the scope's errors inside, by the corrected rate. Where errors are unknown: share of the loss above the
    mean, as observed and without an interval."""


def effects_of(
    inside: Bool, scope: I64, outcomes: Outcomes, design: Design, threshold: float, statistic: float | None, *, of: I64
) -> Effects:
    """Effects of a set. The interval of a set that passed excludes 0 in the tested measure; in the other it may not.

    Args:
        inside: (n,) the set. scope: rows that it is compared with. of: rows whose failures the coverage is a share of.
        threshold: the statistic at alpha; nan where nothing was tested, which leaves intervals undefined.
        statistic: of a set that passed, by which its differences are shrunk; else None.
    """
    outside = np.zeros(len(inside), bool)
    outside[scope] = True
    outside &= ~inside

    groups = None
    if design.groups is not None:
        groups = (design.groups[inside], design.groups[outside])

    def corrected(values: F64) -> tuple[Estimate, Estimate]:
        """The difference, and the set's mean shifted by the same correction."""
        residual = centre(values, design.centring_stratum)
        difference = searched_difference(residual[inside], residual[outside], threshold, statistic, groups)
        level = float(values[inside].mean() - (residual[inside].mean() - residual[outside].mean()))
        return difference, Estimate(level + difference.value, level + difference.low, level + difference.high)

    excess, mean = corrected(outcomes.fitted)
    if outcomes.errors is None:
        return Effects(excess, None, mean, None, None, _above(inside[of], outcomes.fitted[of]))
    error_difference, rate = corrected(outcomes.errors.astype(np.float64))
    error_difference = clipped(error_difference, -1)
    rate = clipped(rate, 0)
    rate_outside = float(outcomes.errors[outside].mean())
    if np.array_equal(outcomes.fitted, outcomes.errors):
        excess = error_difference
        mean = rate
    coverage = _coverage(inside[of], outcomes.errors[of], rate)
    return Effects(excess, error_difference, mean, rate, rate_outside, coverage)


def clipped(estimate: Estimate, least: float, most: float = 1) -> Estimate:
    """The estimate cut to its range: [-1, 1] for a difference of shares, [0, 1] for a share."""
    return Estimate(*(float(np.clip(v, least, most)) for v in (estimate.value, estimate.low, estimate.high)))


def _coverage(inside: Bool, errors: Bool, rate: Estimate) -> Estimate:
    """Share of the errors inside, were the set wrong at the corrected rate."""
    outside = float(errors[~inside].sum())
    size = float(inside.sum())
    if not errors.any():
        return UNDEFINED
    return Estimate(*(float(size * r / max(size * r + outside, 1e-12)) for r in (rate.value, rate.low, rate.high)))


def _above(inside: Bool, losses: F64) -> Estimate:
    """Share of the loss above the mean that lies inside."""
    above = np.maximum(losses - losses.mean(), 0)
    total = float(above.sum())
    if total <= 0:
        return UNDEFINED
    return Estimate(float(above[inside].sum()) / total, float("nan"), float("nan"))
