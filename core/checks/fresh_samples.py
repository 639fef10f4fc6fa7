"""Fresh samples as a run's own model reads them, matched against its frozen findings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.checks.claims import Claim, observed_of, row_of, worse_p
from core.checks.contract import other_columns, other_unit
from core.checks.freeze import FrozenFinding, along
from core.data.modality import noun_of
from core.discovery.conditions import meets
from core.discovery.design import Design, design_of
from core.errors import InvalidInput, quoted
from core.language.directions import block_means
from core.numbers import count, listed
from core.records import (
    EVERYTHING,
    F32,
    F64,
    I64,
    Bool,
    Diagnosis,
    Embeddings,
    Measure,
    Outcomes,
    PredictionRow,
    SampleSet,
    Words,
)
from core.statistics.intervals import likeness_within
from core.statistics.measures import measured

if TYPE_CHECKING:
    from core.data.samples import DataSet

COPY = 0.9999
"""A fresh picture with a higher cosine to a diagnosed one is the same picture, and is left out."""
FEW_DIMENSIONS = 64
NEIGHBOURS = 5


@dataclass(frozen=True, slots=True, eq=False)
class FreshSamples:
    """Fresh samples, ready to be matched against the findings of a run."""

    diagnosis: Diagnosis
    samples: SampleSet
    outcomes: Outcomes
    embeddings: Embeddings
    words: Words | None
    design: Design
    """Of the diagnosis."""
    labels: I64
    """(m,) class in the run's own numbering, -1 for none."""
    memberships: F64
    means: F32
    """(m, d) mean joint vector, in the run, of each fresh sample's class; (0, 0) without words."""
    another: str
    """Why mean losses cannot be compared, see `another_loss`."""
    notes: tuple[str, ...]
    excluded: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, diagnosis: Diagnosis, audit: DataSet) -> FreshSamples:
        """The fresh samples that are none of the diagnosed ones, as the run's own model reads them.

        Raises:
            InvalidInput: they cannot be compared with the diagnosed ones, or they are the diagnosed ones.
        """
        notes, embeddings = list[str](), audit.embeddings
        excluded = [*audit.excluded]
        lacking = _lacking(diagnosis, audit.samples)
        if lacking:
            notes.append(
                f"The fresh table has no column {', '.join(map(repr, lacking))}: conditions on it were not tried."
            )
        if embeddings is None or diagnosis.model is None:
            raise InvalidInput(
                "The fresh samples need embeddings and the run its model. "
                "Give --images or --embeddings, or diagnose the data again."
            )
        _check_outcomes(diagnosis.outcomes, audit.outcomes)
        kept = np.flatnonzero(~_copies(embeddings.vectors, diagnosis.embeddings.vectors))
        if len(kept) < len(embeddings):
            out = set(range(len(embeddings))) - set(kept.tolist())
            noun = "sample" if audit.samples.items is None else noun_of(audit.samples.modality)
            same = f"the same {noun} is among the diagnosed ones"
            excluded += [(audit.samples.ids[i], same) for i in sorted(out)]
            notes.append(f"Left out: {count(len(out), 'fresh sample')}, also among the diagnosed ones.")
        if not len(kept):
            raise InvalidInput(
                "All fresh samples are among the diagnosed ones: there is nothing to predict. "
                "Bring samples that were not diagnosed."
            )
        samples, outcomes = audit.samples.keep(kept), replace(audit.outcomes.keep(kept), clip=diagnosis.outcomes.clip)
        labels, given, design = _labels(diagnosis, samples, notes), embeddings.keep(kept), design_of(diagnosis)
        notes += other_columns(diagnosis, audit.read, "the fresh samples")
        words = None if audit.words is None else audit.words.keep(kept)
        another = another_loss(diagnosis.outcomes, outcomes)
        notes += _of_another_loss(diagnosis, another)
        # vectors that were given carry no space: that they are of the diagnosed one is the user's word, as it was there
        of_run = given.space == diagnosis.embeddings.space or diagnosis.embeddings.space != "given"
        known = labels if len(design.class_of_label) else None
        assigned = diagnosis.model.assign(given if of_run else given.vectors, labels=known)
        means = _class_means(diagnosis, words, labels)
        return cls(
            diagnosis, samples, outcomes, given, words, design, labels, assigned.memberships, means, another,
            tuple(notes), tuple(excluded),
        )  # fmt: skip

    def scope(self, name: str) -> Bool:
        """(m,) the fresh samples of a scope of the run."""
        return in_scope(self.diagnosis, self.design, self.labels, name)

    def matching(self, finding: FrozenFinding) -> Bool:
        """(m,) the fresh samples that the finding speaks of; none where they lack what its rule asks for."""
        if self.not_tried(finding):
            return np.zeros(len(self.samples), bool)
        inside = self.scope(finding.scope)
        if finding.kind == "cluster":
            return inside & (self.memberships[:, finding.index] >= 0.5)
        insight, words = self.diagnosis.insights[finding.index], self.diagnosis.words
        if finding.kind == "condition":
            return inside & meets(insight.tests, self.samples.metadata, len(self.samples))
        assert words is not None
        assert self.words is not None
        assert insight.number is not None
        assert finding.cut is not None
        return inside & (along(self.words.joint.vectors, self.means, words.directions[insight.number]) >= finding.cut)

    def not_tried(self, finding: FrozenFinding) -> str | None:
        """What these samples lack that the finding's rule or figures ask for, in a few words; None where they have it
        all."""
        if finding.measure == "mean loss" and self.another:
            return f"the fresh table gives {self.another}"
        if finding.kind == "cluster":
            return None
        insight = self.diagnosis.insights[finding.index]
        if finding.kind == "phrase":
            known = self.diagnosis.words is not None and insight.number is not None and finding.cut is not None
            return None if known and self.words is not None else "the fresh samples were not read with the phrases"
        names, there = dict.fromkeys(test[0] for test in insight.tests), {c.name for c in self.samples.metadata}
        if lacking := [name for name in names if name not in there]:
            return f"the fresh table has no column {quoted(*lacking)}"
        others = ((name, _other_column(self.diagnosis, self.samples, name)) for name in names)
        return next((f"in the fresh table {quoted(name)} {other}" for name, other in others if other), None)

    def near(self, picked: Bool) -> Bool:
        """(m,) the fresh samples most of whose nearest diagnosed neighbours were picked."""
        close = self.embeddings.vectors @ self.diagnosis.embeddings.vectors.T
        nearest = np.argpartition(-close, min(NEIGHBOURS, close.shape[1] - 1), axis=1)[:, :NEIGHBOURS]
        return picked[nearest].mean(1) > 0.5

    def of_pick(self, kind: str, text: str, picked: Bool, measure: Measure) -> Claim:
        """What somebody who picked these (n,) diagnosed samples by eye would expect again: what they themselves show,
        with an interval that does not know that they were picked."""
        values, groups = measured(self.diagnosis.outcomes, measure)[picked], self.diagnosis.samples.groups
        naive, spread = observed_of(values, measure, None), float(values.std())
        likeness = likeness_within(values, None if groups is None else groups[picked])
        return Claim(kind, text, EVERYTHING, self.near(picked), measure, naive, spread, likeness)

    def row(self, claim: Claim) -> PredictionRow:
        """What the claim said beside what the samples show; without a p."""
        matching, values = claim.matching, measured(self.outcomes, claim.measure)
        groups = None if self.samples.groups is None else self.samples.groups[matching]
        observed = observed_of(values[matching], claim.measure, groups) if matching.any() else None
        others = values[self.scope(claim.scope) & ~matching]
        rest = float(others.mean()) if len(others) and claim.not_tried is None else None
        return row_of(claim, int(matching.sum()), observed, rest, self.diagnosis.outcomes, groups)

    def p(self, claim: Claim) -> float:
        """One-sided p that the matching samples do no worse than the rest of the scope."""
        inside, values = self.scope(claim.scope), measured(self.outcomes, claim.measure)
        return worse_p(values, self.samples.groups, claim.matching & inside, inside, claim.measure)


def in_scope(diagnosis: Diagnosis, design: Design, labels: I64, name: str) -> Bool:
    """(m,) which of fresh samples with these labels, -1 for none, are of a scope of the run.

    Args:
        design: of the diagnosis.
    """
    names, known = diagnosis.samples.class_names, design.class_of_label
    if name == EVERYTHING or not len(known):
        return np.ones(len(labels), bool)
    if name in names:
        return labels == names.index(name)
    pooled = np.where(labels >= 0, known[np.maximum(labels, 0)], -1)
    rows = next((s.rows for s in design.scopes if s.name == name), None)
    return np.ones(len(labels), bool) if rows is None else np.isin(pooled, np.unique(design.blocks[rows]))


def _check_outcomes(diagnosed: Outcomes, fresh: Outcomes) -> None:
    if (fresh.errors is None) != (diagnosed.errors is None):
        has = "errors" if diagnosed.errors is not None else "losses alone"
        raise InvalidInput(
            f"The run measures {has} and the fresh samples do not. Give the same columns as before, and name again "
            "those that were named for the run (such as --label or --loss): what they are called is not kept."
        )


def another_loss(diagnosed: Outcomes, fresh: Outcomes) -> str:
    """What the fresh losses are where they cannot be compared with the run's, such as "squared error" or "losses about
    100 times as large"; "" where they can.

    Raises:
        InvalidInput: they cannot, and there are no errors to compare instead.
    """
    other = "" if fresh.name == diagnosed.name else fresh.name
    if not other and (unit := other_unit(diagnosed.loss, fresh.loss)):
        other = f"losses {unit}"
    if other and diagnosed.errors is None:
        raise InvalidInput(
            f"The run measures {diagnosed.name} and the fresh table gives {other}: they cannot be compared. "
            "Bring the same loss in the same unit (--loss, --loss-kind)."
        )
    return other


def _of_another_loss(diagnosis: Diagnosis, another: str) -> list[str]:
    """That findings of the mean loss cannot be tried where the fresh samples' is another one."""
    if not another:
        return []
    return [
        f"The run measures {diagnosis.outcomes.name} and the fresh table gives {another}: findings of the mean loss "
        "were not tried, those of the error rate were. Bring the same columns in the same unit to try them all."
    ]


def _other_column(diagnosis: Diagnosis, samples: SampleSet, name: str) -> str:
    """How the fresh samples' column of that name differs from the run's, in a few words; "" where conditions on it can
    be tried."""
    own, fresh = (next((c for c in s.metadata if c.name == name), None) for s in (diagnosis.samples, samples))
    if own is None or fresh is None or "number" not in (own.kind, fresh.kind):
        return ""
    if own.kind != fresh.kind:
        return "holds numbers" if fresh.kind == "number" else "holds words"
    unit = other_unit(own.values.astype(np.float64), fresh.values.astype(np.float64))
    return unit and f"is {unit}"


def _class_means(diagnosis: Diagnosis, words: Words | None, labels: I64) -> F32:
    """(m, d) mean joint vector, in the run, of each fresh sample's class; (0, 0) without words."""
    if diagnosis.words is None or words is None:
        return np.zeros((0, 0), np.float32)
    if words.joint.space != diagnosis.words.joint.space:
        raise InvalidInput(
            "The fresh samples were embedded by another encoder than the run's words. Use the run's own encoder."
        )
    own, known = diagnosis.words.joint.vectors, diagnosis.samples.labels
    of_class = block_means(own, known) if known is not None else own.mean(0, keepdims=True)
    return np.where((labels >= 0)[:, None], of_class[np.maximum(labels, 0)], own.mean(0))


def _lacking(diagnosis: Diagnosis, samples: SampleSet) -> list[str]:
    """Columns that confirmed conditions ask for and the fresh samples do not have."""
    there = {column.name for column in samples.metadata}
    return sorted({name for i in diagnosis.insights if i.confirmed for name, _, _ in i.tests if name not in there})


def _copies(fresh: F32, known: F32) -> Bool:
    """(m,) fresh vectors that are those of a known sample."""
    if fresh.shape[1] != known.shape[1]:
        raise InvalidInput(
            f"The fresh embeddings must be (m, {known.shape[1]}), as diagnosed: got {fresh.shape}. "
            "Use the run's own encoder."
        )
    if fresh.shape[1] < FEW_DIMENSIONS:  # unlike samples may point the same way: only equal vectors are one sample
        seen = {row.tobytes() for row in known}
        return np.array([row.tobytes() in seen for row in fresh], dtype=bool)
    return np.array([float((row @ known.T).max()) > COPY for row in fresh], dtype=bool)


def _labels(diagnosis: Diagnosis, samples: SampleSet, notes: list[str]) -> I64:
    """(m,) the fresh labels in the run's numbering."""
    if samples.labels is None or diagnosis.samples.labels is None:
        return np.full(len(samples), -1, np.int64)
    number = {name: i for i, name in enumerate(diagnosis.samples.class_names)}
    of_class = np.array([number.get(name, -1) for name in samples.class_names], dtype=np.int64)
    labels = of_class[samples.labels]
    if (labels < 0).all():
        raise InvalidInput(
            f"None of the fresh samples' classes ({quoted(*samples.class_names[:5])}) is one of the run's "
            f"({quoted(*diagnosis.samples.class_names[:5])}). Call the classes as the run's table did, or name another "
            "column with --label."
        )
    if missing := [diagnosis.samples.class_names[c] for c in np.setdiff1d(diagnosis.samples.labels, labels).tolist()]:
        notes.append(
            f"Classes of the run that no fresh sample has: {listed(missing, 5)}. Their findings were not tried."
        )
    if (labels < 0).any():
        unknown = sorted({samples.class_names[c] for c in samples.labels[labels < 0]})
        how_many = count(int((labels < 0).sum()), "fresh sample")
        notes.append(
            f"Of classes that were not diagnosed (such as {unknown[0]!r}): {how_many}. "
            "Only findings on all samples speak of them."
        )
    return labels
