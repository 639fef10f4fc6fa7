"""What a student gets right on rows that it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.records import Bool, Estimate, Progress, no_progress
from core.statistics.intervals import accuracy_of
from core.systems.step_by_step.answers import explain, predict
from core.systems.step_by_step.equations import is_same, value_of
from core.systems.step_by_step.rationales import RationaleSet
from core.systems.step_by_step.settings import SHUFFLED, STANDARD, StepByStep
from core.systems.step_by_step.student import T5Student, squeezed


@dataclass(frozen=True, slots=True, eq=False)
class StudentAnswers:
    """Answers to the held-out rows, and how good they are."""

    right: Bool
    """(n,) whether the label is right."""
    accuracy: Estimate
    """Share of right labels, Wilson's 95% interval."""
    no_class: int
    """Labels written that are no class."""
    rationale: Estimate | None
    """Share of reasons that are word for word those of the rows that have one; None where none was learned."""
    said: tuple[str, ...] = ()
    """The reasons written."""


def measure(
    student: T5Student, rows: RationaleSet, how: StepByStep, progress: Progress = no_progress
) -> StudentAnswers:
    """Ask the student about rows. Labels come from the predict task, which is given the texts and nothing else."""
    found = predict(student, rows.texts, how, rows.classes, progress)
    free = not rows.classes
    right = np.array([is_right(said, label, free=free) for said, label in zip(found, rows.labels)], np.bool_)
    no_class = 0 if free else sum(said not in rows.classes for said in found)
    said = ()
    exact = None
    there = [i for i, reason in enumerate(rows.rationales) if reason]
    if there and how.method not in (STANDARD, SHUFFLED):
        said = tuple(explain(student, rows.texts, how, progress))
        exact = accuracy_of(np.array([squeezed(said[i]) != squeezed(rows.rationales[i]) for i in there]), None)
    return StudentAnswers(right, accuracy_of(~right, None), no_class, exact, said)


def is_right(said: str, label: str, *, free: bool) -> bool:
    """Whether an answer is the label. Free answers that are equations are compared by their value, as in the released
    code; here no equation is run, but read."""
    if squeezed(said) == squeezed(label):
        return True
    value, wanted = (value_of(said), value_of(label)) if free else (None, None)
    return value is not None and wanted is not None and is_same(value, wanted)


def gain(one: StudentAnswers, other: StudentAnswers) -> Estimate:
    """How much more often `one` is right than `other` on the same rows; rows resampled in pairs, 95%."""
    from core.statistics.paired import paired_difference

    return paired_difference(~other.right, ~one.right)


def majority(labels: Sequence[str], taught: Sequence[str]) -> float:
    """Share of the labels that the most frequent one of `taught` is: what knowing nothing comes to."""
    names, counts = np.unique(np.array(taught), return_counts=True)
    return float(np.mean(np.array(labels) == names[counts.argmax()]))
