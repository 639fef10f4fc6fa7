from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, roc_auc_score

from core.statistics.ranking import auroc_interval, aurocs_of_ranks, average_precision, chance_precision


def test_the_hand_worked_example_comes_out() -> None:
    # Relevant at places 1 and 3: (1/1 + 2/3) / 2.
    assert average_precision(np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False])) == pytest.approx(
        (1 + 2 / 3) / 2
    )


def test_equal_scores_share_a_threshold_so_the_order_changes_nothing() -> None:
    scores, relevant = np.array([1.0, 1.0, 0.0]), np.array([True, False, False])
    assert average_precision(scores, relevant) == average_precision(scores[::-1], relevant[::-1]) == 0.5


def test_a_constant_scorer_gets_the_relevant_share() -> None:
    assert average_precision(np.zeros(10), np.arange(10) < 3) == pytest.approx(0.3)


def test_nothing_relevant_or_a_score_that_is_no_number_is_undefined() -> None:
    assert np.isnan(average_precision(np.array([1.0, np.nan, 2.0, 3.0]), np.array([True, False, False, True])))
    assert np.isnan(average_precision(np.arange(3.0), np.zeros(3, bool)))
    assert np.isnan(chance_precision(0, 3))


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_it_agrees_with_scikit_learn_with_and_without_ties(levels: int) -> None:
    rng = np.random.default_rng(levels)
    for n in (1, 2, 17, 60):
        scores, relevant = rng.integers(0, levels, n).astype(np.float64), rng.random(n) < 0.4
        relevant[0] = True
        assert average_precision(scores, relevant) == pytest.approx(
            average_precision_score(relevant, scores), abs=1e-12
        )


@pytest.mark.parametrize(("n_relevant", "n"), [(1, 1), (2, 2), (1, 10), (3, 12), (9, 10), (10, 10)])
def test_chance_is_what_random_rankings_give_on_average(n_relevant: int, n: int) -> None:
    rng = np.random.default_rng(0)
    found = [average_precision(rng.permutation(n).astype(np.float64), np.arange(n) < n_relevant) for _ in range(4000)]
    assert chance_precision(n_relevant, n) == pytest.approx(
        np.mean(found), abs=4 * np.std(found) / np.sqrt(4000) + 1e-12
    )


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
