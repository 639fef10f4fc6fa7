"""core.statistics.packed: every count against the masks themselves."""

from __future__ import annotations

import numpy as np
import pytest

from core.statistics import packed
from core.statistics.packed import PackedMasks


@pytest.mark.parametrize("n", [1, 63, 64, 65, 1000])
def test_masks_are_counted_paired_and_given_back(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_BATCH_WORDS", 3)
    rng = np.random.default_rng(n)
    masks, within = rng.random((7, n)) < 0.4, rng.random(n) < 0.5
    pairs = [(0, 1), (2, 6)]
    held = PackedMasks.of(masks, n).joined(pairs)
    every = np.concatenate([masks, [masks[i] & masks[j] for i, j in pairs]])
    assert len(held) == 9
    assert held.sizes().tolist() == every.sum(1).tolist()
    assert held.sizes(within).tolist() == every[:, within].sum(1).tolist()
    np.testing.assert_array_equal([held.mask(place) for place in range(9)], every)


def test_two_masks_correlate_as_their_indicators_do() -> None:
    rng = np.random.default_rng(0)
    masks = rng.random((6, 500)) < 0.3
    masks[1], masks[2], masks[3] = masks[0], ~masks[0], True
    held = PackedMasks.of(masks, 500)
    assert held.correlation(0, 1) == 1
    assert held.correlation(0, 2) == -1
    assert held.correlation(0, 3) == 0
    assert held.correlation(4, 5) == pytest.approx(np.corrcoef(masks[4], masks[5])[0, 1])


def test_no_masks_are_counted_too() -> None:
    none = PackedMasks.of([], 10).joined([])
    assert none.sizes().tolist() == none.sizes(np.ones(10, bool)).tolist() == []
