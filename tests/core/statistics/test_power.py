"""The least difference that would be confirmed: drawn again, it is confirmed about as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from core.records import F64
from core.statistics.permutation import difference_of
from core.statistics.power import least_difference

THRESHOLD, SIZE, OTHERS = 3.5, 60, 400


def test_shares_so_much_higher_are_confirmed_eight_times_in_ten() -> None:
    rng = np.random.default_rng(0)
    rest = (np.arange(OTHERS) % 10 == 0).astype(np.float64)

    def shares(rate: float, n: int) -> F64:
        return (rng.random(n) < rate).astype(np.float64)

    gap = least_difference(rest, SIZE, THRESHOLD, shares=True)
    assert gap is not None
    drawn = [difference_of(shares(0.1 + gap, SIZE), shares(0.1, OTHERS)) for _ in range(1000)]
    assert np.mean([excess / error >= THRESHOLD for excess, error in drawn]) == pytest.approx(0.8, abs=0.08)


def test_means_so_much_higher_are_confirmed_eight_times_in_ten() -> None:
    rng = np.random.default_rng(0)
    gap = least_difference(-np.log1p(-(np.arange(OTHERS) + 0.5) / OTHERS), SIZE, THRESHOLD)
    assert gap is not None
    drawn = [difference_of(rng.gamma(1.0, 1.0, SIZE) + gap, rng.gamma(1.0, 1.0, OTHERS)) for _ in range(1000)]
    assert np.mean([excess / error >= THRESHOLD for excess, error in drawn]) == pytest.approx(0.8, abs=0.08)


def test_more_rows_need_less_and_few_can_never_do() -> None:
    rest = (np.arange(OTHERS) % 10 == 0).astype(np.float64)
    few, many = (least_difference(rest, size, THRESHOLD, shares=True) for size in (20, 200))
    assert few is not None
    assert many is not None
    assert many < few
    assert least_difference(rest, 2, 8.0, shares=True) is None
    assert least_difference(rest, SIZE, float("nan"), shares=True) is None
    assert least_difference(np.ones(OTHERS), SIZE, THRESHOLD, shares=True) is None
