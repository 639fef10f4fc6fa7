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


def test_where_all_errors_lie_in_the_set_nothing_stands_out() -> None:
    errors = INSIDE.astype(float)  # of two classes, errors of the one can only go to the other
    only = Outcomes(errors, "0/1", "0/1", "given", errors=INSIDE, predictions=INSIDE.astype(np.int64))
    found = main_confusion(only, INSIDE, ~INSIDE, 2)
    assert found is not None
    assert (found.share, found.luck) == (1, 1)
    assert not found.stands_out


@pytest.mark.parametrize(("n_errors", "usual"), [(8, 0.5), (10, 0.5), (20, 0.45), (40, 0.6)])
def test_random_sets_are_seldom_said_to_be_mistaken_for_a_class(n_errors: int, usual: float) -> None:
    rng, said = np.random.default_rng(0), 0
    for _ in range(200):
        inside = rng.permutation(600) < n_errors
        errors = inside | (rng.random(600) < 0.2)
        to = np.where(rng.random(600) < usual, 1, rng.integers(2, 5, 600))
        found = main_confusion(
            Outcomes(errors.astype(float), "0/1", "0/1", "given", errors=errors, predictions=np.where(errors, to, 0)),
            *(inside, ~inside, 5),
        )
        said += found is not None and found.stands_out
    assert said <= 8  # a fiftieth is to be expected at most


def test_of_few_errors_or_without_predictions_nothing_is_told() -> None:
    few = INSIDE & (np.arange(100) < 7)
    assert main_confusion(outcomes(0.9), few, ~few, 3) is None
    assert main_confusion(Outcomes(np.zeros(100), "loss", "loss", "given"), INSIDE, ~INSIDE, 0) is None
