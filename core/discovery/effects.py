"""How much worse a set of rows does than the rest of its scope, as it was tested and corrected for the search.

A set that was looked for because it fails fails less when it is looked at again, so no figure of it is a plain mean:
the difference is shrunk for having passed the threshold, its interval is the test inverted, and the error rate and the
coverage are that of the rest plus that difference.
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
    """Of one set of rows within its scope; error figures are None where errors are unknown."""

    excess_loss: Estimate
    """Mean loss inside minus outside, what rows owe to their class taken out. Of a loss that is the 0/1 error it is
    `error_difference`."""
    error_difference: Estimate | None
    """The same of the error rate; like `error_rate` it ends where shares do, while an interval that pays for the search
    reaches further."""
    mean_loss: Estimate
    """Of the rows, less what the search added to it."""
    error_rate: Estimate | None
    """The same."""
    error_outside: float | None
    coverage: Estimate
    """Share of the scope's failures inside, by that rate; where errors are unknown, of its loss above the mean, as
    observed and without an interval."""


def effects_of(
    inside: Bool, scope: I64, outcomes: Outcomes, design: Design, threshold: float, statistic: float | None, *, of: I64
) -> Effects:
    """What a set shows. In the measure that was tested the interval of a set that passed is off 0; in the other it need
    not be.

    Args:
        inside: (n,) the set. scope: rows that it is compared with. of: rows whose failures the coverage is a share of.
        threshold: the statistic that alpha asks for; nan where nothing was tested, and then there is no interval.
        statistic: of a set that passed, by which its differences are shrunk; else None.
    """
    outside = np.zeros(len(inside), bool)
    outside[scope] = True
    outside &= ~inside

    def read(values: F64) -> tuple[Estimate, Estimate]:
        """The difference, and the set's own mean moved by as much as the difference was corrected."""
        own = centre(values, design.centring_stratum)
        groups = None if design.groups is None else (design.groups[inside], design.groups[outside])
        found = searched_difference(own[inside], own[outside], threshold, statistic, groups)
        level = float(values[inside].mean() - (own[inside].mean() - own[outside].mean()))
        return found, Estimate(*(level + end for end in (found.value, found.low, found.high)))

    excess, mean = read(outcomes.fitted)
    if outcomes.errors is None:
        return Effects(excess, None, mean, None, None, _above(inside[of], outcomes.fitted[of]))
    worse, rate = read(outcomes.errors.astype(np.float64))
    worse = clipped(worse, -1)
    rate = clipped(rate, 0)
    rest = float(outcomes.errors[outside].mean())
    if np.array_equal(outcomes.fitted, outcomes.errors):
        excess = worse
        mean = rate
    return Effects(excess, worse, mean, rate, rest, _coverage(inside[of], outcomes.errors[of], rate))


def clipped(estimate: Estimate, least: float, most: float = 1) -> Estimate:
    """A difference of shares, which cannot leave [-1, 1], or a share, of which `least` is 0, or what else has ends."""
    return Estimate(*(float(np.clip(v, least, most)) for v in (estimate.value, estimate.low, estimate.high)))


def _coverage(inside: Bool, errors: Bool, rate: Estimate) -> Estimate:
    rest = float(errors[~inside].sum())
    size = float(inside.sum())
    if not errors.any():
        return UNDEFINED
    return Estimate(*(float(size * r / max(size * r + rest, 1e-12)) for r in (rate.value, rate.low, rate.high)))


def _above(inside: Bool, losses: F64) -> Estimate:
    above = np.maximum(losses - losses.mean(), 0)
    total = float(above.sum())
    return Estimate(float(above[inside].sum()) / total, float("nan"), float("nan")) if total > 0 else UNDEFINED
