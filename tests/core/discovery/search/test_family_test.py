"""The threshold that a statistic of the family must reach, and the permuted scores that it is made of."""

from __future__ import annotations

import numpy as np
import pytest

from core.discovery.design import FailureMeasures
from core.discovery.ridge.features import Features
from core.discovery.ridge.layout import HeadRows
from core.discovery.ridge.leave_out import LeaveOutSmoother
from core.discovery.search.family import Family, centre
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
