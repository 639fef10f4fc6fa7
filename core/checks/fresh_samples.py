"""Fresh samples as a run's own model reads them, matched against its frozen findings."""

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
from core.statistics.intervals import likeness_within
from core.statistics.measures import measured

if TYPE_CHECKING:
    from core.data.samples import DataSet

COPY = 0.9999
"""A fresh image with a higher cosine to a diagnosed one is the same image, and is left out."""
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
    """What the fresh losses are where mean losses cannot be compared (`core.checks.contract.other_loss`)."""
    notes: tuple[str, ...]
    excluded: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, diagnosis: Diagnosis, audit: DataSet, as_is: bool = False) -> FreshSamples:
        """The fresh samples that are none of the diagnosed ones, as the run's own model reads them.

        Args:
            as_is: the user says that the table is right, so that what looks like a mistake is noted alone.

        Raises:
            InvalidInput: they cannot be compared with the diagnosed ones, or they are the diagnosed ones.
        """
        desk = Ledger(0, as_is=as_is)
        embeddings = audit.embeddings
        excluded = [*audit.excluded]
        if embeddings is None or diagnosis.model is None:
            raise InvalidInput(
                "The fresh samples need embeddings and the run its model. "
                "Give --images or --embeddings, or diagnose the data again."
            )
        _check_outcomes(diagnosis.outcomes, audit.outcomes)
        same = _copies(embeddings.vectors, diagnosis.embeddings.vectors)
        another = other_loss(diagnosis, audit.samples, audit.outcomes, same, desk)
        kept = np.flatnonzero(same < 0)
        if len(kept) < len(embeddings):
            out = set(range(len(embeddings))) - set(kept.tolist())
            noun = "sample" if audit.samples.items is None else audit.samples.modality
            why = f"the same {noun} is among the diagnosed ones"
            excluded += [(audit.samples.ids[i], why) for i in sorted(out)]
            desk.note(f"Left out: {count(len(out), 'fresh sample')}, also among the diagnosed ones.")
        if not len(kept):
            raise InvalidInput(
                "All fresh samples are among the diagnosed ones: there is nothing to predict. "
                "Bring samples that were not diagnosed."
            )
        samples = audit.samples.keep(kept)
        outcomes = replace(audit.outcomes.keep(kept), clip=diagnosis.outcomes.clip)
        given = embeddings.keep(kept)
        design = design_of(diagnosis)
        labels = fresh_labels(diagnosis, samples, given.vectors, desk)
        words = None if audit.words is None else audit.words.keep(kept)
        # vectors that were given carry no space: that they are of the diagnosed one is the user's word, as it was there
        of_run = given.space == diagnosis.embeddings.space or diagnosis.embeddings.space != "given"
        known = labels if len(design.class_of_label) else None
        assigned = diagnosis.model.assign(given if of_run else given.vectors, labels=known)
        means = _class_means(diagnosis, words, labels)
        return cls(
            diagnosis, samples, outcomes, given, words, design, labels, assigned.memberships, means, another,
            (*desk.notes, *other_columns(diagnosis, audit.read, "the fresh samples")), tuple(excluded),
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
        there = {c.name for c in self.samples.metadata}
        if lacking := [name for name, _, _ in insight.tests if name not in there]:
            return f"the fresh table has no column {quoted(*dict.fromkeys(lacking))}"
        others = ((test[0], _other_column(self.diagnosis, self.samples, test)) for test in insight.tests)
        return next((f"in the fresh table {quoted(name)} {other}" for name, other in others if other), None)

    def near(self, picked: Bool) -> Bool:
        """(m,) the fresh samples most of whose nearest diagnosed neighbors were picked."""
        close = self.embeddings.vectors @ self.diagnosis.embeddings.vectors.T
        nearest = np.argpartition(-close, min(NEIGHBOURS, close.shape[1] - 1), axis=1)[:, :NEIGHBOURS]
        return picked[nearest].mean(1) > 0.5

    def of_pick(self, kind: str, text: str, picked: Bool, measure: Measure) -> Claim:
        """What somebody who picked these (n,) diagnosed samples by eye would expect again: what they themselves show,
        with an interval that does not know that they were picked."""
        values = measured(self.diagnosis.outcomes, measure)[picked]
        groups = self.diagnosis.samples.groups
        naive = observed_of(values, measure, None)
        spread = float(values.std())
        likeness = likeness_within(values, None if groups is None else groups[picked])
        return Claim(kind, text, EVERYTHING, self.near(picked), measure, naive, spread, likeness)

    def row(self, claim: Claim) -> PredictionRow:
        """What the claim said beside what the samples show; without a p."""
        matching = claim.matching
        values = measured(self.outcomes, claim.measure)
        groups = None if self.samples.groups is None else self.samples.groups[matching]
        observed = observed_of(values[matching], claim.measure, groups) if matching.any() else None
        others = values[self.scope(claim.scope) & ~matching]
        rest = float(others.mean()) if len(others) and claim.not_tried is None else None
        return row_of(claim, int(matching.sum()), observed, rest, self.diagnosis.outcomes, groups)

    def p(self, claim: Claim) -> float:
        """One-sided p that the matching samples do no worse than the rest of the scope."""
        inside = self.scope(claim.scope)
        values = measured(self.outcomes, claim.measure)
        return worse_p(values, self.samples.groups, claim.matching & inside, inside, claim.measure)


def in_scope(diagnosis: Diagnosis, design: Design, labels: I64, name: str) -> Bool:
    """(m,) which of fresh samples with these labels, -1 for none, are of a scope of the run.

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
    return np.ones(len(labels), bool) if rows is None else np.isin(pooled, np.unique(design.blocks[rows]))


def _check_outcomes(diagnosed: Outcomes, fresh: Outcomes) -> None:
    if (fresh.errors is None) != (diagnosed.errors is None):
        has = "errors" if diagnosed.errors is not None else "losses alone"
        raise InvalidInput(
            f"The run measures {has} and the fresh samples do not. Give the same columns as before, and name again "
            "those that were named for the run (such as --label or --loss): what they are called is not kept."
        )


def _other_column(diagnosis: Diagnosis, samples: SampleSet, test: Test) -> str:
    """How the fresh samples' column that a test asks differs from the run's, in a few words; "" where the test can be
    tried."""
    name, sign, value = test
    own, fresh = (next((c for c in s.metadata if c.name == name), None) for s in (diagnosis.samples, samples))
    if own is None or fresh is None:
        return ""
    if own.kind != fresh.kind:
        return "holds numbers" if fresh.kind == "number" else "holds words"
    if own.kind == "number":
        unit = other_unit(own.values.astype(np.float64), fresh.values.astype(np.float64))
        return unit and f"is {unit}"
    values = {str(v) for v in fresh.values if v is not None}
    new = sorted(values - {str(v) for v in own.values})
    if sign != "=" or str(value) in values or not new:
        return ""
    return f"has no {value!r} and the new {quoted(*new, most=3)}"


def _class_means(diagnosis: Diagnosis, words: Words | None, labels: I64) -> F32:
    """(m, d) mean joint vector, in the run, of each fresh sample's class; (0, 0) without words."""
    if diagnosis.words is None or words is None:
        return np.zeros((0, 0), np.float32)
    if words.joint.space != diagnosis.words.joint.space:
        raise InvalidInput(
            "The fresh samples were embedded by another encoder than the run's words. Use the run's own encoder."
        )
    own = diagnosis.words.joint.vectors
    known = diagnosis.samples.labels
    of_class = block_means(own, known) if known is not None else own.mean(0, keepdims=True)
    return np.where((labels >= 0)[:, None], of_class[np.maximum(labels, 0)], own.mean(0))


def _copies(fresh: F32, known: F32) -> I64:
    """(m,) the known sample whose vector each fresh one has, -1 for none."""
    if fresh.shape[1] != known.shape[1]:
        raise InvalidInput(
            f"The fresh embeddings must be (m, {known.shape[1]}), as diagnosed: got {fresh.shape}. "
            "Use the run's own encoder."
        )
    if fresh.shape[1] < FEW_DIMENSIONS:  # unlike samples may point the same way: only equal vectors are one sample
        seen = {row.tobytes(): at for at, row in enumerate(known)}
        return np.array([seen.get(row.tobytes(), -1) for row in fresh], np.int64)
    likest = ((int(close.argmax()), float(close.max())) for close in (row @ known.T for row in fresh))
    return np.array([at if cosine > COPY else -1 for at, cosine in likest], np.int64)
