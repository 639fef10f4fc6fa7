"""Numbers that stand for missing targets, logarithms beside amounts, and amounts that are read as classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.data.samples import read_data_set
from core.data.tables.roles import Roles
from core.errors import InvalidInput

N = 200


def drawn(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, predictions, and which rows lack a target."""
    rng = np.random.default_rng(seed)
    target = np.exp(rng.normal(5, 1.2, N)) + 12
    return target, target * np.exp(0.2 * rng.normal(size=N)), rng.random(N) < 0.1


def said(target: np.ndarray, prediction: np.ndarray, name: str = "target", roles: Roles = Roles()) -> list[str]:
    frame = pd.DataFrame({name: target, "prediction": prediction})
    notes = read_data_set(frame, roles=roles).notes
    return [note for note in notes if not note.startswith("Recognized columns")]


@pytest.mark.parametrize("value", [-1.0, -999.0])
@pytest.mark.parametrize("seed", range(5))
def test_a_negative_number_for_missing_targets_is_refused(value: float, seed: int) -> None:
    target, prediction, missing = drawn(seed)
    with pytest.raises(InvalidInput, match=f"'target' is .{-value:g} in {missing.sum()} rows.*leave these cells empty"):
        said(np.where(missing, value, target), prediction)
    for known in (np.zeros(N, bool), np.arange(N) == 3):  # one alone may be what it says
        assert said(np.where(known, value, target), prediction) == []


def test_a_0_that_predictions_do_not_foresee_is_noted_and_one_that_they_do_is_not() -> None:
    target, prediction, missing = drawn()
    assert ["stands for a missing value" in note for note in said(np.where(missing, 0, target), prediction)] == [True]
    low = np.where(missing, 0.25, prediction)
    assert said(np.where(missing, 0, target), low) == said(np.where(missing, -1.0, target), low) == []


def test_amounts_in_whole_numbers_are_noted_where_they_are_read_as_classes_unasked() -> None:
    target, prediction = (np.round(values).astype(int) for values in drawn()[:2])
    assert ["name the target with --target" in note for note in said(target, prediction, "y_true")] == [True]
    for told in (Roles(label="y_true"), Roles(target="y_true")):
        assert said(target, prediction, "y_true", told) == []


@pytest.mark.parametrize("seed", range(5))
def test_classes_with_numbers_are_not_taken_for_amounts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 10, N)
    confused = np.where(rng.random(N) < 0.3, label, rng.integers(0, 10, N))
    stars = np.clip(label + rng.choice([-1, 0, 0, 0, 1], N), 0, 9)
    for prediction in (confused, stars):
        assert said(label, prediction, "label") == []
