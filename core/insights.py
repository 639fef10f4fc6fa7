"""Which conditions go with the loss, and which of them describe a cluster or a selection.

Conditions were members of the tested family, so a condition's p has paid for every other candidate and condition. Those that
only say the same as a stronger one are listed under it as proxies.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from core.conditions import Condition, build_conditions
from core.layout import Layout
from core.proposals import Proposals
from core.records import F64, I64, Bool, Column, Diagnosis, Estimate, FailureCluster, Insight, Outcomes
from core.search import SMALLEST, Reading, centre
from core.statistics import searched_difference

EACH = 4
"""Conditions shown for each cluster."""
SAYS_THE_SAME = 0.6
"""Two conditions whose indicators correlate more than this are shown as one, the weaker under the stronger."""
DESCRIBES = 0.6
"""Least AUROC with which a condition must retrieve a cluster to be shown as its description."""


def find_insights(
    proposals: Proposals, reading: Reading, layout: Layout, outcomes: Outcomes, scores: F64, clusters: Sequence[FailureCluster], *, alpha: float
) -> tuple[Insight, ...]:
    """Insights on each cluster in rank order, best description first, then confirmed conditions of their own.

    Args:
        reading: the first reading of the family, whose null gives the adjusted p.
        scores: (n,) the tested failure scores.
    """
    tested = _Tested(proposals, reading, layout, outcomes, alpha)
    made: list[Insight] = []
    told: set[int] = set()
    for cluster in clusters:
        for index, retrieval, proxies in _describe(tested, cluster):
            made.append(tested.insight(index, cluster.id, retrieval, proxies))
            told.add(index)
    for index, proxies in _leads(tested, scores):
        if index not in told:
            made.append(tested.insight(index, None, None, proxies))
    return tuple(made)


class _Tested:
    """The conditions of the family with their statistics and p."""

    def __init__(self, proposals: Proposals, reading: Reading, layout: Layout, outcomes: Outcomes, alpha: float) -> None:
        family = proposals.family
        self.layout, self.outcomes, self.conditions, self.family = layout, outcomes, proposals.conditions, family
        self.regions = [i for i, r in enumerate(family.regions) if r.kind == "condition"]
        self.statistics = reading.observed[family.n_slices :][self.regions] if self.regions else np.zeros(0)
        self.testable = len(reading.null) > 0
        self.threshold = reading.threshold(alpha) if self.testable else float("nan")
        self.p = np.array([reading.p(s) for s in self.statistics]) if self.testable else np.ones(len(self.statistics))
        self.confirmed = (self.p <= alpha) & self.testable

    def region(self, index: int) -> tuple[Bool, I64, str]:
        """(mask, rows of its scope, name of its scope)"""
        region = self.family.regions[self.regions[index]]
        scope = self.layout.scopes[region.scope]
        return region.mask(self.family.n), scope.rows, scope.name

    def condition(self, index: int) -> Condition:
        return self.conditions[self.family.regions[self.regions[index]].tag]

    def insight(self, index: int, cluster: int | None, retrieval: float | None, proxies: Sequence[str]) -> Insight:
        mask, rows, scope = self.region(index)
        outside = np.zeros(len(mask), bool)
        outside[rows] = True
        outside &= ~mask
        confirmed = bool(self.confirmed[index])
        statistic = float(self.statistics[index]) if confirmed else None
        losses, errors = self.outcomes.fitted, self.outcomes.errors
        return Insight(
            text=self.condition(index).text,
            columns=self.condition(index).columns,
            scope=scope,
            cluster=cluster,
            mask=mask,
            size=int(mask.sum()),
            effect=searched_difference(losses[mask], losses[outside], self.threshold, statistic),
            error_inside=None if errors is None else float(errors[mask].mean()),
            error_outside=None if errors is None else float(errors[outside].mean()),
            p=float(self.p[index]) if confirmed else None,
            confirmed=confirmed,
            retrieval=retrieval,
            proxies=tuple(proxies),
        )


def _describe(tested: _Tested, cluster: FailureCluster) -> list[tuple[int, float, list[str]]]:
    """Conditions within the cluster's scope that retrieve its members: (index, AUROC, proxies), best first."""
    indices = [i for i in range(len(tested.regions)) if tested.region(i)[2] == cluster.scope]
    if not indices:
        return []
    rows = tested.region(indices[0])[1]
    members = cluster.membership[rows] >= 0.5
    masks = np.stack([tested.region(i)[0][rows] for i in indices])
    aurocs, chance = _retrieval(masks, members)
    looked = _looked_at([tested.condition(i) for i in indices])
    keep = [j for j in np.argsort(-aurocs, kind="stable") if aurocs[j] >= DESCRIBES and chance[j] * looked[j] <= 0.05]
    simple = {tested.condition(indices[j]).text: aurocs[j] for j in range(len(indices))}
    keep = [j for j in keep if _worth_its_length(tested.condition(indices[j]), float(aurocs[j]), simple)]
    return [(indices[j], float(aurocs[j]), [tested.condition(indices[q]).text for q in same]) for j, same in _fold(keep, masks)[:EACH]]


def _retrieval(masks: Bool, members: Bool) -> tuple[F64, F64]:
    """(c,) AUROC of each condition for membership, and (c,) the hypergeometric chance of so many members in it."""
    inside = masks[:, members].sum(1)
    hits, false = inside / max(members.sum(), 1), masks[:, ~members].sum(1) / max((~members).sum(), 1)
    chance = stats.hypergeom.sf(inside - 1, len(members), masks.sum(1), members.sum())
    return (1 + hits - false) / 2, np.asarray(chance)


def _looked_at(conditions: Sequence[Condition]) -> I64:
    """(c,) how many conditions each is one of: the single ones among themselves, the pairs among all."""
    single = np.array([len(c.columns) == 1 for c in conditions])
    return np.where(single, single.sum(), len(conditions))


def _worth_its_length(condition: Condition, auroc: float, simple: dict[str, float]) -> bool:
    """Two conditions together must retrieve clearly better than either alone."""
    return all(auroc > simple.get(half, 0.0) + 0.03 for half in condition.halves)


def _fold(order: Sequence[int], masks: Bool) -> list[tuple[int, list[int]]]:
    """Each condition that says something new, with the later ones that say the same."""
    leads: list[tuple[int, list[int]]] = []
    for j in order:
        twin = next((same for lead, same in leads if _correlation(masks[lead], masks[j]) > SAYS_THE_SAME), None)
        if twin is None:
            leads.append((j, []))
        elif len(twin) < 6:
            twin.append(j)
    return leads


def _correlation(a: Bool, b: Bool) -> float:
    if a.all() or b.all() or not a.any() or not b.any():
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _leads(tested: _Tested, scores: F64) -> list[tuple[int, list[str]]]:
    """Confirmed conditions, strongest first, each with those whose effect falls away once it is taken out.

    The loss is residualised on the lead condition (Freedman & Lane 1983) and the others are read again against the same
    threshold; what no longer reaches it is a proxy.
    """
    left = [int(i) for i in np.argsort(-tested.statistics, kind="stable") if tested.confirmed[i]]
    strata = tested.layout.blocks
    leads: list[tuple[int, list[str]]] = []
    while left and len(leads) < 20:
        lead = left.pop(0)
        mask = tested.region(lead)[0]
        strata = np.unique(strata * 2 + mask, return_inverse=True)[1].astype(np.int64)
        residual = centre(scores, strata)[:, None].astype(np.float32)
        again = tested.family.statistics(residual)[tested.family.n_slices :, 0][tested.regions]
        proxies = [i for i in left if again[i] < tested.threshold]
        leads.append((lead, [_name(tested, i, lead) for i in proxies[:12]]))
        left = [i for i in left if again[i] >= tested.threshold]
    return leads


def _name(tested: _Tested, index: int, lead: int) -> str:
    scope, own = tested.region(index)[2], tested.condition(index).text
    return own if scope == tested.region(lead)[2] else f"{own} ({scope})"


def explain(diagnosis: Diagnosis, rows: I64, columns: Sequence[Column] | None = None) -> tuple[Insight, ...]:
    """What sets the `rows` that somebody picked apart from the rest: exploratory, without a p.

    Args:
        rows: row numbers of the selection.
        columns: the columns to look at; all metadata and properties if None.
    """
    n = len(diagnosis.samples)
    members = np.zeros(n, bool)
    members[rows] = True
    conditions, _ = build_conditions(diagnosis.samples.metadata if columns is None else columns, smallest=SMALLEST, most=600)
    if not conditions or not members.any() or members.all():
        return ()
    masks = np.stack([c.mask for c in conditions])
    aurocs, chance = _retrieval(masks, members)
    simple = {c.text: float(a) for c, a in zip(conditions, aurocs)}
    looked = _looked_at(conditions)
    keep = [int(j) for j in np.argsort(-aurocs, kind="stable") if aurocs[j] >= DESCRIBES and chance[j] * looked[j] <= 0.05]
    keep = [j for j in keep if _worth_its_length(conditions[j], float(aurocs[j]), simple)]
    losses, errors = diagnosis.outcomes.fitted, diagnosis.outcomes.errors
    made: list[Insight] = []
    for j, same in _fold(keep, masks)[:6]:
        mask = masks[j]
        difference = float(losses[mask].mean() - losses[~mask].mean())
        made.append(
            Insight(
                text=conditions[j].text,
                columns=conditions[j].columns,
                scope="all samples",
                cluster=None,
                mask=mask,
                size=int(mask.sum()),
                effect=Estimate(difference, float("nan"), float("nan")),
                error_inside=None if errors is None else float(errors[mask].mean()),
                error_outside=None if errors is None else float(errors[~mask].mean()),
                p=None,
                confirmed=False,
                retrieval=float(aurocs[j]),
                proxies=tuple(conditions[q].text for q in same),
            )
        )
    return tuple(made)
