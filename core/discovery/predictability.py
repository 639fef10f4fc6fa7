"""How much of the loss the embedding predicts on held-out rows. The result informs; it does not veto the search."""

from __future__ import annotations

import numpy as np
from scipy import stats

from core.discovery.design import Design
from core.discovery.search.family_test import FamilyTest
from core.records import F64, I64, Estimate, Outcomes, Predictability
from core.statistics.intervals import bootstrap
from core.statistics.ranking import auroc_of_places
from core.statistics.redraws import bootstrap_correlation, bootstrap_sums


def predictability_of(
    test: FamilyTest, design: Design, outcomes: Outcomes, predicted: F64, *, alpha: float, seed: int
) -> Predictability:
    """Held-out R2, correlations and AUROC of error with group-bootstrap intervals, and a permutation p.

    R2 is against the mean of all losses, so a difference between classes counts as predictable. The p is stricter: it
    compares the best class-centered view (the correlation of the loss with its out-of-fold prediction over its standard
    error, in each class and overall) with the same best in every permutation, each of which refits everything. The
    plain correlation does not serve here: with twelve rows of outlying vectors and ten times as wide losses it
    called the loss predictable in 0.48 of 60 null runs (docs/decisions/search-inside-the-null.md).

    Args:
        predicted: (n,) out-of-fold predictions of the loss.
        alpha: the part of the run's level reserved for this claim.
    """
    rng = np.random.default_rng(seed)
    groups = design.groups
    losses = outcomes.fitted
    errors = outcomes.errors
    n = len(outcomes.fitted)
    ranks = np.unique(predicted, return_inverse=True)[1]
    by_class: list[tuple[str, int, Estimate, float | None]] = []
    for scope in design.scopes[1:]:
        rows = scope.rows
        groups_inside = None if groups is None else groups[rows]
        correlation = _correlation(losses[rows], predicted[rows], groups_inside, rng, repeats=200)
        by_class.append((scope.name, len(rows), correlation, None))
    r2 = _r2(losses, predicted, groups, rng)
    rank_correlation = _correlation(stats.rankdata(losses), stats.rankdata(predicted), groups, rng)
    correlation = _correlation(losses, predicted, groups, rng)
    error_auroc = None
    if errors is not None and 0 < errors.sum() < n:
        error_auroc = bootstrap(lambda i: auroc_of_places(ranks[i], errors[i]), n, groups, rng)
    return Predictability(
        r2=r2,
        rank_correlation=rank_correlation,
        correlation=correlation,
        error_auroc=error_auroc,
        p=test.trend_p(),
        n_permutations=len(test.null),
        confirmed=test.is_predictable(alpha),
        by_class=tuple(by_class),
    )


def _r2(losses: F64, predicted: F64, groups: I64 | None, rng: np.random.Generator) -> Estimate:
    """R2 against the mean of all losses, which is not recomputed in a redraw."""
    squares = np.stack([(losses - predicted) ** 2, (losses - losses.mean()) ** 2], 1)

    def of(sums: F64) -> F64:
        return np.where(sums[..., 1] > 0, 1 - sums[..., 0] / sums[..., 1], np.nan)

    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(of(squares.sum(0)))
    return bootstrap_sums(of, squares, groups, rng, value=value)


def _correlation(a: F64, b: F64, groups: I64 | None, rng: np.random.Generator, *, repeats: int = 500) -> Estimate:
    """Pearson's correlation; nan where either side is constant."""
    x = a - a.mean()
    y = b - b.mean()
    scale = float(np.sqrt((x**2).sum() * (y**2).sum()))
    value = float("nan")
    if scale > 0:
        value = float((x * y).sum()) / scale
    return bootstrap_correlation(a, b, groups, rng, value=value, repeats=repeats)
