"""The threshold that a statistic of the family must reach, and the permuted scores that it is made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.discovery.design import FailureMeasures
from core.discovery.ridge.features import Features
from core.discovery.ridge.layout import HeadRows
from core.discovery.ridge.leave_out import LeaveOutSmoother
from core.discovery.search.family import DEPTHS, Family, centre
from core.discovery.search.family_test import FamilyTest, read_family
from core.records import F32
from core.statistics.permuter import Permuter
from tests.core.discovery.search.test_family import small


def made(alpha: float, null: F32) -> FamilyTest:
    return FamilyTest(np.zeros((3, 1)), ("mean loss",), alpha, np.zeros((3, 1), np.float32), null)


def test_a_test_of_nothing_has_no_threshold_and_no_p() -> None:
    nothing = made(0.05, np.zeros(0, np.float32))
    assert np.isnan(nothing.threshold)
    assert (nothing.is_permuted, nothing.trend_p(), nothing.chance(3.0)) == (False, None, None)
    empty = replace(nothing, trend=3.0, trend_null=nothing.null, listed_null=nothing.null)
    assert (empty.trend_p(), empty.chance(3.0), empty.is_predictable(1.0)) == (None, None, False)


def test_each_null_is_asked_by_its_own_statistic() -> None:
    """Of nine permutations one reaches 8, three reach 6, and five reach 4."""
    ascending = np.arange(9, dtype=np.float32)
    test = replace(made(0.2, ascending), trend=5.5, trend_null=ascending, listed_null=ascending - 2)
    assert (test.p(8.0), test.trend_p(), test.chance(4.0)) == (0.2, 0.4, 0.4)
    assert (test.is_predictable(0.4), test.is_predictable(0.39)) == (True, False)
    assert (test.p(test.threshold), test.p(test.threshold - 1e-3)) == (0.2, 0.3)


def test_depths_are_a_quarter_apart_up_to_a_third_of_a_scope() -> None:
    steps = np.divide(DEPTHS[1:], DEPTHS[:-1])
    assert 1.15 < steps.min() < steps.max() < 1.3
    assert (DEPTHS[0], DEPTHS[-1]) == (0.01, 0.35)


@pytest.mark.parametrize("grouped", [False, True])
def test_permuted_scores_lie_at_the_places_of_their_rows(grouped: bool) -> None:
    """Of groups of one and two rows, which repeat and drop values, the mean is taken out of what is drawn."""
    data = small(100)
    groups = data.blocks + 2 * np.repeat(np.arange(40), np.tile([1, 2], 20))[np.arange(100) // 2]
    permuter = Permuter(data.blocks, groups if grouped else None)
    features = Features(np.random.default_rng(0).normal(size=(100, 5)).astype(np.float32), data.blocks)
    rows = HeadRows.of(features.rows, data.blocks)
    assert (rows.order != np.arange(100)).any()
    heads = LeaveOutSmoother(rows, penalty=30.0, share=2.0, dense=False)
    family = Family(100, data.family.scopes, [(heads, range(1, 3))], data.family.regions, rows=rows)
    both = np.stack([data.scores, centre((data.scores > 1).astype(float), data.blocks)], 1)
    reading = read_family(
        family,
        FailureMeasures(("mean loss", "error rate"), both, np.ones(2)),
        permuter,
        np.random.default_rng(3),
        n_permutations=60,
    )
    draws = permuter.draw(60, np.random.default_rng(3).spawn(1)[0])
    drawn = [both[draws[:, b]] - grouped * both[draws[:, b]].mean(0) for b in range(60)]
    slow = [family.read(values.astype(np.float32)) for values in drawn]
    np.testing.assert_allclose(reading.null, [statistics.max() for statistics, _ in slow], atol=2e-4)
    alone = [family.statistics(both[:, [number]].astype(np.float32)) for number in range(2)]  # they pay for each other
    np.testing.assert_allclose(reading.observed, np.hstack(alone), atol=1e-4)
    assert reading.trend_null is not None
    np.testing.assert_allclose(reading.trend_null, [trend.max() for _, trend in slow], atol=2e-4)
