"""What a diagnosis needs, to the row, and which losses are clipped before they are fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.discovery.method import _clipped
from core.discovery.settings import Settings
from core.errors import InvalidInput
from core.records import Outcomes
from research.arrays import diagnose_arrays

QUICK = Settings(map=False, sensitivity=False, n_permutations=100, n_members=2)


def arrays(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 4)).astype(np.float32), rng.gamma(1.0, 1.0, n)


def test_forty_rows_are_diagnosed_and_one_less_is_refused() -> None:
    assert len(diagnose_arrays(*arrays(40), settings=QUICK).samples) == 40
    with pytest.raises(InvalidInput, match=r"At least 40 samples.*There are 39"):
        diagnose_arrays(*arrays(39), settings=QUICK)


def test_equal_losses_and_one_group_are_refused_and_two_are_not() -> None:
    vectors, losses = arrays(40)
    with pytest.raises(InvalidInput, match="All 40 losses are equal"):
        diagnose_arrays(vectors, np.ones(40), settings=QUICK)
    with pytest.raises(InvalidInput, match="have the same group, so none can be held out"):
        diagnose_arrays(vectors, losses, groups=np.zeros(40, np.int64), settings=QUICK)
    assert not diagnose_arrays(vectors, losses, groups=np.arange(40) % 2, settings=QUICK).clusters


def outcomes(losses: Any) -> Outcomes:
    return Outcomes(np.asarray(losses, float), "loss", "loss", "given")


def test_losses_are_clipped_where_the_largest_hundredth_owns_a_quarter_of_the_variance() -> None:
    """Of 200 losses two are the hundredth, of 50 one."""
    seen = set[bool]()
    for top in np.linspace(2, 6, 41):
        losses = np.r_[np.arange(198) % 2.0, top, top]
        squares = np.sort((losses - losses.mean()) ** 2)
        is_clipped = bool(squares[-2:].sum() / squares.sum() >= 0.25)
        found = _clipped(outcomes(losses)).clip
        assert found == (pytest.approx(np.quantile(losses, 0.99)) if is_clipped else None)
        seen.add(is_clipped)
    assert seen == {False, True}
    assert _clipped(outcomes(np.r_[np.zeros(198), 9, 9])).clip is None  # two values alone
    assert _clipped(outcomes(np.r_[np.zeros(199), 5, 9])).clip is None  # nothing would be left
    few = outcomes([*np.arange(49) % 2.0, 40.0])
    assert _clipped(few).clip == pytest.approx(np.quantile(few.loss, 0.99))
