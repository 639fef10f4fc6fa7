"""The coarse-to-fine search."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from core.systems.probes.few_shot.grid_search import Axis, coarse_to_fine, geometric, temperature_of


def test_the_best_setting_between_grid_points_is_found() -> None:
    labels = np.zeros(40, np.int64)
    needed = np.linspace(0.01, 1.0, 40)

    def logits_of(values: Mapping[str, float]) -> np.ndarray:  # most are right at a = 7, b = 3
        off = abs(np.log(values["a"] / 7)) + abs(np.log(values["b"] / 3))
        return np.stack([needed - off, np.zeros(40)], 1)

    axes = [Axis("a", 1.0, geometric(0.1, 100, 7)), Axis("b", 1.0, geometric(0.1, 100, 7))]
    found, coarse = coarse_to_fine(axes, logits_of, labels, rounds=4), coarse_to_fine(axes, logits_of, labels, rounds=0)
    assert found.values["a"] == pytest.approx(7, rel=0.1)
    assert found.values["b"] == pytest.approx(3, rel=0.1)
    assert found.n_right > coarse.n_right
    assert found.tried > coarse.tried == 49


def test_the_default_stays_unless_another_is_strictly_better() -> None:
    found = coarse_to_fine([Axis("a", 0.5, (0.0, 1.0, 2.0))], lambda _: np.array([[1.0, 0.0]]), np.array([0]))
    assert found.values == {"a": 0.5}


def test_equal_accuracy_is_decided_by_the_lower_cross_entropy() -> None:
    found = coarse_to_fine(
        [Axis("a", 1.0, (1.0, 2.0, 4.0))], lambda v: np.array([[v["a"], 0.0]]), np.array([0]), rounds=0
    )
    assert found.values == {"a": 4.0}


def test_accuracy_comes_before_cross_entropy() -> None:
    right, sure = np.array([[0.1, 0.0], [0.1, 0.0]]), np.array([[9.0, 0.0], [0.0, 0.1]])
    found = coarse_to_fine(
        [Axis("a", 0.0, (0.0, 1.0))], lambda v: right if v["a"] == 1 else sure, np.zeros(2, np.int64), rounds=0
    )
    assert found.values == {"a": 1.0}


def test_a_given_value_is_not_searched() -> None:
    seen: set[float] = set()

    def logits_of(values: Mapping[str, float]) -> np.ndarray:
        seen.add(values["b"])
        return np.array([[values["a"], 0.0]])

    coarse_to_fine([Axis("a", 1.0, (1.0, 2.0)), Axis("b", 3.0, (3.0,))], logits_of, np.array([0]))
    assert seen == {3.0}


def test_zero_may_lead_a_grid_of_equal_ratios() -> None:
    assert geometric(1, 100, 3, zero=True) == pytest.approx((0, 1, 10, 100))


def test_the_temperature_is_that_of_least_cross_entropy_and_changes_no_prediction() -> None:
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((4000, 5))
    labels = (truth + rng.gumbel(size=truth.shape)).argmax(1)  # so the right temperature of `truth` is 1
    assert temperature_of(truth, labels) == pytest.approx(1, rel=0.1)
    assert temperature_of(4 * truth, labels) == pytest.approx(4, rel=0.1)
