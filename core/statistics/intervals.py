"""Intervals, permutations and corrections: every p and every interval that Errata shows is made here.

The rules behind them: whole groups are permuted, within class where classes are known; p = (b + 1) / (B + 1); a
headline number is an `Estimate`; an effect that was searched for is corrected for the search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from scipy import stats

from core.errors import InvalidInput
from core.records import F64, I64, UNDEFINED, Bool, Estimate
from core.statistics.groups import size_of_group
from core.statistics.permutation import difference_of

MAX_REDRAWN_ROWS = 25_000_000
MIN_REPEATS = 100
"""So many rows are redrawn in all where that leaves so many repeats."""


def wilson(successes: int, n: int, level: float = 0.95) -> Estimate:
    """The share `successes / n` with its Wilson score interval.

    Raises:
        InvalidInput: n is below 1, or successes is not in 0..n.

    Source: Wilson 1927, JASA 22(158).
    """
    if n < 1 or not 0 <= successes <= n:
        raise InvalidInput(f"A share needs 0 <= successes <= n and n >= 1: got {successes} of {n}.")
    share = successes / n
    return Estimate(share, *wilson_limits(share, n, float(stats.norm.ppf((1 + level) / 2))))


def wilson_limits(share: float, n: float, quantile: float = 1.96) -> tuple[float, float]:
    """Wilson's limits of a share in [0, 1] for a number n of trials that need not be whole."""
    z2 = quantile**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = quantile / (1 + z2 / n) * float(np.sqrt(share * (1 - share) / n + z2 / (4 * n**2)))
    return min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half))


def paired_limits(more: float, less: float, n: float, quantile: float) -> tuple[float, float]:
    """Limits in [-1, 1] of a share `more` of rows minus a share `less` of the same n rows, which need not be whole.

    Source: Bonett & Price 2012, J. Educ. Behav. Stat. 37(4), eq. 3: one row is added to each kind of disagreement, so
    the limits stand apart even where no row disagrees.
    """
    value = more - less
    a = (more * n + 1) / (n + 2)
    b = (less * n + 1) / (n + 2)
    reach = quantile * float(np.sqrt((a + b - (a - b) ** 2) / (n + 2)))
    return max(-1.0, min(value, a - b - reach)), min(1.0, max(value, a - b + reach))


def simultaneous_level(n: int, level: float = 0.95) -> float:
    """The level of each of `n` intervals with which all of them hold at once with `level` (Bonferroni)."""
    return 1 - (1 - level) / max(n, 1)


def bootstrap(
    statistic: Callable[[I64], float],
    n: int,
    groups: I64 | None,
    rng: np.random.Generator,
    *,
    repeats: int = 500,
    level: float = 0.95,
) -> Estimate:
    """`statistic(rows)` on all rows, with the percentile interval over resampled groups; undefined of no rows.

    Args:
        statistic: takes row numbers (with repeats) and gives one number; nan is left out of the interval.
        n: how many rows there are; of many there are fewer repeats, down to MIN_REPEATS.
        groups: (n,) group of each row, resampled whole; None resamples rows.

    Source: Efron & Tibshirani 1993, ch. 13; resampling whole groups is the usual cluster bootstrap.
    """
    if not n:
        return UNDEFINED
    repeats = min(repeats, max(MIN_REPEATS, MAX_REDRAWN_ROWS // n))
    draws = np.array([statistic(rows) for rows in redrawn(n, groups, rng, repeats)])
    return percentile_interval(statistic(np.arange(n)), draws, level)


def redrawn(n: int, groups: I64 | None, rng: np.random.Generator, repeats: int) -> Iterator[I64]:
    """The row numbers (with repeats) of each draw of `bootstrap`; arguments as there."""
    if groups is None:
        for _ in range(repeats):
            yield rng.integers(0, n, n)
        return
    _, inverse = np.unique(groups, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    starts = np.r_[0, np.cumsum(np.bincount(inverse))]
    n_groups = len(starts) - 1
    for _ in range(repeats):
        picked = rng.integers(0, n_groups, n_groups)
        sizes = starts[picked + 1] - starts[picked]
        ends = np.cumsum(sizes)
        yield order[np.arange(ends[-1]) + np.repeat(starts[picked] - ends + sizes, sizes)]


def percentile_interval(value: float, draws: F64, level: float) -> Estimate:
    """`value` with the middle `level` of the draws that are numbers; undefined where it or all of them are none."""
    draws = draws[np.isfinite(draws)]
    if not len(draws) or not np.isfinite(value):
        return UNDEFINED
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(value), float(min(low, value)), float(max(high, value)))


def conditional_shrink(z: float, threshold: float) -> float:
    """The z-value corrected for having been reported only because it passed `threshold` (0 if it did not).

    The mean of the normalized conditional likelihood of a unit normal's mean m >= 0, given that it was observed at `z`
    and that only values above the threshold are reported. The maximum of that likelihood falls to 0 just above the
    threshold, which would show a confirmed effect as none; its mean does not, and has the smaller error (their
    comparison).

    Source: Ghosh, Zou & Wright 2008, Am. J. Hum. Genet. 82(5), second estimator; one-sided here, since only excess is
    claimed.
    """
    if z <= threshold:
        return 0.0
    means = np.linspace(0.0, z + 6.0, 2001)
    log_likelihood = -0.5 * (z - means) ** 2 - stats.norm.logsf(threshold - means)
    weights = np.exp(log_likelihood - log_likelihood.max())
    return float(min((means * weights).sum() / weights.sum(), z))


def searched_difference(
    inside: F64, outside: F64, multiplier: float, statistic: float | None = None, groups: tuple[I64, I64] | None = None
) -> Estimate:
    """Mean inside minus mean outside, with an interval that pays for the search.

    Args:
        inside, outside: the two samples, as they were tested: without what they owe to their class.
        multiplier: how many standard errors the interval reaches on either side. With the threshold of a max-T test
            these intervals hold for the whole family at once (the test inverted); it also carries what groups add to
            the variance.
        statistic: of a confirmed finding, whose value is then shrunk for having passed the threshold; by the
            difference's own statistic where that is larger (a later cluster is tested on what the earlier ones leave).
        groups: of `core.statistics.permutation.difference_of`, where rows come in groups.

    Returns:
        The estimate; the interval is that of the plain difference, so it holds the shrunk value too. Its error is the
        one that the test uses, so that it stays off 0 exactly where the test passes.
    """
    difference, error = difference_of(inside, outside, groups)
    reach = multiplier * error if np.isfinite(multiplier) else float("nan")
    value = difference
    if statistic is not None and np.isfinite(multiplier) and statistic > 0:
        evidence = max(statistic, difference / error) if error > 0 else statistic
        value = difference * conditional_shrink(evidence, multiplier) / evidence
    low = difference - reach
    high = difference + reach
    return Estimate(min(max(value, low), high) if np.isfinite(reach) else value, low, high)


EXTRA_IDENTICAL_GROUPS = 1.0
"""Groups in which all rows are alike that are counted beside those that tell of the variance between groups: where few
do, it is thought larger."""


def effective_sample_size(values: F64 | Bool, groups: I64, row_variance: float) -> tuple[float, float]:
    """How many independent rows (n,) values in groups are worth for their mean, and the quantile of its 95% interval.

    Args:
        row_variance: of one value; 0 where it cannot be told from these rows, which are then worth what they would be
            if the rows of a group were all alike.

    The variance of the mean is the larger of two: that between groups, and that which the likeness of rows within
    groups implies, since a few large groups may all be right by luck. Where few groups hold a value other than the
    commonest, `EXTRA_IDENTICAL_GROUPS` more are counted.

    Source: the effective sample size of Korn & Graubard 1998, Surv. Methodol. 24(2); the variance of the mean by the
    jackknife over groups (CR3 of MacKinnon, Nielsen & Webb 2023, J. Econometrics 232(2)), and by the design effect of
    the correlation within groups, which the analysis of variance estimates (Donner & Klar 2000, ch. 1); the quantile is
    Student's with Kish's effective number of groups, less one, as Carter, Schnepel & Steigerwald 2017, Rev. Econ. Stat.
    99(4), advise of theirs. Taking the larger, and the groups beside, are ours.
    """
    _, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    n = len(values)
    sums = np.bincount(place, values.astype(np.float64))
    alike = float(sizes[place].mean())  # the design effect where the rows of a group are alike
    if row_variance <= 0:
        return n / alike, float(stats.norm.ppf(0.975))  # no variance is estimated
    quantile = float(stats.t.ppf(0.975, max(n / alike - 1, 1.0)))
    if len(sizes) == 1:
        return n / alike, quantile
    without = (sums.sum() - sums) / (n - sizes)
    variance = (len(sizes) - 1) / len(sizes) * float(((without - sums.sum() / n) ** 2).sum())
    apart = float((values.astype(np.float64) ** 2).sum() - (sums**2 / sizes).sum())  # from the mean of one's group
    within = apart / max(n - len(sizes), 1)
    likeness = min(1.0, max(0.0, 1 - within / (row_variance * n / (n - 1))))
    effect = max(1.0, variance / (row_variance / n), 1 + likeness * (alike - 1))
    if effect < alike:
        telling = groups_with_minority_value(values, groups)
        effect = (telling * effect + EXTRA_IDENTICAL_GROUPS * alike) / (telling + EXTRA_IDENTICAL_GROUPS)
    return n / effect, quantile


def likeness_within(values: F64 | Bool, groups: I64 | None) -> float:
    """The correlation of (n,) values within groups, 0 to 1, that their `effective_sample_size` implies.

    1 where it cannot be estimated: no group has two values, or all values are equal.
    """
    worth = 0.0 if groups is None or not len(values) else design_effect_if_identical(groups)
    if groups is None or worth <= 1:
        return 1.0
    rows, _ = effective_sample_size(values, groups, float(np.var(values)))
    return min(1.0, max(0.0, (len(values) / rows - 1) / (worth - 1)))


def effective_sample_size_at(groups: I64, likeness: float) -> tuple[float, float]:
    """How many independent rows (n,) rows of groups are worth for a mean whose values nobody has seen, where values of
    one group are correlated by `likeness`; and the quantile of its 95% interval (see `effective_sample_size`)."""
    alike = design_effect_if_identical(groups)
    quantile = 1.96 if alike <= 1 else float(stats.t.ppf(0.975, max(len(groups) / alike - 1, 1.0)))
    return len(groups) / (1 + likeness * (alike - 1)), quantile


def design_effect_if_identical(groups: I64) -> float:
    """The mean size of the group of a row: the design effect where the rows of a group are alike (Kish 1965)."""
    return float(np.mean(size_of_group(groups)))


def groups_with_minority_value(values: F64 | Bool, groups: I64) -> int:
    """Groups in which some row has another value than most rows."""
    kinds, place = np.unique(values, return_inverse=True)
    return len(np.unique(groups[place != np.bincount(place, minlength=len(kinds)).argmax()]))


def accuracy_of(errors: Bool, groups: I64 | None) -> Estimate:
    """The share of right rows with Wilson's interval; where rows come in groups, of as many rows as they are worth
    (`effective_sample_size`). Measured: docs/evidence/predictions.md, "Shares and differences of rows in groups"."""
    n = len(errors)
    right = int((~errors).sum())
    if groups is None or len(np.unique(groups)) == n:
        return wilson(right, n)
    share = right / n
    return Estimate(share, *wilson_limits(share, *effective_sample_size(errors, groups, share * (1 - share))))
