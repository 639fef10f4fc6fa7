"""Which conditions and phrases go with the loss, and which of them describe a cluster or a selection.

They were members of the tested family, so the p of each has paid for every other candidate, condition and phrase. Those
that only say the same as a stronger one are listed under it as proxies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np
from scipy import stats

from core.discovery.cluster_phrases import Description, describe
from core.discovery.condition_results import SAYS_THE_SAME, ConditionResults
from core.discovery.conditions import Condition, chosen_conditions, columns_to_test, joined
from core.discovery.search.family import MIN_CANDIDATE_ROWS, centre
from core.records import EVERYTHING, I64, Bool, Diagnosis, Estimate, FailureCluster, Insight
from core.statistics.packed import PackedMasks

EACH = 4
"""Conditions and phrases shown for each cluster."""
DESCRIBES = 0.6
"""Least AUROC with which a condition must retrieve a cluster to be shown as its description."""


def find_insights(results: ConditionResults, clusters: Sequence[FailureCluster]) -> tuple[Insight, ...]:
    """Insights on each cluster in rank order, then confirmed conditions and phrases of their own."""
    made: list[Insight] = []
    told: set[int] = set()
    for cluster in clusters:
        for index, retrieval, proxies in _conditions_of(results, cluster):
            made.append(results.insight(index, cluster.id, retrieval, proxies))
            told.add(index)
        for index, phrase in _phrases_of(results, cluster):
            alike = [results.words.phrases[q] for q in phrase.alike] if results.words else []
            insight = results.insight(index, cluster.id, phrase.retrieval, alike)
            made.append(replace(insight, held_out=phrase.held_out, stability=phrase.stability))
            told.add(index)
    for kind in ("condition", "phrase"):
        for index, proxies in _leads(results, kind):
            if not any(results.alike(index, other) for other in told):
                made.append(results.insight(index, None, None, proxies))
    return tuple(made)


def _phrases_of(results: ConditionResults, cluster: FailureCluster) -> list[tuple[int, Description]]:
    """The phrases that describe a cluster, each at the depth of its strongest statistic."""
    scores = results.proposals.phrase_scores
    words = results.words
    design = results.design
    of_phrase: dict[int, int] = {}
    for index in results.of_kind("phrase", cluster.scope):
        best = of_phrase.setdefault(results.phrase(index), index)
        if results.statistics[index] > results.statistics[best]:
            of_phrase[results.phrase(index)] = index
    if scores is None or words is None or not of_phrase:
        return []
    rows = next(s.rows for s in design.scopes if s.name == cluster.scope)
    members = cluster.membership[rows] >= 0.5
    described = describe(scores[rows], members, design.folds[rows], words.strengths, most=EACH)
    return [(of_phrase[one.phrase], one) for one in described if one.phrase in of_phrase]


def _conditions_of(results: ConditionResults, cluster: FailureCluster) -> list[tuple[int, float, list[str]]]:
    """Conditions within the cluster's scope that retrieve its members: (index, AUROC, proxies), best first."""
    indices = results.of_kind("condition", cluster.scope)
    if not indices:
        return []
    rows = results.region(indices[0])[1]
    masks = PackedMasks.of((results.region(i)[0][rows] for i in indices), len(rows))
    conditions = [results.condition(i) for i in indices]
    retrieved = _retrieving(conditions, masks, cluster.membership[rows] >= 0.5)
    return [(indices[j], auroc, [conditions[q].text for q in same]) for j, auroc, same in retrieved[:EACH]]


def _retrieving(
    conditions: Sequence[Condition], masks: PackedMasks, members: Bool
) -> list[tuple[int, float, list[int]]]:
    """The conditions that retrieve the members: (index, AUROC, the later ones that say the same), best first.

    Args:
        masks: (c, m) which rows meet each condition.
        members: (m,)
    """
    sizes = masks.sizes()
    inside = masks.sizes(members)
    n_members = int(members.sum())
    hits = inside / max(n_members, 1)
    false = (sizes - inside) / max(len(members) - n_members, 1)
    aurocs = (1 + hits - false) / 2
    keep = np.argsort(-aurocs, kind="stable")
    keep = keep[aurocs[keep] >= DESCRIBES]
    # the hypergeometric chance of so many members in each
    single = np.array([len(c.columns) == 1 for c in conditions])
    looked_at = np.where(single, single.sum(), len(conditions))  # the single ones among themselves, pairs among all
    chance = stats.hypergeom.sf(inside[keep] - 1, len(members), sizes[keep], n_members) * looked_at[keep]
    simple = {c.text: float(a) for c, a in zip(conditions, aurocs)}
    worth = [  # two conditions together retrieve clearly better than either alone
        j
        for j in keep[chance <= 0.05].tolist()
        if all(aurocs[j] > simple.get(half, 0.0) + 0.03 for half in conditions[j].halves)
    ]
    return [(j, float(aurocs[j]), same) for j, same in _fold(worth, masks)]


def _fold(order: Sequence[int], masks: PackedMasks) -> list[tuple[int, list[int]]]:
    """Each condition that says something new, with the later ones that say the same."""
    leads: list[tuple[int, list[int]]] = []
    for j in order:
        twin = next((same for lead, same in leads if masks.correlation(lead, j) > SAYS_THE_SAME), None)
        if twin is None:
            leads.append((j, []))
        elif len(twin) < 6:
            twin.append(j)
    return leads


def _leads(results: ConditionResults, kind: str) -> list[tuple[int, list[str]]]:
    """Confirmed conditions (or phrases), strongest first, each with those whose effect falls away once it is taken out.

    The loss is residualized on the lead (Freedman & Lane 1983) and the others are read again against the same
    threshold; what no longer reaches it is a proxy.
    """
    mine = set(results.of_kind(kind))
    left = [int(i) for i in np.argsort(-results.statistics, kind="stable") if results.confirmed[i] and int(i) in mine]
    strata = results.design.blocks
    leads: list[tuple[int, list[str]]] = []
    while left and len(leads) < 20:
        lead = left[0]
        if kind == "phrase":  # of those that say the same, and as well, the one that the text tower makes most of
            equal = [i for i in left if results.statistics[i] > results.statistics[lead] - 1 and results.alike(i, lead)]
            lead = max(equal, key=results.strength)
        left.remove(lead)
        mask = results.region(lead)[0]
        strata = np.unique(strata * 2 + mask, return_inverse=True)[1].astype(np.int64)
        residual = centre(results.scores, strata).astype(np.float32)
        again = results.family.statistics(residual)[results.family.n_slices :].max(1)[results.regions]
        said = dict.fromkeys(_name(results, i, lead) for i in left if again[i] < results.threshold)
        leads.append((lead, [name for name in said if name != results.text(lead)][:12]))
        left = [i for i in left if again[i] >= results.threshold]
    return leads


def _name(results: ConditionResults, index: int, lead: int) -> str:
    scope = results.design.scopes[results.raw(index).scope].name
    own = results.text(index)
    return own if results.raw(index).scope == results.raw(lead).scope else f"{own} ({scope})"


_LOOKED_AT: WeakKeyDictionary[Diagnosis, tuple[tuple[Condition, ...], PackedMasks]] = WeakKeyDictionary()
"""Of the runs in memory that were asked: their conditions, whose masks are kept beside them alone."""


def _conditions(diagnosis: Diagnosis) -> tuple[tuple[Condition, ...], PackedMasks]:
    """The conditions by which a selection of the run may be explained; made once."""
    if diagnosis not in _LOOKED_AT:
        columns = columns_to_test(diagnosis.samples.metadata)
        none = np.zeros(0, bool)
        singles, pairs, _ = chosen_conditions(columns, smallest=MIN_CANDIDATE_ROWS, most=600)
        masks = PackedMasks.of((one.mask for one in singles), len(diagnosis.samples)).joined(pairs)
        bare = [replace(one, mask=none) for one in singles]
        _LOOKED_AT[diagnosis] = (*bare, *(joined(bare[i], bare[j]) for i, j in pairs)), masks
    return _LOOKED_AT[diagnosis]


def explain(diagnosis: Diagnosis, rows: I64) -> tuple[Insight, ...]:
    """What of the metadata, and of the properties that may be causes, sets the `rows` that somebody picked apart from
    the rest: exploratory, without a p.

    Args:
        rows: row numbers of the selection.
    """
    members = np.zeros(len(diagnosis.samples), bool)
    members[rows] = True
    conditions, masks = _conditions(diagnosis)
    if not conditions or not members.any() or members.all():
        return ()
    losses = diagnosis.outcomes.fitted
    errors = diagnosis.outcomes.errors
    made: list[Insight] = []
    for j, auroc, same in _retrieving(conditions, masks, members)[:6]:
        mask = masks.mask(j)
        difference = float(losses[mask].mean() - losses[~mask].mean())
        insight = Insight(
            text=conditions[j].text,
            columns=conditions[j].columns,
            scope=EVERYTHING,
            cluster=None,
            mask=mask,
            size=int(mask.sum()),
            effect=Estimate(difference, float("nan"), float("nan")),
            error_inside=None if errors is None else float(errors[mask].mean()),
            error_outside=None if errors is None else float(errors[~mask].mean()),
            p=None,
            confirmed=False,
            retrieval=auroc,
            proxies=tuple(conditions[q].text for q in same),
        )
        made.append(insight)
    return tuple(made)
