"""Comparisons of two models on the same rows: McNemar's test, the paired difference with its interval, agreement.
Groups are kept whole."""

from __future__ import annotations

import numpy as np
from scipy import stats

from core.errors import InvalidInput
from core.records import I64, Bool, Estimate
from core.statistics.intervals import effective_sample_size, paired_limits

N_FLIPS = 9999
"""Random sign flips for a p where rows come in groups: the smallest p is 1e-4. A convention."""


def mcnemar(only_a: int, only_b: int) -> float:
    """Two-sided mid-p that rows on which only one of two models is wrong are equally likely to be either model's.

    Args:
        only_a, only_b: rows that only model A, or only model B, gets wrong.

    Source: McNemar 1947, Psychometrika 12; the mid-p form of the exact test (Fagerland, Lydersen & Laake 2013, BMC Med.
    Res. Methodol. 13:91), which keeps its level in practice and agrees with the interval of `paired_difference` more
    often than the conservative exact p.
    """
    n = only_a + only_b
    fewer = min(only_a, only_b)
    if n == 0:
        return 1.0
    return float(2 * stats.binom.cdf(fewer, n, 0.5) - stats.binom.pmf(fewer, n, 0.5))


def paired_difference(wrong_a: Bool, wrong_b: Bool, groups: I64 | None = None, *, level: float = 0.95) -> Estimate:
    """Error rate of A minus that of B on the same n rows, with an interval of that level.

    The interval is that of `core.statistics.intervals.paired_limits`. Where rows come in groups, n is their
    `effective_sample_size` (ours). Measured: docs/evidence/predictions.md, "Shares and differences of rows in groups".
    """
    n = _checked(wrong_a, wrong_b)
    difference = wrong_a.astype(np.float64) - wrong_b
    value = float(difference.mean())
    a = float((difference > 0).mean())
    b = float((difference < 0).mean())
    worth = float(n)
    quantile = float(stats.norm.ppf((1 + level) / 2))
    if groups is not None and _grouped(groups):
        worth, wider = effective_sample_size(difference, groups, a + b - (a - b) ** 2)
        quantile *= wider / float(stats.norm.ppf(0.975))
    low, high = paired_limits(a, b, worth, quantile)
    return Estimate(value, min(value, low), max(value, high))


def paired_p(wrong_a: Bool, wrong_b: Bool, groups: I64 | None = None, *, seed: int = 0) -> float:
    """Two-sided p that A and B are wrong equally often: McNemar's, or with groups by flipping the sign of each group's
    sum of differences."""
    _checked(wrong_a, wrong_b)
    difference = wrong_a.astype(np.float64) - wrong_b
    if not _grouped(groups):
        return mcnemar(int((difference > 0).sum()), int((difference < 0).sum()))
    return sign_flip_p(difference, groups, seed=seed)


def sign_flip_p(
    difference: np.ndarray[tuple[int], np.dtype[np.float64]], groups: I64 | None = None, *, seed: int = 0
) -> float:
    """Two-sided p that (n,) paired differences are symmetric about 0; the rows of a group flip together. 1 where one is
    nan.

    Source: Fisher 1935, The Design of Experiments, section 21; p = (b + 1) / (B + 1) over B = 9,999 random flips.
    """
    sums = difference
    if groups is not None:
        sums = np.bincount(np.unique(groups, return_inverse=True)[1], difference)
    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    rng = np.random.default_rng(seed)
    reached = 0
    least = abs(float(sums.sum())) - 1e-9 * float(np.abs(sums).sum())  # sums differ with the order of their parts
    for start in range(0, N_FLIPS, 500):
        signs = rng.integers(0, 2, (min(500, N_FLIPS - start), len(sums)), np.int8) * 2 - 1
        reached += int((~(np.abs(signs @ sums) < least)).sum())
    return (reached + 1) / (N_FLIPS + 1)


def kappa(wrong_a: Bool, wrong_b: Bool) -> float:
    """Cohen's kappa of two models' errors: 1 where they fail on the same rows, 0 at chance level; nan where one never
    or always fails.

    Source: Cohen 1960, Educ. Psychol. Meas. 20; on errors Geirhos et al. 2020 (arXiv 2006.16736) call it error
    consistency.
    """
    a = float(wrong_a.mean())
    b = float(wrong_b.mean())
    chance = a * b + (1 - a) * (1 - b)
    if chance >= 1 - 1e-12:
        return float("nan")
    return (float((wrong_a == wrong_b).mean()) - chance) / (1 - chance)


def _checked(wrong_a: Bool, wrong_b: Bool) -> int:
    if len(wrong_a) != len(wrong_b) or not len(wrong_a):
        raise InvalidInput(
            f"Both models need errors on the same rows, at least one: got {len(wrong_a)} and {len(wrong_b)}. "
            "Use one table row per sample."
        )
    return len(wrong_a)


def _grouped(groups: I64 | None) -> bool:
    return groups is not None and len(np.unique(groups)) < len(groups)
