"""Conditions and phrases that go with the loss, and those that describe a cluster or a selection.

They are members of the tested family, so the p of each has paid for every other candidate, condition and phrase. Those
equivalent to a stronger one are listed under it as proxies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np
from scipy import stats

from core.discovery.cluster_phrases import MAX_EQUIVALENT, Description, describe
from core.discovery.condition_results import MIN_SAME_CORRELATION, ConditionResults
from core.discovery.conditions import Condition, chosen_conditions, columns_to_test, with_pairs
from core.discovery.search.family import MIN_CANDIDATE_ROWS, centre
from core.records import EVERYTHING, I64, Bool, Diagnosis, Estimate, FailureCluster, Insight
from core.statistics.packed import PackedMasks

MAX_PER_CLUSTER = 4
"""Conditions, and phrases, shown for each cluster at most."""
MIN_CONDITION_AUROC = 0.6
"""AUROC with which a condition must retrieve a cluster to be shown as its description. A convention, as for phrases."""
MIN_PAIR_GAIN = 0.03
"""AUROC that a pair of conditions must gain over either half, or the simpler one is shown. A convention."""
MAX_LEADS = 20
"""Confirmed conditions, and phrases, shown without a cluster at most."""


def find_insights(results: ConditionResults, clusters: Sequence[FailureCluster]) -> tuple[Insight, ...]:
    """Insights on each cluster in rank order, then confirmed conditions and phrases that describe no cluster."""
    insights: list[Insight] = []
    shown: set[int] = set()
    for cluster in clusters:
        for index, retrieval, proxies in _conditions_of(results, cluster):
            insights.append(results.insight(index, cluster.id, retrieval, proxies))
            shown.add(index)
        for index, phrase in _phrases_of(results, cluster):
            proxies: list[str] = []
            if results.words is not None:
                proxies = [results.words.phrases[q] for q in phrase.alike]
            insight = results.insight(index, cluster.id, phrase.retrieval, proxies)
            insights.append(replace(insight, held_out=phrase.held_out, stability=phrase.stability))
            shown.add(index)
    for kind in ("condition", "phrase"):
        for index, proxies in _leads(results, kind):
            if not any(results.alike(index, i) for i in shown):
                insights.append(results.insight(index, None, None, proxies))
    return tuple(insights)


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
    described = describe(scores[rows], members, design.folds[rows], words.strengths, most=MAX_PER_CLUSTER)
    return [(of_phrase[d.phrase], d) for d in described if d.phrase in of_phrase]


def _conditions_of(results: ConditionResults, cluster: FailureCluster) -> list[tuple[int, float, list[str]]]:
    """Conditions within the cluster's scope that retrieve its members: (index, AUROC, proxies), best first."""
    indices = results.of_kind("condition", cluster.scope)
    if not indices:
        return []
    rows = results.region(indices[0])[1]
    masks = PackedMasks.of((results.region(i)[0][rows] for i in indices), len(rows))
    conditions = [results.condition(i) for i in indices]
    retrieved = _retrieving(conditions, masks, cluster.membership[rows] >= 0.5)
    return [(indices[j], auroc, [conditions[q].text for q in same]) for j, auroc, same in retrieved[:MAX_PER_CLUSTER]]


def _retrieving(
    conditions: Sequence[Condition], masks: PackedMasks, members: Bool
) -> list[tuple[int, float, list[int]]]:
    """The conditions that retrieve the members: (index, AUROC, later equivalent ones), best first.

    A condition must hold more members than chance allows, by its hypergeometric tail with Bonferroni's correction:
    single conditions pay for each other, pairs for all.

    Args:
        masks: (c, m) rows that meet each condition.
        members: (m,)
    """
    sizes = masks.sizes()
    inside = masks.sizes(members)
    n_members = int(members.sum())
    hits = inside / max(n_members, 1)
    false = (sizes - inside) / max(len(members) - n_members, 1)
    aurocs = (1 + hits - false) / 2
    keep = np.argsort(-aurocs, kind="stable")
    keep = keep[aurocs[keep] >= MIN_CONDITION_AUROC]
    single = np.array([len(c.columns) == 1 for c in conditions])
    n_tests = np.where(single, single.sum(), len(conditions))
    p = stats.hypergeom.sf(inside[keep] - 1, len(members), sizes[keep], n_members) * n_tests[keep]
    auroc_of = {condition: float(auroc) for condition, auroc in zip(conditions, aurocs)}
    leads: list[tuple[int, float, list[int]]] = []
    for j in keep[p <= 0.05].tolist():
        if any(aurocs[j] <= auroc_of.get(half, 0.0) + MIN_PAIR_GAIN for half in conditions[j].halves):
            continue  # half of the pair retrieves nearly as well
        equivalent = None
        for lead, _, proxies in leads:
            if masks.correlation(lead, j) > MIN_SAME_CORRELATION:
                equivalent = proxies
                break
        if equivalent is None:
            leads.append((j, float(aurocs[j]), []))
        elif len(equivalent) < MAX_EQUIVALENT:
            equivalent.append(j)
    return leads


def _leads(results: ConditionResults, kind: str) -> list[tuple[int, list[str]]]:
    """Confirmed conditions (or phrases), strongest first, each with its proxies.

    One true failure makes dozens of correlated phrases pass. So the loss is residualized on the lead (Freedman & Lane
    1983) and the others are tested again at the same threshold; those that no longer reach it are proxies.
    """
    of_kind = set(results.of_kind(kind))
    ranking = np.argsort(-results.statistics, kind="stable").tolist()
    left = [i for i in ranking if results.confirmed[i] and i in of_kind]
    strata = results.design.blocks
    leads: list[tuple[int, list[str]]] = []
    while left and len(leads) < MAX_LEADS:
        lead = left[0]
        if kind == "phrase":
            # of equivalent phrases within one standard error, the one that the text tower responds to most
            equal = [i for i in left if results.statistics[i] > results.statistics[lead] - 1 and results.alike(i, lead)]
            lead = max(equal, key=results.strength)
        left.remove(lead)
        mask = results.region(lead)[0]
        strata = np.unique(strata * 2 + mask, return_inverse=True)[1].astype(np.int64)
        residual = centre(results.scores, strata).astype(np.float32)
        again = results.family.statistics(residual)[results.family.n_slices :].max(1)[results.regions]
        proxies = dict.fromkeys(_name(results, i, lead) for i in left if again[i] < results.threshold)
        leads.append((lead, [name for name in proxies if name != results.text(lead)][:12]))
        left = [i for i in left if again[i] >= results.threshold]
    return leads


def _name(results: ConditionResults, index: int, lead: int) -> str:
    """The text, with the scope where it is another than the lead's."""
    text = results.text(index)
    number = results.raw(index).scope
    if number == results.raw(lead).scope:
        return text
    return f"{text} ({results.design.scopes[number].name})"


_CONDITIONS: WeakKeyDictionary[Diagnosis, tuple[tuple[Condition, ...], PackedMasks]] = WeakKeyDictionary()
"""Conditions of runs in memory, without masks, and their packed masks."""


def _conditions(diagnosis: Diagnosis) -> tuple[tuple[Condition, ...], PackedMasks]:
    """The conditions that may explain a selection of the run; built once."""
    if diagnosis not in _CONDITIONS:
        columns = columns_to_test(diagnosis.samples.metadata)
        no_mask = np.zeros(0, bool)
        singles, pairs, _ = chosen_conditions(columns, smallest=MIN_CANDIDATE_ROWS, most=600)
        masks = PackedMasks.of((single.mask for single in singles), len(diagnosis.samples)).joined(pairs)
        bare = [replace(single, mask=no_mask) for single in singles]
        _CONDITIONS[diagnosis] = with_pairs(bare, pairs), masks
    return _CONDITIONS[diagnosis]


def explain(diagnosis: Diagnosis, rows: I64) -> tuple[Insight, ...]:
    """Conditions that set a selection apart from the other samples: not tested, without a p, since the selection was
    made after seeing the losses.

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
    insights: list[Insight] = []
    for j, auroc, equivalent in _retrieving(conditions, masks, members)[:6]:
        mask = masks.mask(j)
        error_inside = None
        error_outside = None
        if errors is not None:
            error_inside = float(errors[mask].mean())
            error_outside = float(errors[~mask].mean())
        difference = float(losses[mask].mean() - losses[~mask].mean())
        insight = Insight(
            text=conditions[j].text,
            columns=conditions[j].columns,
            scope=EVERYTHING,
            cluster=None,
            mask=mask,
            size=int(mask.sum()),
            effect=Estimate(difference, float("nan"), float("nan")),
            error_inside=error_inside,
            error_outside=error_outside,
            p=None,
            confirmed=False,
            retrieval=auroc,
            proxies=tuple(conditions[q].text for q in equivalent),
        )
        insights.append(insight)
    return tuple(insights)
