"""The share of a finite population, estimated from a random part: from answers alone, and with a score's help."""

from __future__ import annotations

import numpy as np
from scipy import stats

from core.records import F64, I64, UNDEFINED, Bool, Estimate
from core.statistics.intervals import wilson_limits

LEVEL = 0.95
QUANTILE = float(stats.norm.ppf((1 + LEVEL) / 2))
MIN_CLICKS = 15
"""Answers from the cluster below which the score's help cannot be judged. Coverage with these limits: python -m
research.evidence.clicks_coverage."""
MIN_OF_EACH = 3
"""Yes answers, and no answers, from the cluster below which it cannot be judged either."""
_CAUTION_CLICKS = 2.0
"""The score's help is judged as if this many more clicks had shown none."""
_SLOPE_SPREAD = 2.0
"""Standard deviation of the slope's prior, in log odds per standard deviation of the score."""
_INTERCEPT_SPREAD = 4.0
_NEWTON_STEPS = 12


def finite_share(yes: Bool, n_population: int) -> Estimate:
    """Estimate the share of a finite population from a random part, `yes` (n,); nan without answers.

    Wilson's interval for n (N - 1) / (N - n) clicks (the finite-population correction), never beyond what the answers
    settle (k yes among N means at least k / N).
    """
    n = len(yes)
    k = int(yes.sum())
    if not n:
        return UNDEFINED
    share = k / n
    if n >= n_population:
        return Estimate(share, share, share)
    low, high = wilson_limits(
        share, n * (n_population - 1) / (n_population - n), float(stats.norm.ppf((1 + LEVEL) / 2))
    )
    return Estimate(share, max(low, k / n_population), min(high, 1 - (n - k) / n_population))


def newcombe(first: Estimate, second: Estimate) -> Estimate:
    """The difference of two shares. Source: Newcombe 1998, Stat. Med. 17, method 10."""
    below = np.hypot(first.value - first.low, second.high - second.value)
    above = np.hypot(first.high - first.value, second.value - second.low)
    value = first.value - second.value
    return Estimate(value, float(value - below), float(value + above))


def prediction_powered(
    score: F64, rows: I64, yes: Bool, is_member: Bool, inside: I64
) -> tuple[Estimate | None, float | None]:
    """Estimate the share with the score's help; also the tuned weight of the score.

    Each of the n answered members has an excess: the prediction of a map fitted without it, minus the mean of that map
    over all members.
    """
    y = yes[is_member].astype(np.float64)
    n = len(y)
    population = len(inside)
    k = int(y.sum())
    if n < MIN_CLICKS or min(k, n - k) < MIN_OF_EACH or n >= population:
        return None, None
    spread = float(score[inside].std())
    if spread <= 0:
        spread = 1.0
    scaled = (score - score[inside].mean()) / spread
    intercepts, slopes = _maps_without_each(scaled[rows], yes.astype(np.float64), np.flatnonzero(is_member))
    left_out = _sigmoid(intercepts + slopes * scaled[rows[is_member]])
    excess = left_out - _sigmoid(intercepts[:, None] + slopes[:, None] * scaled[inside]).mean(1)  # (n,)
    variance = float(excess.var())
    covariance = np.mean((y - y.mean()) * (excess - excess.mean()))
    weight = 0.0
    if variance > 1e-12:
        weight = float(np.clip(covariance / variance, 0.0, 1.0))
    value = float(np.clip((y - weight * excess).mean(), k / population, 1 - (n - k) / population))
    residual = float((y - weight * excess).var()) * n / (n - 2)  # two degrees go to the mean and the weight
    plain = float(y.var()) * n / (n - 1)
    gain = (n + _CAUTION_CLICKS) * plain / (n * residual + _CAUTION_CLICKS * plain)
    low, high = wilson_limits(
        value, n * gain * (population - 1) / (population - n), float(stats.t.ppf((1 + LEVEL) / 2, n - 2))
    )
    return Estimate(
        value, min(value, max(low, k / population)), max(value, min(high, 1 - (n - k) / population))
    ), weight


def _maps_without_each(x: F64, y: F64, left_out: I64) -> tuple[F64, F64]:
    """Intercepts and slopes of logistic maps from x to y, one map per row left out: Newton's method with a normal
    prior, all fits at once. Clipped steps keep the early ones from overshooting."""
    weights = np.ones((len(left_out), len(x)))
    weights[np.arange(len(left_out)), left_out] = 0.0
    a, b = np.zeros((2, len(left_out)))
    for _ in range(_NEWTON_STEPS):
        p = _sigmoid(a[:, None] + b[:, None] * x)
        slack = weights * (y - p)
        curve = weights * p * (1 - p)
        gradient_a = slack.sum(1) - a / _INTERCEPT_SPREAD**2
        gradient_b = slack @ x - b / _SLOPE_SPREAD**2
        aa = curve.sum(1) + _INTERCEPT_SPREAD**-2
        ab = curve @ x
        bb = curve @ x**2 + _SLOPE_SPREAD**-2
        determinant = aa * bb - ab**2
        a = a + np.clip((bb * gradient_a - ab * gradient_b) / determinant, -2, 2)
        b = b + np.clip((aa * gradient_b - ab * gradient_a) / determinant, -2, 2)
    return a, b


def _sigmoid(x: F64) -> F64:
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))
