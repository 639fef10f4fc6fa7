"""Results of the family test for each condition and phrase, and the insight built from each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.discovery.cluster_phrases import witnesses
from core.discovery.conditions import Condition
from core.discovery.effects import effects_of
from core.discovery.proposals import Proposals
from core.discovery.search.family import Region
from core.discovery.search.family_test import FamilyTest
from core.records import I64, Bool, Column, Insight, Outcomes
from core.statistics.packed import PackedMasks

MIN_SAME_CORRELATION = 0.6
"""Two conditions whose indicators correlate more than this are shown as one, the weaker under the stronger. A
convention."""


class ConditionResults:
    """The conditions and phrases of the family, numbered from 0, with their statistics and p.

    Args:
        columns: their measured properties are shown beside phrases that they correlate with.
    """

    def __init__(
        self, proposals: Proposals, test: FamilyTest, outcomes: Outcomes, columns: Sequence[Column] = ()
    ) -> None:
        self.proposals = proposals
        self.design = proposals.design
        self.family = proposals.family
        self.outcomes = outcomes
        self.words = proposals.words
        self.columns = columns
        self.regions = [i for i, r in enumerate(self.family.regions) if r.kind in ("condition", "phrase")]
        statistics = np.zeros((0, 1))
        if self.regions:
            statistics = test.observed[self.family.n_slices :][self.regions]
        self.statistics = statistics.max(1)
        self.names = test.names
        self.measures = statistics.argmax(1)
        self.scores = test.scores
        self.threshold = test.threshold
        self.p = np.ones(len(self.statistics))
        if test.is_permuted:
            self.p = np.array([test.p(s) for s in self.statistics])
        self.confirmed = (self.p <= test.alpha) & test.is_permuted

    def raw(self, index: int) -> Region:
        return self.family.regions[self.regions[index]]

    def of_kind(self, kind: str, scope: str | None = None) -> list[int]:
        """The indices of conditions or of phrases, in one scope or in all."""
        scopes = self.design.scopes
        indices: list[int] = []
        for i in range(len(self.regions)):
            region = self.raw(i)
            if region.kind == kind and scope in (None, scopes[region.scope].name):
                indices.append(i)
        return indices

    def region(self, index: int) -> tuple[Bool, I64, str]:
        """(mask, rows of its scope, name of its scope)"""
        region = self.raw(index)
        scope = self.design.scopes[region.scope]
        return region.mask(self.family.n), scope.rows, scope.name

    def alike(self, index: int, second: int) -> bool:
        """Whether two of the same kind and scope hold nearly the same rows."""
        a = self.raw(index)
        b = self.raw(second)
        if index == second or (a.kind, a.scope) != (b.kind, b.scope):
            return index == second
        mask, rows, _ = self.region(index)
        pair = PackedMasks.of((mask[rows], self.region(second)[0][rows]), len(rows))
        return pair.correlation(0, 1) > MIN_SAME_CORRELATION

    def strength(self, index: int) -> float:
        """How strongly the text tower responds to a phrase; 0 for all where that is unknown."""
        if self.words is None or self.words.strengths is None:
            return 0.0
        return float(self.words.strengths[self.phrase(index)])

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
        """The insight on a condition or phrase: its effect, its p if it is confirmed, and its AUROC for a cluster."""
        mask, rows, scope = self.region(index)
        confirmed = bool(self.confirmed[index])
        of_phrase = self.raw(index).kind == "phrase"
        columns: tuple[str, ...] = ()
        if not of_phrase:
            columns = self.condition(index).columns
        statistic = None
        p = None
        if confirmed:
            statistic = float(self.statistics[index])
            p = float(self.p[index])
        error_inside = None
        if self.outcomes.errors is not None:
            error_inside = float(self.outcomes.errors[mask].mean())
        effects = effects_of(mask, rows, self.outcomes, self.design, self.threshold, statistic, of=rows)
        insight = Insight(
            text=self.text(index),
            columns=columns,
            scope=scope,
            cluster=cluster,
            mask=mask,
            size=int(mask.sum()),
            effect=effects.excess_loss,
            error_inside=error_inside,
            error_outside=effects.error_outside,
            p=p,
            confirmed=confirmed,
            retrieval=retrieval,
            proxies=tuple(proxies),
            error_difference=effects.error_difference,
            coverage=effects.coverage,
            measure=self.names[self.measures[index]],
        )
        if not of_phrase:
            return replace(insight, tests=self.condition(index).tests)
        # the phrase's number and family, and the measured properties that correlate with it
        assert self.words is not None
        assert self.proposals.phrase_scores is not None
        number = self.phrase(index)
        scope = self.design.scopes[self.raw(index).scope]
        scores = self.proposals.phrase_scores[scope.rows, number]
        return replace(
            insight,
            kind="phrase",
            number=number,
            family=self.words.families[number],
            measured=witnesses(scores, self.columns, scope.rows),
        )
