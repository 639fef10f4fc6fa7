"""Leaving a row or its group out exactly, against fitting again without it."""

from __future__ import annotations

import numpy as np
import pytest

from core.discovery.ridge.heads import HeadSmoother
from core.discovery.ridge.layout import HeadRows
from core.discovery.ridge.leave_out import LeaveOutSmoother, can_leave_out
from core.records import F32, I64


def drawn(n: int, r: int, k: int) -> tuple[F32, I64, F32]:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((n, r)).astype(np.float32) / np.float32(r**0.5)
    return features, rng.integers(0, k, n), rng.standard_normal((n, 3)).astype(np.float32)


@pytest.mark.parametrize("share", [0, 2.0])
@pytest.mark.parametrize("r", [6, 40])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("dense", [False, True])
def test_each_row_is_predicted_as_if_its_group_had_never_been_there(
    share: float, r: int, grouped: bool, dense: bool
) -> None:
    features, blocks, losses = drawn(70, r, 3)
    groups = np.random.default_rng(1).integers(0, 25, 70) if grouped else None
    folds = np.arange(70) if groups is None else np.unique(groups, return_inverse=True)[1]
    again = HeadSmoother(features, blocks, folds, penalty=3.0, share=share, dense=False)  # one fit for each group
    once = LeaveOutSmoother(HeadRows.of(features, blocks), groups, penalty=3.0, share=share, dense=dense)
    np.testing.assert_allclose(once.predict(losses), again.predict(losses), atol=2e-6)
    np.testing.assert_allclose(
        once.weights(losses[:, 0].astype(np.float64)), again.weights(losses[:, 0].astype(np.float64)), atol=1e-6
    )


@pytest.mark.parametrize("dense", [False, True])
def test_a_loss_does_not_reach_the_prediction_of_its_own_group(dense: bool) -> None:
    features, blocks, losses = drawn(60, 8, 2)
    groups = np.arange(60) // 3
    smoother = LeaveOutSmoother(HeadRows.of(features, blocks), groups, penalty=3.0, share=2.0, dense=dense)
    moved = losses.copy()
    moved[3:6] += 5
    before, after = smoother.predict(losses), smoother.predict(moved)
    np.testing.assert_allclose(after[3:6], before[3:6], atol=2e-5)
    assert np.abs(after[:3] - before[:3]).max() > 1e-3


def test_heads_of_several_classes_are_shared() -> None:
    features, blocks, losses = drawn(80, 8, 4)
    one = LeaveOutSmoother(HeadRows.of(features, blocks, blocks // 2), penalty=3.0, share=2.0)
    other = LeaveOutSmoother(HeadRows.of(features, blocks // 2), penalty=3.0, share=2.0)
    np.testing.assert_allclose(one.predict(losses), other.predict(losses), atol=1e-6)


def test_groups_of_thousands_are_left_to_folds() -> None:
    assert can_leave_out(None)
    assert can_leave_out(np.arange(100_000) // 3)
    assert not can_leave_out(np.arange(100_000) // 5000)


@pytest.mark.parametrize("share", [0, 2.0])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("dense", [False, True])
def test_any_run_of_places_is_read_as_in_the_whole(share: float, grouped: bool, dense: bool) -> None:
    features, blocks, losses = drawn(90, 8, 4)
    groups = np.arange(90) // 3 if grouped else None  # they cross heads
    rows = HeadRows.of(features, blocks, blocks // 2)
    smoother = LeaveOutSmoother(rows, groups, penalty=3.0, share=share, dense=dense)
    placed = np.ascontiguousarray(losses[rows.order].T)
    whole = smoother.predict(losses)[rows.order].T
    for at in (slice(0, 90), slice(10, 60), *rows.slices):
        np.testing.assert_allclose(smoother.reader(placed, rows.moments(placed))(at), whole[:, at], atol=2e-6)


def test_rows_of_a_head_lie_side_by_side_and_in_it_those_of_a_class() -> None:
    features, blocks, _ = drawn(50, 5, 4)
    rows = HeadRows.of(features, blocks, blocks % 2)
    np.testing.assert_array_equal(rows.features, features[rows.order])
    assert (np.diff(rows.heads) >= 0).all()
    for head, at in enumerate(rows.slices):
        assert set(rows.heads[at]) == {head}
        assert (np.diff(rows.blocks[at]) >= 0).all()
    assert sorted(rows.order) == list(range(50))
