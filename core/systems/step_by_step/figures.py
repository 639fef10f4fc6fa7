"""Accuracy of a student on held-out rows."""

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
    """Answers to held-out rows and their accuracy."""

    right: Bool
    """(n,) whether the label is right."""
    accuracy: Estimate
    """Share of right labels, Wilson's 95% interval."""
    no_class: int
    """Number of answers that are not a class."""
    rationale: Estimate | None
    """Share of reasons equal word for word to the row's, of rows that have one; None if no reasons were learned."""
    reasons: tuple[str, ...] = ()
    """One for each row; () if no reasons were learned."""


def measure(
    student: T5Student, rows: RationaleSet, how: StepByStep, progress: Progress = no_progress
) -> StudentAnswers:
    """Measure the student on rows; labels come from the predict task, whose input is the text alone."""
    predictions = predict(student, rows.texts, how, rows.classes, progress)
    free = not rows.classes
    right = np.array([is_right(answer, label, free=free) for answer, label in zip(predictions, rows.labels)], np.bool_)
    no_class = 0
    if not free:
        no_class = sum(answer not in rows.classes for answer in predictions)
    reasons: tuple[str, ...] = ()
    exact = None
    with_reason = [i for i, reason in enumerate(rows.rationales) if reason]
    if with_reason and how.method not in (STANDARD, SHUFFLED):
        reasons = tuple(explain(student, rows.texts, how, progress))
        differs = [squeezed(reasons[i]) != squeezed(rows.rationales[i]) for i in with_reason]
        exact = accuracy_of(np.array(differs), None)
    return StudentAnswers(right, accuracy_of(~right, None), no_class, exact, reasons)


def is_right(answer: str, label: str, *, free: bool) -> bool:
    """Whether an answer equals the label. Free answers that are equations are compared by value, as in the released
    code, which runs them; here a parser reads them."""
    if squeezed(answer) == squeezed(label):
        return True
    if not free:
        return False
    value = value_of(answer)
    label_value = value_of(label)
    return value is not None and label_value is not None and is_same(value, label_value)


def gain(first: StudentAnswers, second: StudentAnswers) -> Estimate:
    """Accuracy of the first minus that of the second on the same rows, with a paired 95% interval over rows."""
    from core.statistics.paired import paired_difference

    return paired_difference(~second.right, ~first.right)


def majority(labels: Sequence[str], taught: Sequence[str]) -> float:
    """Accuracy of always answering the most frequent of the taught labels."""
    names, counts = np.unique(np.array(taught), return_counts=True)
    return float(np.mean(np.array(labels) == names[counts.argmax()]))
