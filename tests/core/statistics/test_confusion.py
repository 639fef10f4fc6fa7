"""Which class the errors of a set go to."""

from __future__ import annotations

import numpy as np
import pytest

from core.records import Outcomes
from core.statistics.confusion import main_confusion

INSIDE = np.arange(100) < 20


def outcomes(share: float) -> Outcomes:
    """All of the set and half of the rest are wrong; of the set's errors that share goes to class 2, of the others
    one in ten."""
    errors = INSIDE | (np.arange(100) % 2 == 0)
    predictions = np.where(errors, 1, 0)
    predictions[: round(20 * share)] = 2
    predictions[20:28:2] = 2
    return Outcomes(errors.astype(float), "0/1", "0/1", "given", errors=errors, predictions=predictions)


@pytest.mark.parametrize(("share", "stands_out"), [(0.9, True), (0.55, True)])
def test_the_class_that_most_errors_go_to(share: float, stands_out: bool) -> None:
    found = main_confusion(outcomes(share), INSIDE, ~INSIDE, 3)
    assert found is not None
    assert (found.label, found.share, found.elsewhere) == (2, pytest.approx(share), pytest.approx(0.1))
    assert found.stands_out == stands_out


def test_a_class_that_the_other_errors_go_to_as_well_does_not_stand_out() -> None:
    found = main_confusion(outcomes(0.1), INSIDE, ~INSIDE, 3)  # nine in ten go to class 1, as elsewhere
    assert found is not None
    assert found.label == 1
    assert not found.stands_out


def test_of_few_errors_or_without_predictions_nothing_is_told() -> None:
    few = INSIDE & (np.arange(100) < 7)
    assert main_confusion(outcomes(0.9), few, ~few, 3) is None
    assert main_confusion(Outcomes(np.zeros(100), "loss", "loss", "given"), INSIDE, ~INSIDE, 0) is None
