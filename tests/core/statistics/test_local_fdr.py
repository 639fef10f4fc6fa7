"""A set that chance lists often is likely to be nothing."""

from __future__ import annotations

import numpy as np
import pytest

from core.statistics.local_fdr import BETA_SHAPE, NULL_SHARE, local_fdr


def test_it_rises_with_the_chance_and_is_that_of_a_mixture_of_a_uniform_and_a_beta() -> None:
    chances = np.linspace(1e-4, 1, 50)
    found = [local_fdr(c) for c in chances]
    assert found == sorted(found)
    assert 0 < found[0] < found[-1] < 1
    density = NULL_SHARE + (1 - NULL_SHARE) * BETA_SHAPE * chances ** (BETA_SHAPE - 1)
    assert found == pytest.approx(NULL_SHARE / density)


def test_no_chance_gives_a_set_for_sure() -> None:
    """The least chance of a report is one in 5,001."""
    assert local_fdr(1 / 5001) > 0
