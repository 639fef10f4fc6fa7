"""Fresh samples as the run's own model sees them, matched against its frozen findings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.checks.claims import Claim, observed_of, row_of, worse_p
from core.checks.contract import other_columns, other_loss, other_unit
from core.checks.freeze import FrozenFinding, along
from core.checks.fresh_classes import fresh_labels
from core.discovery.conditions import Test, meets
from core.discovery.design import Design, design_of
from core.errors import InvalidInput, quoted
from core.language.directions import block_means
from core.numbers import count
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
from core.records.ledger import Ledger
from core.statistics.groups import groups_at
from core.statistics.intervals import likeness_within
from core.statistics.measures import measured

if TYPE_CHECKING:
    from core.data.samples import DataSet

SAME_IMAGE_COSINE = 0.9999
"""A fresh image with a higher cosine to a diagnosed one is the same image, and is left out: saving one image again
hardly changes its vector. A convention."""
MIN_COSINE_DIMENSIONS = 64
"""Below this, vectors of different samples may point the same way: only equal vectors are then one sample."""
N_NEIGHBOURS = 5


@dataclass(frozen=True, slots=True, eq=False)
class FreshSamples:
    """Fresh samples, ready for matching against the findings of a run."""

    diagnosis: Diagnosis
    samples: SampleSet
    outcomes: Outcomes
    embeddings: Embeddings
    words: Words | None
    design: Design
    """Of the diagnosis."""
    labels: I64
    """(m,) class in the run's own numbering; -1 for a class that the run lacks."""
    memberships: F64
    means: F32
    """(m, d) mean joint vector, in the run, of each fresh sample's class; (0, 0) without words."""
    another: str
    """The fresh losses if mean losses cannot be compared (`core.checks.contract.other_loss`); else ""."""
    notes: tuple[str, ...]
    excluded: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, diagnosis: Diagnosis, data: DataSet, as_is: bool = False) -> FreshSamples:
        """Select the fresh samples that were not diagnosed and assign them with the run's own model.

        Args:
            as_is: the user confirms the table, so that what looks like a mistake is only noted.

        Raises:
            InvalidInput: they cannot be compared with the diagnosed ones, or all of them were diagnosed.
        """
        desk = Ledger(0, as_is=as_is)
        embeddings = data.embeddings
        excluded = [*data.excluded]
        if embeddings is None or diagnosis.model is None:
            raise InvalidInput(
                "The new samples need embeddings, and the run needs its model. "
                "Give --images or --embeddings, or diagnose the data again."
            )
        if (data.outcomes.errors is None) != (diagnosis.outcomes.errors is None):
            has = "only losses" if diagnosis.outcomes.errors is None else "errors"
            raise InvalidInput(
                f"The run measures {has}, the new samples do not. Give the same columns as for the run, and name them "
                "again (--label, --loss): their names are not stored."
            )
        same = _copies(embeddings.vectors, diagnosis.embeddings.vectors)
        another = other_loss(diagnosis, data.samples, data.outcomes, same, desk)
        rows = np.flatnonzero(same < 0)
        if len(rows) < len(embeddings):
            copies = np.flatnonzero(same >= 0).tolist()
            noun = "sample" if data.samples.items is None else data.samples.modality
            reason = f"the same {noun} is among the diagnosed ones"
            excluded += [(data.samples.ids[i], reason) for i in copies]
            desk.note(f"Left out {count(len(copies), 'new sample')}: also among the diagnosed ones.")
        if not len(rows):
            raise InvalidInput("All new samples were diagnosed in the run. Add samples that were not diagnosed.")
        samples = data.samples.keep(rows)
        if samples.unanswered:
            desk.note(
                "The new samples look related to each other, so nothing is confirmed on them. "
                "Name their column with --group, or say --group none."
            )
        outcomes = replace(data.outcomes.keep(rows), clip=diagnosis.outcomes.clip)
        fresh_embeddings = embeddings.keep(rows)
        design = design_of(diagnosis)
        labels = fresh_labels(diagnosis, samples, fresh_embeddings.vectors, desk)
        words = None
        if data.words is not None:
            words = data.words.keep(rows)
        known = None
        if len(design.class_of_label):
            known = labels
        # given vectors have no space: the user vouches that it is the run's, as for the diagnosed vectors
        if fresh_embeddings.space == diagnosis.embeddings.space or diagnosis.embeddings.space != "given":
            assigned = diagnosis.model.assign(fresh_embeddings, labels=known)
        else:
            assigned = diagnosis.model.assign(fresh_embeddings.vectors, labels=known)
        means = _class_means(diagnosis, words, labels)
        return cls(
            diagnosis, samples, outcomes, fresh_embeddings, words, design, labels, assigned.memberships, means, another,
            (*desk.notes, *other_columns(diagnosis, data.read, "the new samples")), tuple(excluded),
        )  # fmt: skip

    def scope(self, name: str) -> Bool:
        """(m,) which fresh samples are in a scope of the run."""
        return in_scope(self.diagnosis, self.design, self.labels, name)

    def matching(self, finding: FrozenFinding) -> Bool:
        """(m,) the fresh samples that the finding covers; none if they lack what its rule needs."""
        if self.not_tried(finding):
            return np.zeros(len(self.samples), bool)
        inside = self.scope(finding.scope)
        if finding.kind == "cluster":
            return inside & (self.memberships[:, finding.index] >= 0.5)
        insight = self.diagnosis.insights[finding.index]
        words = self.diagnosis.words
        if finding.kind == "condition":
            return inside & meets(insight.tests, self.samples.metadata, len(self.samples))
        assert words is not None
        assert self.words is not None
        assert insight.number is not None
        assert finding.cut is not None
        return inside & (along(self.words.joint.vectors, self.means, words.directions[insight.number]) >= finding.cut)

    def not_tried(self, finding: FrozenFinding) -> str | None:
        """What these samples lack for the finding's rule or figures, in a few words; None if nothing."""
        if finding.measure == "mean loss" and self.another:
            return f"the new table gives {self.another}"
        if finding.kind == "cluster":
            return None
        insight = self.diagnosis.insights[finding.index]
        if finding.kind == "phrase":
            known = self.diagnosis.words is not None and insight.number is not None and finding.cut is not None
            if known and self.words is not None:
                return None
            return "the new samples were not embedded with the phrases"
        names = {c.name for c in self.samples.metadata}
        lacking = [name for name, _, _ in insight.tests if name not in names]
        if lacking:
            return f"the new table has no column {quoted(*dict.fromkeys(lacking))}"
        for test in insight.tests:
            difference = _column_difference(self.diagnosis, self.samples, test)
            if difference:
                return f"in the new table {quoted(test[0])} {difference}"
        return None

    def near(self, picked: Bool) -> Bool:
        """(m,) the fresh samples most of whose nearest diagnosed neighbors were picked."""
        close = self.embeddings.vectors @ self.diagnosis.embeddings.vectors.T
        nearest = np.argpartition(-close, min(N_NEIGHBOURS, close.shape[1] - 1), axis=1)[:, :N_NEIGHBOURS]
        return picked[nearest].mean(1) > 0.5

    def of_pick(self, kind: str, text: str, picked: Bool, measure: Measure) -> Claim:
        """Claim of somebody who picked these (n,) diagnosed samples by eye: what they show, with an interval that is
        not corrected for the picking."""
        values = measured(self.diagnosis.outcomes, measure)[picked]
        groups = groups_at(self.diagnosis.samples.groups, picked)
        naive = observed_of(values, measure, None)
        spread = float(values.std())
        likeness = likeness_within(values, groups)
        return Claim(kind, text, EVERYTHING, self.near(picked), measure, naive, spread, likeness)

    def row(self, claim: Claim) -> PredictionRow:
        """The claim beside what the fresh samples show; without a p."""
        matching = claim.matching
        values = measured(self.outcomes, claim.measure)
        groups = groups_at(self.samples.groups, matching)
        observed = None
        if matching.any():
            observed = observed_of(values[matching], claim.measure, groups)
        others = values[self.scope(claim.scope) & ~matching]
        rest = None
        if len(others) and claim.not_tried is None:
            rest = float(others.mean())
        return row_of(claim, int(matching.sum()), observed, rest, self.diagnosis.outcomes, groups)

    def p(self, claim: Claim) -> float:
        """One-sided p for the matching samples failing more than the others of the scope; 1 where the samples look
        related and the user has not said how."""
        if self.samples.unanswered:
            return 1.0
        inside = self.scope(claim.scope)
        values = measured(self.outcomes, claim.measure)
        return worse_p(values, self.samples.groups, claim.matching & inside, inside, claim.measure)


def in_scope(diagnosis: Diagnosis, design: Design, labels: I64, name: str) -> Bool:
    """(m,) which fresh samples with these labels (-1: unknown to the run) are in a scope of the run.

    Args:
        design: of the diagnosis.
    """
    names = diagnosis.samples.class_names
    known = design.class_of_label
    if name == EVERYTHING or not len(known):
        return np.ones(len(labels), bool)
    if name in names:
        return labels == names.index(name)
    pooled = np.where(labels >= 0, known[np.maximum(labels, 0)], -1)
    rows = next((s.rows for s in design.scopes if s.name == name), None)
    if rows is None:
        return np.ones(len(labels), bool)
    return np.isin(pooled, np.unique(design.blocks[rows]))


def _column_difference(diagnosis: Diagnosis, samples: SampleSet, test: Test) -> str:
    """How the fresh column that a condition tests differs from the run's, in a few words; "" if it can be tested."""
    name, sign, value = test
    known = next((c for c in diagnosis.samples.metadata if c.name == name), None)
    fresh = next((c for c in samples.metadata if c.name == name), None)
    if known is None or fresh is None:
        return ""
    if known.measured and not fresh.measured:
        return "comes from the table, and was measured in the run"
    if fresh.measured and not known.measured:
        return "was measured, and comes from the table of the run"
    if known.kind != fresh.kind:
        return "holds numbers" if fresh.kind == "number" else "holds words"
    if known.kind == "number":
        unit = other_unit(known.values.astype(np.float64), fresh.values.astype(np.float64))
        return unit and f"is {unit}"
    values = {str(v) for v in fresh.values if v is not None}
    new = sorted(values - {str(v) for v in known.values})
    if sign != "=" or str(value) in values or not new:
        return ""
    return f"does not contain {value!r} but has the new {quoted(*new, most=3)}"


def _class_means(diagnosis: Diagnosis, words: Words | None, labels: I64) -> F32:
    """(m, d) mean joint vector, in the run, of each fresh sample's class; (0, 0) without words."""
    if diagnosis.words is None or words is None:
        return np.zeros((0, 0), np.float32)
    if words.joint.space != diagnosis.words.joint.space:
        raise InvalidInput("The new samples and the run's words have different encoders. Use the run's encoder.")
    vectors = diagnosis.words.joint.vectors
    known = diagnosis.samples.labels
    of_class = vectors.mean(0, keepdims=True)
    if known is not None:
        of_class = block_means(vectors, known)
    return np.where((labels >= 0)[:, None], of_class[np.maximum(labels, 0)], vectors.mean(0))


def _copies(fresh: F32, known: F32) -> I64:
    """(m,) the known sample with the vector of each fresh one; -1 without one."""
    if fresh.shape[1] != known.shape[1]:
        raise InvalidInput(
            f"The new embeddings must be (m, {known.shape[1]}), as diagnosed: got {fresh.shape}. Use the run's encoder."
        )
    if fresh.shape[1] < MIN_COSINE_DIMENSIONS:
        row_of = {vector.tobytes(): row for row, vector in enumerate(known)}
        return np.array([row_of.get(vector.tobytes(), -1) for vector in fresh], np.int64)
    copies = np.full(len(fresh), -1, np.int64)
    for i, vector in enumerate(fresh):
        cosines = vector @ known.T
        nearest = int(cosines.argmax())
        if float(cosines[nearest]) > SAME_IMAGE_COSINE:
            copies[i] = nearest
    return copies
