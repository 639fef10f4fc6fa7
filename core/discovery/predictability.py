"""How much of the loss the embedding predicts on rows that the fit did not see (the gate, which informs and does not
veto)."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy import stats

from core.discovery.design import Design
from core.discovery.search.family_test import FamilyTest
from core.records import F64, I64, Estimate, Outcomes, Predictability
from core.statistics.intervals import bootstrap
from core.statistics.ranking import auroc_of_places


def predictability_of(
    test: FamilyTest, design: Design, outcomes: Outcomes, predicted: F64, *, alpha: float, seed: int
) -> Predictability:
    """Held-out R2, correlations and AUROC of error with group-bootstrap intervals, and a permutation p.

    R2 is against the mean of all losses, so a difference between classes counts as predictable. The p asks for more: it
    is that of the best of the class-centred views (the correlation of loss with its out-of-fold prediction over its own
    error, in each class and overall) against the same best in every permutation, each of which refits everything.

    Args:
        predicted: (n,) out-of-fold predictions of the loss.
        alpha: what of the run's level is kept for saying that the loss is predictable.
    """
    rng, groups = np.random.default_rng(seed), design.groups
    losses, errors, n = outcomes.fitted, outcomes.errors, len(outcomes.fitted)
    mean, ranks = losses.mean(), (stats.rankdata(losses), stats.rankdata(predicted))
    places = np.unique(predicted, return_inverse=True)[1]

    def r2(i: I64) -> float:
        total = float(((losses[i] - mean) ** 2).sum())
        return 1 - float(((losses[i] - predicted[i]) ** 2).sum()) / total if total > 0 else float("nan")

    by_class: list[tuple[str, int, Estimate, float | None]] = []
    for scope in design.scopes[1:]:
        a, b, inner = losses[scope.rows], predicted[scope.rows], None if groups is None else groups[scope.rows]
        correlation = bootstrap(partial(_correlation, a, b), len(a), inner, rng, repeats=200)
        by_class.append((scope.name, len(a), correlation, None))
    return Predictability(
        r2=bootstrap(r2, n, groups, rng),
        rank_correlation=bootstrap(partial(_correlation, *ranks), n, groups, rng),
        correlation=bootstrap(partial(_correlation, losses, predicted), n, groups, rng),
        error_auroc=bootstrap(lambda i: auroc_of_places(places[i], errors[i]), n, groups, rng)
        if errors is not None and 0 < errors.sum() < n
        else None,
        p=test.trend_p(),
        n_permutations=len(test.null),
        confirmed=test.is_predictable(alpha),
        by_class=tuple(by_class),
    )


def _correlation(a: F64, b: F64, i: I64) -> float:
    """Pearson's, of the rows `i`; nan where one of them is constant."""
    a, b = a[i] - a[i].mean(), b[i] - b[i].mean()
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / scale if scale > 0 else float("nan")
