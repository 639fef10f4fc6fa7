from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from core.statistics.ranking import auroc, auroc_interval, aurocs_of_ranks


def test_an_area_without_rows_of_both_kinds_is_undefined() -> None:
    for area, n_positive, n_negative in ((0.0, 0, 5), (0.0, 5, 0), (0.5, 0, 0), (np.nan, 5, 5)):
        found = auroc_interval(area, n_positive, n_negative)
        assert np.isnan([found.value, found.low, found.high]).all()


def test_the_interval_of_an_area_is_hanley_and_mcneils() -> None:
    """At one half its variance is Mann and Whitney's, (n + m + 1) / (12 n m)."""
    half = auroc_interval(0.5, 3, 4)
    assert (half.low, half.high) == pytest.approx((0.5 - 1.96 / np.sqrt(18), 0.5 + 1.96 / np.sqrt(18)))
    first, second = 0.8 / 1.2, 1.28 / 1.8
    variance = (0.16 + 29 * (first - 0.64) + 19 * (second - 0.64)) / 600
    assert auroc_interval(0.8, 30, 20).low == pytest.approx(0.8 - 1.96 * np.sqrt(variance))
    assert auroc_interval(0.95, 3, 4).high == 1.0


def test_areas_of_ranks_with_ties_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    scores, positive = rng.integers(0, 6, (40, 3)).astype(float), rng.random(40) < 0.3
    found = aurocs_of_ranks(rankdata(scores, axis=0), positive)
    np.testing.assert_allclose(found, [roc_auc_score(positive, column) for column in scores.T])
    np.testing.assert_allclose(found, [auroc(column, positive) for column in scores.T])
    assert np.isnan([auroc(scores[:, 0], np.full(40, kind)) for kind in (True, False)]).all()
