"""From texts with reasons to a taught student, measured on rows that it did not learn from."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InvalidInput
from core.records import I64, Progress, no_progress
from core.systems.common.student_texts import split_texts
from core.systems.common.words import count_longer
from core.systems.step_by_step.figures import StudentAnswers, gain, majority, measure
from core.systems.step_by_step.loop import Curve, teach
from core.systems.step_by_step.rationales import RationaleSet, subsample
from core.systems.step_by_step.settings import SHUFFLED, SINGLE_TASK, STANDARD, StepByStep
from core.systems.step_by_step.student import PREDICT, T5Student, check_speaks, make_t5, read_t5
from core.systems.step_by_step.student_folder import ReasonedCard
from core.systems.step_by_step.tokens import shuffled

LEAST = 20
"""Different texts: fewer teach nothing that could be measured."""


def teach_and_measure(
    rows: RationaleSet, how: StepByStep, *, start: Path | None = None, progress: Progress = no_progress
) -> tuple[T5Student, ReasonedCard]:
    """Teach a student on most of the rows, and measure it on the others.

    Args:
        start: folder of a T5; None makes a new one that knows the words of the rows it learns from.

    Raises:
        InvalidInput: there are too few texts, the folder cannot be read, or the student cannot write a class.
    """
    learn, held = split(rows, how)
    if how.learn_from is not None:
        kinds = learn.targets if learn.classes else [""] * len(learn)
        learn = learn.keep(subsample(kinds, how.learn_from, how.seed))
    student, curve = _taught(learn, how, start, progress)
    found = measure(student, held, how, progress)
    controls: dict[str, Any] = {}
    for method in (STANDARD, SHUFFLED) if how.controls else ():
        if method != how.method:
            measured = _control(method, learn, held, how, start, progress)
            controls[method] = {"accuracy": measured.accuracy.to_dict(), "gain": gain(found, measured).to_dict()}
    card = ReasonedCard(
        student.source,
        student.sizes,
        asdict(how),
        rows.classes,
        _data(rows, learn) | {"cut": _count_cut(student, rows, how)},
        _figures(found, held, learn),
        controls,
        curve.losses,
        curve.seconds,
        student.licence,
    )
    return student, card


def _control(
    method: str, learn: RationaleSet, held: RationaleSet, how: StepByStep, start: Path | None, progress: Progress
) -> StudentAnswers:
    """A student without the sense of the reasons, on the same rows: of the labels alone, or of other rows' reasons in
    the form that `how` gives them."""
    other = replace(how, method=method)
    if method == SHUFFLED and how.method == SINGLE_TASK:  # one target, as the student that it is compared with
        learn = replace(learn, rationales=tuple(shuffled(learn.rationales, how.seed)))
        other = how
    return measure(_taught(learn, other, start, progress)[0], held, other, progress)


def split(rows: RationaleSet, how: StepByStep) -> tuple[RationaleSet, RationaleSet]:
    """(to learn from, held out); rows of one text lie on one side.

    Raises:
        InvalidInput: there are fewer than 20 different texts.
    """
    numbers: dict[str, int] = {}
    of_row = np.array([numbers.setdefault(text, len(numbers)) for text in rows.texts], np.int64)
    if len(numbers) < LEAST:
        raise InvalidInput(f"{rows.name} has {len(numbers)} different texts with labels, fewer than {LEAST}. Add more.")
    learned, held = split_texts(len(numbers), how.held_out, how.seed)
    at: tuple[I64, I64] = np.flatnonzero(np.isin(of_row, learned)), np.flatnonzero(np.isin(of_row, held))
    return rows.keep(at[0]), rows.keep(at[1])


def _taught(learn: RationaleSet, how: StepByStep, start: Path | None, progress: Progress) -> tuple[T5Student, Curve]:
    words = [*learn.texts, *learn.targets, *learn.rationales, *learn.classes]
    student = make_t5(words, how) if start is None else read_t5(start)
    check_speaks(student, learn.classes)
    return student, teach(student, learn, how, progress)


def _figures(found: StudentAnswers, held: RationaleSet, learn: RationaleSet) -> dict[str, Any]:
    return {
        "n": len(held),
        "accuracy": found.accuracy.to_dict(),
        "rationale": None if found.rationale is None else found.rationale.to_dict(),
        "no_class": found.no_class,
        "most_frequent": majority(held.labels, learn.targets),
    }


def _count_cut(student: T5Student, rows: RationaleSet, how: StepByStep) -> int:
    return count_longer(student.tokenizer, [PREDICT + text for text in rows.texts], how.max_tokens)


def _data(rows: RationaleSet, learn: RationaleSet) -> dict[str, Any]:
    return {
        "name": rows.name,
        "rows": len(rows),
        "learned": len(learn),
        "without_rationale": sum(not reason for reason in learn.rationales),
        "large_model_labels": bool(rows.taught),
        "left_out": dict(rows.left_out),
    }
