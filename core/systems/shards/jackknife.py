"""Means of values too many to be held, from their sums in buckets: whole groups fall into one bucket each, at random.

Source: the delete-a-group jackknife (Kott 2001, J. Official Statistics 17(4)). Student's quantile has as many degrees
of freedom as buckets with a row of the part, less one, which is ours and on the safe side.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from core.records import F64, I64, Estimate

LEAST = 5
"""Buckets with a row of the part; with fewer there is no interval."""


def bucket_mean(sizes: I64, sums: F64, level: float = 0.95) -> Estimate:
    """The mean of a part with its interval.

    Args:
        sizes, sums: (b,) rows of the part in each bucket, at least one in all, and the sum of their values.
    """
    used = sizes > 0
    value = float(sums.sum() / sizes.sum())
    b = int(used.sum())
    if b < LEAST:
        return Estimate(value, float("nan"), float("nan"))
    without = (sums.sum() - sums[used]) / (sizes.sum() - sizes[used])
    reach = float(stats.t.ppf((1 + level) / 2, b - 1)) * _error(without)
    return Estimate(value, value - reach, value + reach)


def bucket_excess_p(part: tuple[I64, F64], rest: tuple[I64, F64]) -> float:
    """One-sided p that the mean of a part is no higher than that of the rest; 1 where that cannot be told.

    Args:
        part, rest: (sizes, sums) in the same buckets, which carry what the rows of a group share into the difference.
    """
    (n, s), (m, t) = part, rest
    in_part = int((n > 0).sum())
    used = (n > 0) | (m > 0)
    if in_part < LEAST or int((m > 0).sum()) < LEAST:
        return 1.0
    without = (s.sum() - s[used]) / (n.sum() - n[used]) - (t.sum() - t[used]) / (m.sum() - m[used])
    error = _error(without)
    difference = float(s.sum() / n.sum() - t.sum() / m.sum())
    return 1.0 if error <= 0 else float(stats.t.sf(difference / error, in_part - 1))


def _error(without: F64) -> float:
    """The standard error, from what is found without each bucket in turn."""
    b = len(without)
    return float(np.sqrt((b - 1) / b * ((without - without.mean()) ** 2).sum()))
