"""The association of a column with the loss."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from core.statistics.association import category_association, number_association


def test_categories_of_nothing_but_chance_are_not_associated_however_many_there_are() -> None:
    rng = np.random.default_rng(3)
    losses = rng.permutation(400).astype(float)
    chance = [category_association(rng.integers(0, 100, 400), losses) for _ in range(40)]
    assert np.mean(chance) < 0.15
    high = (losses > 200).astype(np.int64)
    assert category_association(high, losses) > 0.8
    assert category_association(np.zeros(400, np.int64), losses) == 0
    assert category_association(np.arange(400), losses) == 0


def test_empty_cells_are_a_category_of_their_own() -> None:
    losses = np.arange(100.0)
    codes = np.where(losses > 50, -1, 0)
    assert category_association(codes, losses) == category_association(codes + 1, losses) > 0.8


def test_numbers_have_the_absolute_rank_correlation_of_the_cells_that_are_not_empty() -> None:
    rng = np.random.default_rng(4)
    losses = rng.gamma(1.0, size=200)
    values = -losses + 0.5 * rng.normal(size=200)
    expected = abs(float(spearmanr(values[20:], losses[20:]).statistic))
    values[:20] = np.nan
    assert number_association(values, losses) == pytest.approx(expected, abs=0.01)
    assert number_association(np.full(200, np.nan), losses) == 0
    assert number_association(np.ones(200), losses) == 0


def test_a_constant_loss_goes_with_nothing() -> None:
    assert number_association(np.arange(5.0), np.ones(5)) == 0.0
