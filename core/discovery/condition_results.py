"""What the test of the family says of each condition and phrase, and the insight that is made of it."""

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

SAYS_THE_SAME = 0.6
"""Two conditions whose indicators correlate more than this are shown as one, the weaker under the stronger."""


class ConditionResults:
    """The conditions and phrases of the family, by an index of their own, with their statistics and p.

    Args:
        columns: measured properties among them are witnesses of what a phrase is about.
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
        of_each = test.observed[self.family.n_slices :][self.regions] if self.regions else np.zeros((0, 1))
        self.statistics = of_each.max(1)
        self.names = test.names
        self.measures = of_each.argmax(1)
        self.scores = test.scores
        self.threshold = test.threshold
        self.p = np.array([test.p(s) if test.is_permuted else 1.0 for s in self.statistics])
        self.confirmed = (self.p <= test.alpha) & test.is_permuted

    def raw(self, index: int) -> Region:
        return self.family.regions[self.regions[index]]

    def of_kind(self, kind: str, scope: str | None = None) -> list[int]:
        """The indices of conditions or of phrases, in one scope or in all."""
        scopes = self.design.scopes
        return [
            i
            for i in range(len(self.regions))
            if self.raw(i).kind == kind and scope in (None, scopes[self.raw(i).scope].name)
        ]

    def region(self, index: int) -> tuple[Bool, I64, str]:
        """(mask, rows of its scope, name of its scope)"""
        region = self.raw(index)
        scope = self.design.scopes[region.scope]
        return region.mask(self.family.n), scope.rows, scope.name

    def alike(self, index: int, other: int) -> bool:
        """Whether two of one kind and scope are of nearly the same rows."""
        a = self.raw(index)
        b = self.raw(other)
        if index == other or (a.kind, a.scope) != (b.kind, b.scope):
            return index == other
        mask, rows, _ = self.region(index)
        pair = PackedMasks.of((mask[rows], self.region(other)[0][rows]), len(rows))
        return pair.correlation(0, 1) > SAYS_THE_SAME

    def strength(self, index: int) -> float:
        """How much the text tower makes of a phrase; 0 for all where that is not known."""
        strengths = None if self.words is None else self.words.strengths
        return 0.0 if strengths is None else float(strengths[self.phrase(index)])

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
        """What is said of it: its effect, its p if it is confirmed, and how well it retrieves a cluster."""
        mask, rows, scope = self.region(index)
        confirmed = bool(self.confirmed[index])
        of_phrase = self.raw(index).kind == "phrase"
        statistic = float(self.statistics[index]) if confirmed else None
        errors = self.outcomes.errors
        effects = effects_of(mask, rows, self.outcomes, self.design, self.threshold, statistic, of=rows)
        insight = Insight(
            text=self.text(index),
            columns=() if of_phrase else self.condition(index).columns,
            scope=scope,
            cluster=cluster,
            mask=mask,
            size=int(mask.sum()),
            effect=effects.excess_loss,
            error_inside=None if errors is None else float(errors[mask].mean()),
            error_outside=effects.error_outside,
            p=float(self.p[index]) if confirmed else None,
            confirmed=confirmed,
            retrieval=retrieval,
            proxies=tuple(proxies),
            error_difference=effects.error_difference,
            coverage=effects.coverage,
            measure=self.names[self.measures[index]],
        )
        return self._with_words(insight, index) if of_phrase else replace(insight, tests=self.condition(index).tests)

    def _with_words(self, insight: Insight, index: int) -> Insight:
        """With the phrase's number and family, and the measured properties that go with it."""
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
