"""Means of values that do not fit in memory, from their sums in random buckets; a group is in one bucket whole.

Source: the delete-a-group jackknife (Kott 2001, J. Official Statistics 17(4)). Ours: Student's quantile has as many
degrees of freedom as buckets with a row of the part, less one, which is conservative.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from core.records import F64, I64, Estimate

MIN_BUCKETS = 5
"""Buckets with a row of the part; with fewer there is no interval. A convention: Student's 95% quantile is 2.78 with 5
buckets and 4.30 with 3."""


def bucket_mean(sizes: I64, sums: F64, level: float = 0.95) -> Estimate:
    """The mean of a part with its interval.

    Args:
        sizes, sums: (b,) rows of the part in each bucket, with at least one row in total, and sums of their values.
    """
    used = sizes > 0
    value = float(sums.sum() / sizes.sum())
    b = int(used.sum())
    if b < MIN_BUCKETS:
        return Estimate(value, float("nan"), float("nan"))
    without = (sums.sum() - sums[used]) / (sizes.sum() - sizes[used])
    half_width = float(stats.t.ppf((1 + level) / 2, b - 1)) * _standard_error(without)
    return Estimate(value, value - half_width, value + half_width)


def bucket_excess_p(part: tuple[I64, F64], rest: tuple[I64, F64]) -> float:
    """One-sided p against the null that the mean of a part is no higher than that of the rest; 1 with too few buckets.

    Args:
        part, rest: (sizes, sums) in the same buckets. Deleting a bucket changes both sides at once, so the error
            includes what rows of one group share across the sides.
    """
    n, s = part
    m, t = rest
    in_part = int((n > 0).sum())
    used = (n > 0) | (m > 0)
    if in_part < MIN_BUCKETS or int((m > 0).sum()) < MIN_BUCKETS:
        return 1.0
    without = (s.sum() - s[used]) / (n.sum() - n[used]) - (t.sum() - t[used]) / (m.sum() - m[used])
    error = _standard_error(without)
    if error <= 0:
        return 1.0
    difference = float(s.sum() / n.sum() - t.sum() / m.sum())
    return float(stats.t.sf(difference / error, in_part - 1))


def _standard_error(without: F64) -> float:
    """The jackknife's standard error, from (b,) estimates that each leave out one bucket."""
    b = len(without)
    return float(np.sqrt((b - 1) / b * ((without - without.mean()) ** 2).sum()))
