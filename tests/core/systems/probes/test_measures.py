from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from core.statistics.intervals import wilson
from core.systems.probes import make_probe
from core.systems.probes.measures import by_class, calibration_error, confidence_of, confusion, reliability
from core.systems.probes.run import run_probe
from tests.support.heads import made_task


def test_confusion_has_the_true_class_in_rows():
    rng = np.random.default_rng(0)
    labels, said = rng.integers(0, 5, 200), rng.integers(0, 4, 200)
    np.testing.assert_array_equal(confusion(labels, said, 5), confusion_matrix(labels, said, labels=range(5)))
    assert confusion(np.array([0]), np.array([2]), 3)[0, 2] == 1


def test_a_class_has_its_recall_and_precision_and_none_where_there_is_no_row():
    labels, said = np.array([0, 0, 0, 1, 1, 3]), np.array([0, 0, 1, 1, 0, 0])
    found = by_class(labels, said, ("a", "b", "c", "d"))
    assert [(f.name, f.n, f.n_said) for f in found] == [("a", 3, 4), ("b", 2, 2), ("c", 0, 0), ("d", 1, 0)]
    assert found[0].recall.to_dict() == wilson(2, 3).to_dict()
    assert found[0].precision.to_dict() == wilson(2, 4).to_dict()
    assert found[2].recall is None
    assert found[2].precision is None
    assert found[3].recall.to_dict() == wilson(0, 1).to_dict()
    assert found[3].precision is None


def slow_error(confidence, right, bins):
    rows = sorted(range(len(confidence)), key=lambda i: confidence[i])
    n, start, total = len(rows), 0, 0.0
    for b in range(min(bins, n)):
        size = n // min(bins, n) + (b < n % min(bins, n))
        own = rows[start : start + size]
        start += size
        total += abs(sum(bool(right[i]) for i in own) / size - sum(confidence[i] for i in own) / size) * size / n
    return total


@pytest.mark.parametrize("n", [4, 15, 16, 101])
def test_the_calibration_error_matches_the_plain_loop(n):
    rng = np.random.default_rng(n)
    confidence, right = rng.random(n), rng.random(n) < 0.5
    found = calibration_error(confidence, right)
    assert found.value == pytest.approx(slow_error(confidence, right, 15))
    assert found.low <= found.value <= found.high


def test_the_calibration_error_is_small_where_confidence_is_true_and_large_where_it_is_not():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.3, 1, 6000)
    true = rng.random(6000) < confidence
    assert calibration_error(confidence, true).value < 0.03
    assert calibration_error(np.full(6000, 0.95), true).value == pytest.approx(0.3, abs=0.03)


def test_groups_widen_the_interval_of_the_calibration_error():
    rng = np.random.default_rng(1)
    right = np.repeat(rng.random(30) < 0.6, 10)
    confidence = np.repeat(rng.uniform(0.5, 1, 30), 10)
    groups = np.repeat(np.arange(30), 10)
    alone, together = calibration_error(confidence, right), calibration_error(confidence, right, groups)
    assert together.high - together.low > alone.high - alone.low


def test_bins_hold_equal_numbers_lowest_confidence_first():
    confidence = np.linspace(0.9, 0.1, 32)
    bins = reliability(confidence, confidence > 0.5, bins=5)
    assert [b.n for b in bins] == [7, 7, 6, 6, 6]
    assert [b.confidence for b in bins] == sorted(b.confidence for b in bins)
    assert bins[0].accuracy.value == 0
    assert bins[-1].accuracy.value == 1
    assert len(reliability(confidence[:3], np.ones(3, bool))) == 3


def test_the_confidence_of_a_result_is_that_of_its_prediction():
    result = run_probe("zero-shot", make_probe("zero-shot"), made_task(40))
    confidence, right = confidence_of(result)
    np.testing.assert_allclose(confidence, result.outcomes.scores[np.arange(40), result.outcomes.predictions])
    assert right.mean() == pytest.approx(result.accuracy.value)


def test_the_recall_of_a_class_knows_that_rows_of_a_group_are_alike():
    """Twenty groups of ten alike rows: taken for 200 rows, half of the intervals hold."""
    groups, held, rng = np.repeat(np.arange(20), 10), 0, np.random.default_rng(0)
    for _ in range(60):
        said = (rng.random(20) < 0.3).astype(np.int64)[groups]
        recall = by_class(np.zeros(200, np.int64), said, ("a", "b"), groups)[0].recall
        held += recall.low <= 0.7 <= recall.high
    assert held >= 54
