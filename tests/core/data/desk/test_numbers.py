"""Targets and predictions in other units, of other rows, with values for missing ones."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from tests.support.desk import noted, read

RNG = np.random.default_rng(0)
TARGET = RNG.normal(50, 10, 400)
PREDICTION = TARGET + RNG.normal(0, 4, 400)
SOME = RNG.random(400) < 0.05


@pytest.mark.parametrize(
    ("target", "prediction", "fault"),
    [
        (TARGET, PREDICTION / 100, r"a prediction is 0\.01\d* times the target"),
        (TARGET, np.roll(PREDICTION, 3), "shifted by 3 rows"),
        (
            TARGET,
            [f"{x:.2f}".replace(".", ",") if x > 60 else f"{x:.2f}" for x in PREDICTION],
            "'prediction' must hold",
        ),
    ],
)
def test_a_mistake_in_a_regression_is_refused(target: object, prediction: object, fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        read({"target": target, "prediction": prediction}, target="target")


def test_what_may_be_a_mistake_is_noted() -> None:
    assert "are unrelated" in noted({"target": TARGET, "prediction": RNG.permutation(PREDICTION)})
    assert "predicts better" in noted({"target": TARGET, "prediction": PREDICTION + 273})


@pytest.mark.parametrize("spread", [0.0, 4.0, 15.0])
def test_a_regression_good_or_bad_is_taken(spread: float) -> None:
    assert noted({"target": TARGET, "prediction": TARGET + RNG.normal(0, 1, 400) * spread + 0.5}) == ""


def test_a_rating_below_zero_is_no_missing_value() -> None:
    rating = RNG.integers(-1, 2, 400)
    assert noted({"target": rating, "prediction": rating + RNG.normal(0, 0.3, 400)}) == ""


def test_a_limit_that_targets_are_cut_at_is_no_missing_value_where_predictions_lie_there_too() -> None:
    price = np.where(np.arange(400) < 3, 1000, np.exp(TARGET / 20).round())
    assert noted({"target": price, "prediction": price * np.exp(RNG.normal(0, 0.1, 400))}, target="target") == ""


def test_a_number_of_three_hundred_digits_is_said_in_few_and_without_a_warning() -> None:
    prediction = np.where(np.arange(400) % 20 == 0, -1e299, PREDICTION)
    with pytest.raises(InvalidInput, match=r"^'prediction' is −1e\+299 in 20 rows"):
        read({"target": TARGET, "prediction": prediction}, target="target")


def test_a_column_named_split_that_is_empty_is_no_split() -> None:
    assert read({"loss": TARGET, "split": [None] * 400}).read.get("split") is None


def test_numbers_whose_squares_overflow_are_refused_without_a_warning() -> None:
    with pytest.raises(InvalidInput, match="must lie within"):
        read({"target": TARGET, "prediction": np.where(np.arange(400) == 7, 1e160, PREDICTION) * 1e10})
