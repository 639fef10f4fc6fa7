"""By how much more often a model errs inside a cluster than outside: an interval that knows how little few rows say."""

from __future__ import annotations

import numpy as np
import pytest

from core.checks.paired_errors import gap_of


@pytest.mark.parametrize("groups", [None, np.arange(120) // 4])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_where_no_row_disagrees_the_interval_has_a_width(value: float, groups: np.ndarray | None) -> None:
    member = np.arange(120) < 20
    found = gap_of(np.full(120, value), member, np.zeros(120, np.int64), groups, 0.95)
    assert found.value == 0
    assert -1 <= found.low < -0.01 < 0.01 < found.high <= 1


def test_groups_and_a_higher_level_widen_it_and_it_stays_within_what_can_be() -> None:
    member, block = np.arange(120) < 20, np.arange(120) % 2
    wrong = np.where(member, 1.0, 0.0)
    alone, together = (gap_of(wrong, member, block, of, 0.95) for of in (None, np.arange(120) // 4))
    surer = gap_of(wrong, member, block, None, 0.99)
    assert alone.value == together.value == 1
    assert together.low < alone.low < 1 == alone.high
    assert surer.low < alone.low
    apart = gap_of(np.where(member, 1.0, -1.0), member, block, None, 0.95)
    assert (apart.value, apart.high) == (2, 2)


def test_where_many_rows_disagree_it_is_the_bootstrap_s() -> None:
    rng = np.random.default_rng(0)
    member, block = np.arange(600) < 100, rng.integers(0, 3, 600)
    wrong = (rng.random(600) < np.where(member, 0.5, 0.2)).astype(float)
    found = gap_of(wrong, member, block, None, 0.95)
    error = np.sqrt(0.25 / 100 + 0.16 / 500)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.2)


def test_a_class_without_members_changes_nothing() -> None:
    member, rng = np.arange(120) < 20, np.random.default_rng(0)
    for wrong in (rng.random(120) < 0.05, np.where(member, 0.0, rng.integers(-1, 2, 120))):
        groups = np.r_[np.arange(120) // 3, 100 + np.arange(300) // 10]
        alone = gap_of(wrong.astype(float), member, np.zeros(120, np.int64), groups[:120], 0.95)
        more, other = np.r_[wrong, rng.random(300) < 0.5].astype(float), np.arange(420) >= 120
        beside = gap_of(more, np.r_[member, np.zeros(300, bool)], other.astype(np.int64), groups, 0.95)
        assert beside.to_dict() == pytest.approx(alone.to_dict())
