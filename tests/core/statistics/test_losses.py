from typing import Any

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from core.data.tables.roles import LOSS_KINDS
from core.statistics import losses

SCORES = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [1 / 3, 1 / 3, 1 / 3]])
LABELS = np.array([0, 1, 2])


def test_cross_entropy_is_minus_the_log_of_the_labels_probability():
    np.testing.assert_allclose(losses.cross_entropy(SCORES, LABELS), [-np.log(0.7), -np.log(0.1), np.log(3)])
    assert losses.cross_entropy(SCORES, LABELS).mean() == pytest.approx(log_loss(LABELS, SCORES, labels=[0, 1, 2]))


def test_a_certain_mistake_costs_the_floor_and_not_infinity():
    np.testing.assert_allclose(losses.cross_entropy(np.array([[0.0, 1.0]]), np.array([0])), [-np.log(1e-12)])


def test_cross_entropy_of_logits_keeps_what_a_rounded_probability_loses():
    logits = np.array([[0.0, 100.0], [2.0, 1.0]])
    expected = [100.0, -np.log(np.exp(2) / (np.exp(2) + np.exp(1)))]
    np.testing.assert_allclose(losses.cross_entropy_of_logits(logits, np.array([0, 0])), expected)


def test_softmax_rows_sum_to_one_even_for_huge_logits():
    np.testing.assert_allclose(losses.softmax(np.array([[1000.0, 0.0], [0.0, 0.0]])), [[1, 0], [0.5, 0.5]])


def test_the_brier_score_matches_the_reference():
    reference: Any = brier_score_loss
    assert losses.brier(SCORES, LABELS).mean() == pytest.approx(
        reference(LABELS, SCORES, scale_by_half=False, labels=[0, 1, 2])
    )


def test_the_margin_is_positive_exactly_where_the_label_is_not_the_most_probable():
    np.testing.assert_allclose(losses.margin(SCORES, LABELS), [-0.5, 0.7, 0.0], atol=1e-12)


def test_squared_and_absolute_errors():
    np.testing.assert_allclose(losses.squared_error(np.array([1.0, 2.0]), np.array([3.0, 2.5])), [4, 0.25])
    np.testing.assert_allclose(losses.absolute_error(np.array([1.0, 2.0]), np.array([3.0, 1.5])), [2, 0.5])


def test_entropy_is_zero_when_certain_and_log_k_when_not():
    np.testing.assert_allclose(
        losses.entropy(np.array([[1.0, 0, 0], [1 / 3, 1 / 3, 1 / 3]])), [0, np.log(3)], atol=1e-12
    )


def test_the_fitting_clip_is_four_nats_or_the_99th_percentile_where_higher():
    assert losses.fitting_clip(np.linspace(0, 2, 101)) == 4.0
    assert losses.fitting_clip(np.linspace(0, 10, 101)) == pytest.approx(9.9)


def test_every_kind_of_loss_has_a_unit_and_what_computes_it_knows_its_name() -> None:
    assert set(losses.LOSS_UNITS) == set(LOSS_KINDS)
    assert {*losses.PROBABILITY_LOSSES, *losses.NUMBER_LOSSES} < set(LOSS_KINDS)
