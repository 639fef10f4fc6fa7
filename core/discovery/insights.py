"""Which conditions and phrases go with the loss, and which of them describe a cluster or a selection.

They were members of the tested family, so the p of each has paid for every other candidate, condition and phrase. Those
that only say the same as a stronger one are listed under it as proxies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import stats

from core.discovery.cluster_findings import bounded_share, coverage
from core.discovery.cluster_phrases import Description, describe, witnesses
from core.discovery.conditions import Condition, build_conditions
from core.discovery.design import Design
from core.discovery.family import MIN_CANDIDATE_ROWS, FamilyTest, Region, centre
from core.discovery.proposals import Proposals
from core.records import F64, I64, Bool, Column, Diagnosis, Estimate, FailureCluster, Insight, Outcomes, TextReader
from core.statistics.intervals import searched_difference

EACH = 4
"""Conditions shown for each cluster."""
SAYS_THE_SAME = 0.6
"""Two conditions whose indicators correlate more than this are shown as one, the weaker under the stronger."""
DESCRIBES = 0.6
"""Least AUROC with which a condition must retrieve a cluster to be shown as its description."""


def find_insights(
    proposals: Proposals,
    reading: FamilyTest,
    layout: Design,
    outcomes: Outcomes,
    scores: F64,
    clusters: Sequence[FailureCluster],
    *,
    alpha: float,
    folds: I64 | None = None,
    groups: I64 | None = None,
    reader: TextReader | None = None,
    columns: Sequence[Column] = (),
    seed: int = 0,
) -> tuple[Insight, ...]:
    """Insights on each cluster in rank order, best description first, then confirmed conditions and phrases of their
    own.

    Args:
        reading: the first reading of the family, whose null gives the adjusted p.
        scores: (n,) the tested failure scores.
        folds: (n,) of rows among which a phrase's retrieval is cross-fitted; without them no phrase describes a
            cluster.
        reader: reads the loss ensemble in a phrase's text.
        columns: measured properties among them are witnesses of what a phrase is about.
    """
    tested = _Tested(proposals, reading, layout, outcomes, alpha, groups, reader, columns, seed)
    made: list[Insight] = []
    told: set[int] = set()
    for cluster in clusters:
        for index, retrieval, proxies in _describe(tested, cluster):
            made.append(tested.insight(index, cluster.id, retrieval, proxies))
            told.add(index)
        for index, found in _in_words(tested, cluster, folds):
            alike = [tested.words.phrases[q] for q in found.alike] if tested.words else []
            made.append(
                replace(
                    tested.insight(index, cluster.id, found.retrieval, alike),
                    held_out=found.held_out,
                    stability=found.stability,
                )
            )
            told.add(index)
    for kind in ("condition", "phrase"):
        for index, proxies in _leads(tested, scores, kind):
            if not any(tested.alike(index, other) for other in told):
                made.append(tested.insight(index, None, None, proxies))
    return tuple(made)


def phrase_p_values(proposals: Proposals, reading: FamilyTest, n_scopes: int) -> F64 | None:
    """(scopes, P) adjusted p of each phrase in each scope, at its best depth; None where there are no phrases or
    nothing was permuted."""
    if proposals.words is None or not len(reading.null):
        return None
    family, best = proposals.family, np.full((n_scopes, len(proposals.words.phrases)), -np.inf)
    for statistic, region in zip(reading.observed[family.n_slices :], family.regions):
        if region.kind == "phrase":
            place = (region.scope, proposals.phrases[region.tag].phrase)
            best[place] = max(best[place], float(statistic))
    null = np.sort(reading.null)
    reached = len(null) - np.searchsorted(null, best - 1e-6)  # so many of the null reach it
    return np.where(np.isfinite(best), (reached + 1) / (len(null) + 1), np.nan)


class _Tested:
    """The conditions and phrases of the family with their statistics and p."""

    def __init__(
        self,
        proposals: Proposals,
        reading: FamilyTest,
        layout: Design,
        outcomes: Outcomes,
        alpha: float,
        groups: I64 | None,
        reader: TextReader | None,
        columns: Sequence[Column],
        seed: int,
    ) -> None:
        family = proposals.family
        self.layout, self.outcomes, self.proposals, self.family = layout, outcomes, proposals, family
        self.groups, self.reader, self.words, self.columns, self.seed = groups, reader, proposals.words, columns, seed
        self.regions = [i for i, r in enumerate(family.regions) if r.kind in ("condition", "phrase")]
        self.statistics = reading.observed[family.n_slices :][self.regions] if self.regions else np.zeros(0)
        self.testable = len(reading.null) > 0
        self.threshold = reading.threshold(alpha) if self.testable else float("nan")
        self.p = np.array([reading.p(s) for s in self.statistics]) if self.testable else np.ones(len(self.statistics))
        self.confirmed = (self.p <= alpha) & self.testable

    def raw(self, index: int) -> Region:
        return self.family.regions[self.regions[index]]

    def of_kind(self, kind: str, scope: str | None = None) -> list[int]:
        """The indices of conditions or of phrases, in one scope or in all."""
        scopes = self.layout.scopes
        return [
            i
            for i in range(len(self.regions))
            if self.raw(i).kind == kind and scope in (None, scopes[self.raw(i).scope].name)
        ]

    def region(self, index: int) -> tuple[Bool, I64, str]:
        """(mask, rows of its scope, name of its scope)"""
        region = self.raw(index)
        scope = self.layout.scopes[region.scope]
        return region.mask(self.family.n), scope.rows, scope.name

    def alike(self, index: int, other: int) -> bool:
        """Whether two of one kind and scope are of nearly the same rows."""
        a, b = self.raw(index), self.raw(other)
        if index == other or (a.kind, a.scope) != (b.kind, b.scope):
            return index == other
        return (
            _correlation(self.region(index)[0][self.region(index)[1]], self.region(other)[0][self.region(index)[1]])
            > SAYS_THE_SAME
        )

    def strength(self, index: int) -> float:
        """How much the text tower makes of a phrase; 0 for all where that is not known."""
        return (
            0.0
            if self.words is None or self.words.strengths is None
            else float(self.words.strengths[self.phrase(index)])
        )

    def condition(self, index: int) -> Condition:
        return self.proposals.conditions[self.raw(index).tag]

    def phrase(self, index: int) -> int:
        return self.proposals.phrases[self.raw(index).tag].phrase

    def text(self, index: int) -> str:
        if self.raw(index).kind == "condition":
            return self.condition(index).text
        assert self.words is not None
        return self.words.phrases[self.phrase(index)]

    def insight(self, index: int, cluster: int | None, retrieval: float | None, proxies: Sequence[str]) -> Insight:
        mask, rows, scope = self.region(index)
        outside = np.zeros(len(mask), bool)
        outside[rows] = True
        outside &= ~mask
        confirmed = bool(self.confirmed[index])
        statistic = float(self.statistics[index]) if confirmed else None
        losses, errors = self.outcomes.fitted, self.outcomes.errors
        wrong = None if errors is None else errors.astype(np.float64)
        is_phrase = self.raw(index).kind == "phrase"
        return Insight(
            text=self.text(index),
            columns=() if is_phrase else self.condition(index).columns,
            scope=scope,
            cluster=cluster,
            mask=mask,
            size=int(mask.sum()),
            effect=searched_difference(losses[mask], losses[outside], self.threshold, statistic),
            error_inside=None if wrong is None else float(wrong[mask].mean()),
            error_outside=None if wrong is None else float(wrong[outside].mean()),
            p=float(self.p[index]) if confirmed else None,
            confirmed=confirmed,
            retrieval=retrieval,
            proxies=tuple(proxies),
            kind="phrase" if is_phrase else "condition",
            family=self.words.families[self.phrase(index)] if is_phrase and self.words else "",
            error_difference=None
            if wrong is None
            else bounded_share(searched_difference(wrong[mask], wrong[outside], self.threshold, statistic)),
            coverage=coverage(mask, self.outcomes, self.groups, self.seed, rows),
            read=self._read(index) if is_phrase else None,
            tests=() if is_phrase else self.condition(index).tests,
            number=self.phrase(index) if is_phrase else None,
            measured=witnesses(self.proposals.phrase_scores[rows, self.phrase(index)], self.columns, rows)
            if is_phrase and self.proposals.phrase_scores is not None
            else (),
        )

    def _read(self, index: int) -> Estimate | None:
        """What the ensemble reads in the phrase: the calibrated change of loss, plus or minus 1.64 spreads over
        members."""
        if self.reader is None or self.words is None:
            return None
        return self.reader.read(
            self.words.directions[self.phrase(index)], self.layout.scopes[self.raw(index).scope].block
        )


def _in_words(tested: _Tested, cluster: FailureCluster, folds: I64 | None) -> list[tuple[int, Description]]:
    """The phrases that describe a cluster, each at the depth of its strongest statistic."""
    scores = tested.proposals.phrase_scores
    of_phrase: dict[int, int] = {}
    for index in tested.of_kind("phrase", cluster.scope):
        best = of_phrase.setdefault(tested.phrase(index), index)
        if tested.statistics[index] > tested.statistics[best]:
            of_phrase[tested.phrase(index)] = index
    if scores is None or folds is None or not of_phrase:
        return []
    rows = next(s.rows for s in tested.layout.scopes if s.name == cluster.scope)
    found = describe(
        scores[rows],
        cluster.membership[rows] >= 0.5,
        folds[rows],
        tested.words.strengths if tested.words else None,
        most=EACH,
    )
    indexed = [(of_phrase[d.phrase], d) for d in found if d.phrase in of_phrase]
    return sorted(
        indexed, key=lambda pair: not tested.confirmed[pair[0]]
    )  # a phrase that passed the test speaks before one that only describes


def _describe(tested: _Tested, cluster: FailureCluster) -> list[tuple[int, float, list[str]]]:
    """Conditions within the cluster's scope that retrieve its members: (index, AUROC, proxies), best first."""
    indices = tested.of_kind("condition", cluster.scope)
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
    return [
        (indices[j], float(aurocs[j]), [tested.condition(indices[q]).text for q in same])
        for j, same in _fold(keep, masks)[:EACH]
    ]


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


def _leads(tested: _Tested, scores: F64, kind: str) -> list[tuple[int, list[str]]]:
    """Confirmed conditions (or phrases), strongest first, each with those whose effect falls away once it is taken out.

    The loss is residualised on the lead (Freedman & Lane 1983) and the others are read again against the same
    threshold; what no longer reaches it is a proxy.
    """
    mine = set(tested.of_kind(kind))
    left = [int(i) for i in np.argsort(-tested.statistics, kind="stable") if tested.confirmed[i] and int(i) in mine]
    strata = tested.layout.blocks
    leads: list[tuple[int, list[str]]] = []
    while left and len(leads) < 20:
        lead = left[0]
        if kind == "phrase":  # of those that say the same, and as well, the one that the text tower makes most of
            equal = [i for i in left if tested.statistics[i] > tested.statistics[lead] - 1 and tested.alike(i, lead)]
            lead = max(equal, key=tested.strength)
        left.remove(lead)
        mask = tested.region(lead)[0]
        strata = np.unique(strata * 2 + mask, return_inverse=True)[1].astype(np.int64)
        residual = centre(scores, strata)[:, None].astype(np.float32)
        again = tested.family.statistics(residual)[tested.family.n_slices :, 0][tested.regions]
        said = dict.fromkeys(_name(tested, i, lead) for i in left if again[i] < tested.threshold)
        leads.append((lead, [name for name in said if name != tested.text(lead)][:12]))
        left = [i for i in left if again[i] >= tested.threshold]
    return leads


def _name(tested: _Tested, index: int, lead: int) -> str:
    scope, own = tested.layout.scopes[tested.raw(index).scope].name, tested.text(index)
    return own if tested.raw(index).scope == tested.raw(lead).scope else f"{own} ({scope})"


def explain(diagnosis: Diagnosis, rows: I64, columns: Sequence[Column] | None = None) -> tuple[Insight, ...]:
    """What sets the `rows` that somebody picked apart from the rest: exploratory, without a p.

    Args:
        rows: row numbers of the selection.
        columns: the columns to look at; all metadata and properties if None.
    """
    n = len(diagnosis.samples)
    members = np.zeros(n, bool)
    members[rows] = True
    conditions, _ = build_conditions(
        diagnosis.samples.metadata if columns is None else columns, smallest=MIN_CANDIDATE_ROWS, most=600
    )
    if not conditions or not members.any() or members.all():
        return ()
    masks = np.stack([c.mask for c in conditions])
    aurocs, chance = _retrieval(masks, members)
    simple = {c.text: float(a) for c, a in zip(conditions, aurocs)}
    looked = _looked_at(conditions)
    keep = [
        int(j) for j in np.argsort(-aurocs, kind="stable") if aurocs[j] >= DESCRIBES and chance[j] * looked[j] <= 0.05
    ]
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
