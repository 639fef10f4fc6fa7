"""What is known of why a sample fails, and where nothing is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.checks.reasons import (
    Ground,
    failing,
    nearest,
    nearest_of_others,
    reason_of,
    reasons_of,
    stands_out,
    worst_tenth,
)
from core.records import Diagnosis
from tests.support.diagnoses import make_diagnosis


def unpredictable(diagnosis: Diagnosis) -> Diagnosis:
    estimate = diagnosis.estimate
    return replace(
        diagnosis, estimate=replace(estimate, predictability=replace(estimate.predictability, confirmed=False))
    )


def predictable(diagnosis: Diagnosis) -> Diagnosis:
    estimate = diagnosis.estimate
    return replace(
        diagnosis, estimate=replace(estimate, predictability=replace(estimate.predictability, confirmed=True))
    )


def test_confirmed_findings_are_named_and_others_are_not(diagnosis: Diagnosis) -> None:
    reason = reason_of(diagnosis, 0)
    assert reason.grounds[:2] == (Ground("cluster", number=0), Ground("condition", "weather = fog"))
    only = replace(diagnosis, insights=diagnosis.insights[1:])  # the second is not confirmed
    assert all(ground.kind != "condition" for ground in reason_of(only, 0).grounds)


def test_a_finding_of_a_class_says_so_and_a_repeated_one_is_named_once(diagnosis: Diagnosis) -> None:
    first = diagnosis.insights[0]
    several = (first, replace(first, cluster=None), replace(first, scope="bus"))
    found = [g for g in reason_of(replace(diagnosis, insights=several), 0).grounds if g.kind == "condition"]
    assert [ground.label for ground in found] == ["weather = fog", "weather = fog (within bus)"]


def test_nothing_is_said_where_nothing_was_confirmed() -> None:
    nothing = unpredictable(make_diagnosis(n_clusters=0))
    nothing = replace(nothing, insights=(), classes=())
    assert all(reason.grounds == () and not reason.worst for reason in reasons_of(nothing))


def test_the_expected_loss_counts_only_where_it_was_confirmed(diagnosis: Diagnosis) -> None:
    top = int(diagnosis.estimate.predicted.argmax())
    assert reason_of(predictable(diagnosis), top).worst
    assert not reason_of(unpredictable(diagnosis), top).worst
    assert sum(reason.worst for reason in reasons_of(predictable(diagnosis))) == 6  # of 60


def test_one_row_is_read_as_among_all_rows(diagnosis: Diagnosis) -> None:
    found = reasons_of(diagnosis)
    assert [reason.row for reason in found] == list(range(60))
    assert found == [reason_of(diagnosis, row) for row in range(60)]


def test_a_class_that_fails_is_named_for_its_rows_alone(diagnosis: Diagnosis) -> None:
    first = replace(diagnosis.classes[0], kind="class", name="car", confirmed=True)
    found = reasons_of(replace(diagnosis, classes=(first,)))
    assert diagnosis.samples.labels is not None
    assert {r.row for r in found if Ground("class", "car") in r.grounds} == set(
        np.flatnonzero(diagnosis.samples.labels == 1).tolist()
    )
    unconfirmed = replace(diagnosis, classes=(replace(first, confirmed=False),))
    assert not any(g.kind == "class" for r in reasons_of(unconfirmed) for g in r.grounds)


def test_the_nearest_are_those_of_a_plain_loop_without_the_own_group() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(300, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    groups = (np.arange(300) // 3).astype(np.int64)
    for own in (None, groups):
        for row, found in zip(range(300), nearest(vectors, own, range(300))):
            others = [j for j in range(300) if (j != row if own is None else own[j] != own[row])]
            slow = sorted(others, key=lambda j: -float(vectors[j] @ vectors[row]))[:5]
            assert found.tolist() == slow
    assert (
        nearest_of_others(vectors[:2], vectors[2:])[0].tolist()
        == sorted(range(298), key=lambda j: -float(vectors[2 + j] @ vectors[0]))[:5]
    )


def test_few_others_give_few_nearest() -> None:
    vectors = np.eye(4, dtype=np.float32)
    assert len(next(nearest(vectors, None, [0]))) == 3
    assert len(next(nearest(vectors, np.array([0, 0, 0, 1]), [0]))) == 1


@pytest.mark.parametrize(
    ("n_failing", "n", "rate", "said"),
    [
        (3, 5, 0.1, True),
        (2, 5, 0.1, False),
        (3, 5, 0.3, True),
        (3, 5, 0.31, False),
        (5, 5, 0.5, True),
        (0, 0, 0, False),
    ],
)
def test_neighbours_are_named_where_they_fail_twice_as_often(n_failing: int, n: int, rate: float, said: bool) -> None:
    assert stands_out(n_failing, n, rate) is said


def test_without_errors_the_worst_tenth_of_the_losses_fails() -> None:
    diagnosis = make_diagnosis(with_errors=False)
    fails = failing(diagnosis)
    assert fails.sum() == 6
    assert diagnosis.outcomes.loss[fails].min() >= worst_tenth(diagnosis.outcomes.loss)
