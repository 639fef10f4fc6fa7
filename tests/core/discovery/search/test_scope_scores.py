"""Sums of scores are exact enough that equal permutations tie."""

from __future__ import annotations

import numpy as np
import pytest

from core.discovery.search.scope_scores import Run, ScopeScores


@pytest.mark.parametrize("n", [100, 3_000, 60_000])
def test_scores_have_the_same_sums_alone_and_among_many(n: int) -> None:
    errors = (np.random.default_rng(n).random(n) < 0.1).astype(np.float64)
    column = ((errors - errors.mean()) / errors.std()).astype(np.float32)
    run = Run.of(np.arange(n))
    alone, among = ScopeScores.of(column[None], run), ScopeScores.of(np.repeat(column[None], 32, axis=0), run)
    np.testing.assert_array_equal(among.total[0], np.repeat(alone.total[0], 32))
    np.testing.assert_array_equal(among.squares[0], np.repeat(alone.squares[0], 32))
    np.testing.assert_allclose(alone.squares, n, rtol=1e-6)
