"""What a cluster is called: one decision over all that may describe it. The rule and its reasons stand in
docs/decisions/names.md.

Naming claims nothing and tests nothing: it chooses among what was measured, and says how likely a reader would agree.
Every p stays what it is.
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

MOST_IN = 1000
MOST_OUT = 2000
"""Members, and other rows of the scope, that are looked at."""


def name_cluster(
    cluster: FailureCluster,
    insights: Sequence[Insight],
    samples: SampleSet,
    outcomes: Outcomes,
    rows: I64,
    words: Words | None,
) -> ClusterName:
    """The title of a cluster or a candidate, with its grade.

    The leading theme where it is likely; else the class that the members are mistaken for, where most of their errors
    go there; else the themes of two parts, where members are told apart; else the leading theme as a guess; else what
    is known of a mixture.

    Args:
        insights: what was found of this cluster.
        rows: of the cluster's scope.
    """
    subject = Subject(cluster.scope, samples.modality if samples.items is not None else "")
    sides = np.zeros((2, len(samples)), bool)
    sides[:, rows] = cluster.membership[rows] >= 0.5, cluster.membership[rows] < 0.5
    confused = main_confusion(outcomes, sides[0], sides[1], len(samples.class_names))
    other = "" if confused is None else samples.class_names[confused.label]
    looked_at = _some(rows, cluster)
    members = cluster.membership[looked_at] >= 0.5
    if not 0 < members.sum() < len(members):
        return ClusterName(subject.mixed(other), "none", grade="mixed")
    conditions = [i for i in insights if i.cluster == cluster.id and i.kind == "condition"]
    model = model_of(words, samples.modality)
    ranked = rank(describers_of(samples.metadata, conditions, words, looked_at), members)
    found, chance = titled(model, ranked)
    described = _Described(subject, model, found, chance)
    if described.is_likely(words):
        return described.as_likely()
    if confused is not None and confused.stands_out:
        share = round(confused.share, 3)
        might_be = described.others(0)
        return ClusterName(subject.mistaken_for(other), "confusion", might_be, "likely", share)
    halves = halves_of(model, ranked, found, members) if found else None
    if halves is not None and chance_of_two(model, halves) >= WORTH_SAYING:
        return described.as_two(halves, looked_at[members])
    if chance >= model.perhaps:
        return described.as_guess()
    return ClusterName(subject.mixed(other), "none", described.others(0), "mixed", round(chance, 3))


@dataclass(frozen=True, slots=True)
class _Described:
    """The themes of one cluster, and the titles that they make."""

    subject: Subject
    model: TitleModel
    found: Sequence[Theme]
    chance: float

    def is_likely(self, words: Words | None) -> bool:
        """Whether the leading theme is; a phrase of an encoder whose competence was not measured never is."""
        measured = words is None or words.competence is not None
        return bool(self.found) and self.chance >= self.model.likely and (measured or self._lead.kind != "phrase")

    @property
    def _lead(self) -> Describer:
        return self.found[0].lead

    def others(self, place: int) -> tuple[str, ...]:
        """What leads the themes from that place on."""
        return tuple(short(theme.lead.text) for theme in self.found[place : place + 2])

    def as_likely(self) -> ClusterName:
        return self._name(self.subject.with_describer(self._lead), "likely")

    def as_guess(self) -> ClusterName:
        also = (one.text for one in self.found[0].members[1:LEADING] if one.kind != "condition")
        title = ", ".join((self.subject.within(self._lead), *also))
        return self._name(f"Perhaps: {title}", "perhaps")

    def as_two(self, halves: Halves, rows: I64) -> ClusterName:
        """A title such as "Perhaps: dogs in the water (68%) and dogs on ice (32%)"."""
        sides = sorted(
            zip(halves.themes, halves.chances, (~halves.second, halves.second)), key=lambda side: -side[2].mean()
        )
        says = self.subject.with_describer
        parts = tuple(
            ClusterPart(says(t[0].lead), t[0].texts, round(c, 3), rows[own], float(own.mean())) for t, c, own in sides
        )
        both = " and ".join(f"{self.subject.within(t[0].lead)} ({percent(float(own.mean()))})" for t, _, own in sides)
        chance = chance_of_two(self.model, halves)
        likely = chance >= self.model.likely
        title = capital(both) if likely else f"Perhaps: {both}"
        grade = "likely" if likely else "perhaps"
        return ClusterName(title, "parts", self.others(0), grade, round(chance, 3), parts=parts)

    def _name(self, title: str, grade: Literal["likely", "perhaps"]) -> ClusterName:
        chance = round(self.chance, 3)
        return ClusterName(title, self._lead.kind, self.others(1), grade, chance, self.found[0].texts)


def _some(rows: I64, cluster: FailureCluster) -> I64:
    """The members and the others that are looked at."""
    inside = cluster.membership[rows] >= 0.5
    rng = np.random.default_rng(0)
    picked = [
        own if len(own) <= most else rng.choice(own, most, replace=False)
        for own, most in ((rows[inside], MOST_IN), (rows[~inside], MOST_OUT))
    ]
    return np.sort(np.concatenate(picked))
