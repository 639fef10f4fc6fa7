"""How much of the loss the embedding predicts on rows that the fit did not see (the gate, which informs and does not
veto)."""

from __future__ import annotations

import numpy as np
from scipy import stats

from core.discovery.design import Design
from core.discovery.family import Family, FamilyTest
from core.records import F64, I64, Estimate, Outcomes, Predictability
from core.statistics.intervals import bootstrap
from core.statistics.ranking import auroc


def predictability_of(
    family: Family,
    reading: FamilyTest,
    outcomes: Outcomes,
    predicted: F64,
    layout: Design,
    groups: I64 | None,
    *,
    seed: int,
) -> Predictability:
    """Held-out R2, correlations and AUROC of error with group-bootstrap intervals, and a permutation p.

    R2 is against the mean of all losses, so a difference between classes counts as predictable. The p asks for more: it
    is that of the best of the class-centred views (the correlation of loss with its out-of-fold prediction, in each
    class and overall) against the same best in every permutation, each of which refits everything.
    """
    rng = np.random.default_rng(seed)
    losses = outcomes.fitted

    def r2(i: I64) -> float:
        total = float(((losses[i] - losses.mean()) ** 2).sum())
        return 1 - float(((losses[i] - predicted[i]) ** 2).sum()) / total if total > 0 else float("nan")

    def pearson(i: I64) -> float:
        a, b = losses[i] - losses[i].mean(), predicted[i] - predicted[i].mean()
        scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
        return float((a * b).sum()) / scale if scale > 0 else float("nan")

    ranked, ranked_prediction = stats.rankdata(losses), stats.rankdata(predicted)

    def spearman(i: I64) -> float:
        a, b = ranked[i] - ranked[i].mean(), ranked_prediction[i] - ranked_prediction[i].mean()
        scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
        return float((a * b).sum()) / scale if scale > 0 else float("nan")

    n = len(losses)
    errors = outcomes.errors
    known = errors is not None and 0 < errors.sum() < n
    by_class: list[tuple[str, int, Estimate, float | None]] = []
    for scope in layout.scopes[1:]:
        rows = scope.rows
        inner = None if groups is None else groups[rows]
        correlation = bootstrap(lambda i, rows=rows: pearson(rows[i]), len(rows), inner, rng, repeats=200)
        by_class.append((scope.name, len(rows), correlation, None))
    return Predictability(
        r2=bootstrap(r2, n, groups, rng),
        rank_correlation=bootstrap(spearman, n, groups, rng),
        correlation=bootstrap(pearson, n, groups, rng),
        error_auroc=bootstrap(lambda i: auroc(predicted[i], errors[i]), n, groups, rng)
        if known and errors is not None
        else None,
        p=reading.trend_p(),
        n_permutations=len(reading.null),
        by_class=tuple(by_class),
    )
