"""Which kinds fail as a whole, with items kept together."""

from __future__ import annotations

import numpy as np
import pytest

from core.composition.failures.kinds import group_p, kinds_with_p
from core.discovery.classes import class_findings
from core.discovery.design import make_design
from core.records import ClassFinding, Outcomes, SampleSet


def findings(errors: np.ndarray, labels: np.ndarray, groups: np.ndarray | None) -> tuple[ClassFinding, ...]:
    samples = SampleSet(tuple(map(str, range(len(labels)))), labels=labels, class_names=("a", "b", "c"), groups=groups)
    outcomes = Outcomes(errors.astype(np.float64), "loss", "", "", errors=errors)
    found = class_findings(samples, outcomes, make_design(samples), alpha=0.01, seed=0)
    return kinds_with_p(found, samples, outcomes, alpha=0.01)


def test_a_kind_that_fails_is_confirmed_and_the_others_are_not() -> None:
    groups, rng = np.repeat(np.arange(120), 2), np.random.default_rng(0)
    labels = groups % 3
    found = findings(rng.random(240) < np.where(labels == 1, 0.6, 0.2), labels, groups)
    assert [f.name for f in found if f.confirmed] == ["b"]
    assert all(f.p is not None for f in found)


def test_the_p_is_uniform_or_larger_where_all_kinds_are_alike_and_items_stick_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.composition.failures.kinds.PERMUTATIONS", 499)
    groups = np.repeat(np.arange(60), 2)
    inside = (groups % 3 == 0)[None]
    errors = [np.repeat(np.random.default_rng([s, 1]).random(60) < 0.3, 2).astype(float) for s in range(200)]
    small = sum(float(group_p(inside, e, groups, seed=s)[0]) <= 0.05 for s, e in enumerate(errors))
    assert small <= 18  # 10 expected; 0.99 quantile of binomial(200, 0.05)


def test_one_of_few_groups_or_without_groups_is_left_as_it_was() -> None:
    labels, errors = np.arange(60) % 3, np.arange(60) % 2 == 0
    assert all(f.p is None for f in findings(errors, labels, np.repeat(np.arange(10), 6)))
    plain = findings(errors, labels, None)
    assert [f.p for f in plain] == [1.0, 1.0, 1.0]  # Fisher's test of `core.discovery.classes` stands


@pytest.mark.parametrize("inside", [np.zeros(40, bool), np.ones(40, bool)])
def test_an_empty_or_a_full_set_cannot_stand_out(inside: np.ndarray) -> None:
    assert group_p(inside[None], np.arange(40.0), np.repeat(np.arange(20), 2)).tolist() == [1.0]
