"""The title of a cluster: one decision over all that may describe it. The rule and its reasons are in
docs/decisions/names.md.

Naming claims nothing and tests nothing: it chooses among what was measured, and estimates how likely a reader would
agree. Every p stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.language.describers import Describer, describers_of
from core.language.parts import WORTH_SAYING, Halves, chance_of_two, halves_of
from core.language.title_model import LEADING, Theme, TitleModel, model_of, rank, titled
from core.language.titles import Subject, capital, short
from core.numbers import percent
from core.records import I64, ClusterName, ClusterPart, FailureCluster, Insight, Outcomes, SampleSet, Words
from core.statistics.confusion import main_confusion

MAX_MEMBERS = 1000
MAX_OTHERS = 2000
"""Members, and other rows of the scope, that are used: more cost time and hardly change an AUROC."""


def name_cluster(
    cluster: FailureCluster,
    insights: Sequence[Insight],
    samples: SampleSet,
    outcomes: Outcomes,
    rows: I64,
    words: Words | None,
) -> ClusterName:
    """Choose the title of a cluster or a candidate, with its grade.

    The leading theme if it is likely; else the class that the members are mistaken for, if most of their errors go
    there; else the themes of two parts, if members can be separated; else the leading theme as a guess; else what is
    known of a mixture.

    Args:
        insights: findings on this cluster.
        rows: of the cluster's scope.
    """
    modality = ""
    if samples.items is not None:
        modality = samples.modality
    subject = Subject(cluster.scope, modality)
    sides = np.zeros((2, len(samples)), bool)
    sides[:, rows] = cluster.membership[rows] >= 0.5, cluster.membership[rows] < 0.5
    confused = main_confusion(outcomes, sides[0], sides[1], len(samples.class_names))
    mistaken = ""
    if confused is not None:
        mistaken = samples.class_names[confused.label]
    inside = cluster.membership[rows] >= 0.5
    # drawn at random if there are too many
    rng = np.random.default_rng(0)
    sampled: list[I64] = []
    for side, most in ((rows[inside], MAX_MEMBERS), (rows[~inside], MAX_OTHERS)):
        if len(side) > most:
            side = rng.choice(side, most, replace=False)
        sampled.append(side)
    used = np.sort(np.concatenate(sampled))
    members = cluster.membership[used] >= 0.5
    if not 0 < members.sum() < len(members):
        return ClusterName(subject.mixed(mistaken), "none", grade="mixed")
    conditions = [i for i in insights if i.cluster == cluster.id and i.kind == "condition"]
    model = model_of(words, samples.modality)
    ranked = rank(describers_of(samples.metadata, conditions, words, used), members)
    themes, chance = titled(model, ranked)
    described = _Described(subject, model, themes, chance)
    if described.is_likely(words):
        return described.as_likely()
    if confused is not None and confused.stands_out:
        share = round(confused.share, 3)
        might_be = described.others(0)
        return ClusterName(subject.mistaken_for(mistaken), "confusion", might_be, "likely", share)
    if themes:
        halves = halves_of(model, ranked, themes, members)
        if halves is not None and chance_of_two(model, halves) >= WORTH_SAYING:
            return described.as_two(halves, used[members])
    if chance >= model.perhaps:
        return described.as_guess()
    return ClusterName(subject.mixed(mistaken), "none", described.others(0), "mixed", round(chance, 3))


@dataclass(frozen=True, slots=True)
class _Described:
    """The themes of a cluster, and the titles that can be made of them."""

    subject: Subject
    model: TitleModel
    themes: Sequence[Theme]
    chance: float

    def is_likely(self, words: Words | None) -> bool:
        """Whether the leading theme is likely. A phrase of an encoder of unmeasured competence never is."""
        measured = words is None or words.competence is not None
        return bool(self.themes) and self.chance >= self.model.likely and (measured or self._lead.kind != "phrase")

    @property
    def _lead(self) -> Describer:
        return self.themes[0].lead

    def others(self, first: int) -> tuple[str, ...]:
        """The leads of two themes, from the given one on."""
        return tuple(short(theme.lead.text) for theme in self.themes[first : first + 2])

    def as_likely(self) -> ClusterName:
        return self._name(self.subject.with_describer(self._lead), "likely")

    def as_guess(self) -> ClusterName:
        also = (described.text for described in self.themes[0].members[1:LEADING] if described.kind != "condition")
        title = ", ".join((self.subject.within(self._lead), *also))
        return self._name(f"Perhaps: {title}", "perhaps")

    def as_two(self, halves: Halves, rows: I64) -> ClusterName:
        """A title for two kinds: "Perhaps: dogs in the water (68%) and dogs on ice (32%)"."""
        sides = sorted(
            zip(halves.themes, halves.chances, (~halves.second, halves.second)), key=lambda side: -side[2].mean()
        )
        parts: list[ClusterPart] = []
        titles: list[str] = []
        for themes, chance, inside in sides:
            share = float(inside.mean())
            title = self.subject.with_describer(themes[0].lead)
            parts.append(ClusterPart(title, themes[0].texts, round(chance, 3), rows[inside], share))
            titles.append(f"{self.subject.within(themes[0].lead)} ({percent(share)})")
        both = " and ".join(titles)
        chance = chance_of_two(self.model, halves)
        if chance >= self.model.likely:
            title = capital(both)
            grade = "likely"
        else:
            title = f"Perhaps: {both}"
            grade = "perhaps"
        return ClusterName(title, "parts", self.others(0), grade, round(chance, 3), parts=tuple(parts))

    def _name(self, title: str, grade: Literal["likely", "perhaps"]) -> ClusterName:
        chance = round(self.chance, 3)
        return ClusterName(title, self._lead.kind, self.others(1), grade, chance, self.themes[0].texts)
