"""Intervals and their corrections for groups and for the search.

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
"""A bootstrap redraws MAX_REDRAWN_ROWS rows in all, which bounds time, but makes at least MIN_REPEATS repeats: 500 up
to 50,000 rows, then fewer. Conventions."""


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
    """Wilson's limits of a share in [0, 1] for n trials; n may be an effective, fractional size."""
    z2 = quantile**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = quantile / (1 + z2 / n) * float(np.sqrt(share * (1 - share) / n + z2 / (4 * n**2)))
    low = max(0.0, centre - half)
    high = min(1.0, centre + half)
    return min(share, low), max(share, high)  # rounding must not exclude the share


def paired_limits(more: float, less: float, n: float, quantile: float) -> tuple[float, float]:
    """Limits in [-1, 1] of a share `more` of rows minus a share `less` of the same n rows; n may be fractional.

    Source: Bonett & Price 2012, J. Educ. Behav. Stat. 37(4), eq. 3: one row is added to each kind of disagreement, so
    that the interval has a width even where no row disagrees.
    """
    value = more - less
    a = (more * n + 1) / (n + 2)
    b = (less * n + 1) / (n + 2)
    reach = quantile * float(np.sqrt((a + b - (a - b) ** 2) / (n + 2)))
    return max(-1.0, min(value, a - b - reach)), min(1.0, max(value, a - b + reach))


def simultaneous_level(n: int, level: float = 0.95) -> float:
    """The level of each of `n` intervals so that all hold at once with `level` (Bonferroni)."""
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
    """`statistic(rows)` on all rows, with the percentile interval over resampled groups; undefined without rows.

    Args:
        statistic: takes row numbers (with repeats) and returns one number; nan is left out of the interval.
        n: number of rows; with many there are fewer repeats, down to MIN_REPEATS.
        groups: (n,) group of each row, resampled whole; None resamples rows.

    Source: Efron & Tibshirani 1993, ch. 13; resampling whole groups is the usual cluster bootstrap.
    """
    if not n:
        return UNDEFINED
    repeats = min(repeats, max(MIN_REPEATS, MAX_REDRAWN_ROWS // n))
    draws = np.array([statistic(rows) for rows in redrawn(n, groups, rng, repeats)])
    return percentile_interval(statistic(np.arange(n)), draws, level)


def redrawn(n: int, groups: I64 | None, rng: np.random.Generator, repeats: int) -> Iterator[I64]:
    """The row numbers (with repeats) of each draw of `bootstrap`; the same arguments."""
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
    """`value` with the middle `level` of the finite draws; undefined if the value or all draws are not finite."""
    draws = draws[np.isfinite(draws)]
    if not len(draws) or not np.isfinite(value):
        return UNDEFINED
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(value), float(min(low, value)), float(max(high, value)))


def conditional_shrink(z: float, threshold: float) -> float:
    """The z-value corrected for the winner's curse: it is reported only because it passed `threshold` (0 otherwise).

    The mean of the normalized conditional likelihood of a unit normal's mean m >= 0, given that it was observed at `z`
    and that only values above the threshold are reported. The maximum of that likelihood falls to 0 just above the
    threshold, which would show a confirmed effect as zero; its mean does not, and has the smaller error (their
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
        inside, outside: the two samples, as tested: centered on their class.
        multiplier: standard errors that the interval reaches on either side. With the threshold of a max-T test the
            intervals hold for the whole family at once (the test inverted); it also reflects what groups add to the
            variance.
        statistic: statistic of a confirmed finding, whose value is then shrunk for having passed the threshold; the
            difference's own statistic is used where that is larger (a later cluster is tested on what the earlier ones
            leave).
        groups: of `core.statistics.permutation.difference_of`, where rows come in groups.

    Returns:
        The estimate. The interval is that of the plain difference, so it holds the shrunk value too. Its error is the
        one that the test uses, so that it excludes 0 exactly where the test passes.
    """
    difference, error = difference_of(inside, outside, groups)
    if not np.isfinite(multiplier):
        return Estimate(difference, float("nan"), float("nan"))
    reach = multiplier * error
    value = difference
    if statistic is not None and statistic > 0:
        evidence = statistic
        if error > 0:
            evidence = max(statistic, difference / error)
        value = difference * conditional_shrink(evidence, multiplier) / evidence
    low = difference - reach
    high = difference + reach
    if np.isfinite(reach):
        value = min(max(value, low), high)
    return Estimate(value, low, high)


EXTRA_IDENTICAL_GROUPS = 1.0
"""Groups of identical rows added to those that inform about the variance between groups: where few do, that variance is
assumed to be larger. Ours; measured in docs/evidence/predictions.md, "Shares and differences of rows in groups"."""


def effective_sample_size(values: F64 | Bool, groups: I64, row_variance: float) -> tuple[float, float]:
    """Effective sample size of (n,) values in groups for their mean, and the quantile of its 95% interval.

    Args:
        row_variance: variance of one value. 0 where these rows cannot show it; the rows of a group then count as
            identical.

    The variance of the mean is the larger of two: that between groups, and that which the correlation within groups
    implies, since a few large groups may all be right by luck. Where few groups hold a value other than the most
    common, `EXTRA_IDENTICAL_GROUPS` more are counted.

    Source: the effective sample size of Korn & Graubard 1998, Surv. Methodol. 24(2); the variance of the mean by the
    jackknife over groups (CR3 of MacKinnon, Nielsen & Webb 2023, J. Econometrics 232(2)), and by the design effect of
    the correlation within groups, which the analysis of variance estimates (Donner & Klar 2000, ch. 1); the quantile is
    Student's with Kish's effective number of groups, less one, as Carter, Schnepel & Steigerwald 2017, Rev. Econ. Stat.
    99(4), advise of theirs. Taking the larger, and the extra groups, are ours.
    """
    _, number, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    n = len(values)
    sums = np.bincount(number, values.astype(np.float64))
    effect_if_identical = float(sizes[number].mean())
    if row_variance <= 0:
        return n / effect_if_identical, float(stats.norm.ppf(0.975))  # no variance is estimated, so no t
    quantile = float(stats.t.ppf(0.975, max(n / effect_if_identical - 1, 1.0)))
    if len(sizes) == 1:
        return n / effect_if_identical, quantile
    without = (sums.sum() - sums) / (n - sizes)
    variance = (len(sizes) - 1) / len(sizes) * float(((without - sums.sum() / n) ** 2).sum())
    apart = float((values.astype(np.float64) ** 2).sum() - (sums**2 / sizes).sum())  # about the group means
    within = apart / max(n - len(sizes), 1)
    likeness = min(1.0, max(0.0, 1 - within / (row_variance * n / (n - 1))))
    effect = max(1.0, variance / (row_variance / n), 1 + likeness * (effect_if_identical - 1))
    if effect < effect_if_identical:
        n_minority = groups_with_minority_value(values, groups)
        total = n_minority * effect + EXTRA_IDENTICAL_GROUPS * effect_if_identical
        effect = total / (n_minority + EXTRA_IDENTICAL_GROUPS)
    return n / effect, quantile


def likeness_within(values: F64 | Bool, groups: I64 | None) -> float:
    """The correlation of (n,) values within groups, 0 to 1, that their `effective_sample_size` implies.

    1 where it cannot be estimated: no group has two values, or all values are equal.
    """
    if groups is None or not len(values):
        return 1.0
    effect_if_identical = design_effect_if_identical(groups)
    if effect_if_identical <= 1:
        return 1.0
    size, _ = effective_sample_size(values, groups, float(np.var(values)))
    return min(1.0, max(0.0, (len(values) / size - 1) / (effect_if_identical - 1)))


def effective_sample_size_at(groups: I64, likeness: float) -> tuple[float, float]:
    """Effective sample size of (n,) rows in groups before their values are known, where values within a group correlate
    by `likeness`; and the quantile of the mean's 95% interval (see `effective_sample_size`)."""
    effect_if_identical = design_effect_if_identical(groups)
    quantile = 1.96
    if effect_if_identical > 1:
        quantile = float(stats.t.ppf(0.975, max(len(groups) / effect_if_identical - 1, 1.0)))
    return len(groups) / (1 + likeness * (effect_if_identical - 1)), quantile


def design_effect_if_identical(groups: I64) -> float:
    """The design effect if the rows of a group are identical: the mean group size over rows (Kish 1965)."""
    return float(np.mean(size_of_group(groups)))


def groups_with_minority_value(values: F64 | Bool, groups: I64) -> int:
    """Number of groups in which some row has a value other than the most common one."""
    kinds, number = np.unique(values, return_inverse=True)
    return len(np.unique(groups[number != np.bincount(number, minlength=len(kinds)).argmax()]))


def accuracy_of(errors: Bool, groups: I64 | None) -> Estimate:
    """The share of right rows with Wilson's interval; where rows come in groups, with their `effective_sample_size`.

    Measured: docs/evidence/predictions.md, "Shares and differences of rows in groups".
    """
    n = len(errors)
    right = int((~errors).sum())
    if groups is None or len(np.unique(groups)) == n:
        return wilson(right, n)
    share = right / n
    return Estimate(share, *wilson_limits(share, *effective_sample_size(errors, groups, share * (1 - share))))
