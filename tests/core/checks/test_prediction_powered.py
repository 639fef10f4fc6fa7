"""The interval of a share shrinks to what is known, and the map of scores never sees its own row."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from core.checks.prediction_powered import _INTERCEPT_SPREAD, _SLOPE_SPREAD, _maps_without_each, finite_share


def test_the_interval_shrinks_to_what_is_known_as_the_population_is_used_up() -> None:
    yes = np.arange(20) < 15
    widths = [e.high - e.low for e in (finite_share(yes, n) for n in (1000, 100, 30, 21, 20))]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == 0
    nearly = finite_share(yes, 21)
    assert nearly.low >= 15 / 21 - 1e-12
    assert nearly.high <= 16 / 21 + 1e-12


def test_the_map_is_a_logistic_regression_without_the_row_it_is_used_on() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=30)
    y = (rng.random(30) < 1 / (1 + np.exp(-2 * x))).astype(np.float64)
    intercepts, slopes = _maps_without_each(x, y, np.array([4, 17]))
    for found, row in zip(zip(intercepts, slopes), (4, 17)):
        keep = np.arange(30) != row
        # the intercept as a column, scaled so that one penalty serves both priors
        columns = np.stack([np.full(30, _INTERCEPT_SPREAD), _SLOPE_SPREAD * x], 1)
        reference = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-10, max_iter=10_000).fit(
            columns[keep], y[keep]
        )
        np.testing.assert_allclose(found, reference.coef_[0] * [_INTERCEPT_SPREAD, _SLOPE_SPREAD], atol=1e-5)
