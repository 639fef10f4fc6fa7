"""The null sets have nothing to find."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from research.evidence.planted_null import make_null


@pytest.mark.parametrize("kind", ["heavy tail", "unequal variance", "grouped"])
def test_a_null_set_has_no_mean_loss_to_predict_on_fresh_rows(kind):
    """Fit on half of the groups, read on the other half: the correlation is that of noise, over ten sets together."""
    correlations = []
    for seed in range(10):
        null = make_null(kind, seed=seed, dimensions=32)
        groups = np.arange(2000) if null.groups is None else null.groups
        half = groups % 2 == 0
        x = np.c_[null.embeddings.vectors, np.ones(2000)].astype(float)
        losses = np.minimum(null.losses, np.quantile(null.losses, 0.99))
        weights = np.linalg.solve(x[half].T @ x[half] + np.eye(33), x[half].T @ losses[half])
        correlations.append(np.corrcoef(x[~half] @ weights, losses[~half])[0, 1])
    assert abs(np.mean(correlations)) < 3 * np.std(correlations, ddof=1) / np.sqrt(10)


def test_unequal_variance_keeps_the_mean_and_changes_the_spread():
    null = make_null("unequal variance", seed=0, n=20_000, dimensions=16)
    centred = null.embeddings.vectors - null.embeddings.vectors.mean(0)
    spread_along = centred.T @ ((null.losses - 1) ** 2)
    score = centred @ spread_along
    low, high = score < np.quantile(score, 0.1), score > np.quantile(score, 0.9)
    assert null.losses[high].std() > 3 * null.losses[low].std()
    assert null.losses[high].mean() == pytest.approx(null.losses[low].mean(), abs=0.04)
    assert null.losses.min() > 0


def test_groups_are_unequal_and_their_rows_share_their_loss():
    null = make_null("grouped", seed=0)
    assert null.groups is not None
    sizes = np.bincount(null.groups)
    assert 60 <= len(sizes) <= 100
    assert sizes.min() >= 3
    assert sizes.max() > 3 * np.median(sizes)
    logs = np.log(null.losses)
    means = np.bincount(null.groups, weights=logs) / sizes
    within = np.var(logs - means[null.groups])
    assert within == pytest.approx(0.36, abs=0.05)
    assert np.var(logs) > 1.5 * within


def test_too_few_rows_for_groups_are_refused():
    with pytest.raises(InvalidInput, match="n >= 300"):
        make_null("grouped", seed=0, n=100)
