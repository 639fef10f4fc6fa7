"""Train a student on texts with reasons and measure it on held-out rows."""

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

MIN_TEXTS = 20
"""Different texts: with fewer, held-out figures mean nothing."""


def teach_and_measure(
    rows: RationaleSet, how: StepByStep, *, start: Path | None = None, progress: Progress = no_progress
) -> tuple[T5Student, ReasonedCard]:
    """Train a student on most of the rows, and measure it on the others.

    Args:
        start: folder of a T5; None makes a new one with the vocabulary of the training rows.

    Raises:
        InvalidInput: the texts are too few, the folder cannot be read, or the student cannot write a class.
    """
    learn, held = split(rows, how)
    if how.learn_from is not None:
        kinds = learn.targets if learn.classes else [""] * len(learn)
        learn = learn.keep(subsample(kinds, how.learn_from, how.seed))
    student, curve = _train(learn, how, start, progress)
    answers = measure(student, held, how, progress)
    controls: dict[str, Any] = {}
    if how.controls:
        for method in (STANDARD, SHUFFLED):
            if method != how.method:
                control = _control(method, learn, held, how, start, progress)
                controls[method] = {"accuracy": control.accuracy.to_dict(), "gain": gain(answers, control).to_dict()}
    data = {
        "name": rows.name,
        "rows": len(rows),
        "learned": len(learn),
        "without_rationale": sum(not reason for reason in learn.rationales),
        "large_model_labels": bool(rows.taught),
        "left_out": dict(rows.left_out),
        "cut": count_longer(student.tokenizer, [PREDICT + text for text in rows.texts], how.max_tokens),
    }
    figures = {
        "n": len(held),
        "accuracy": answers.accuracy.to_dict(),
        "rationale": None if answers.rationale is None else answers.rationale.to_dict(),
        "no_class": answers.no_class,
        "most_frequent": majority(held.labels, learn.targets),
    }
    card = ReasonedCard(
        student.source,
        student.sizes,
        asdict(how),
        rows.classes,
        data,
        figures,
        controls,
        curve.losses,
        curve.seconds,
        student.licence,
    )
    return student, card


def _control(
    method: str, learn: RationaleSet, held: RationaleSet, how: StepByStep, start: Path | None, progress: Progress
) -> StudentAnswers:
    """Measure a student without the meaning of the reasons, trained on the same rows: on labels alone, or on other
    rows' reasons in the form that `how` gives them."""
    control = replace(how, method=method)
    if method == SHUFFLED and how.method == SINGLE_TASK:  # one target, as of the student that it is compared with
        learn = replace(learn, rationales=tuple(shuffled(learn.rationales, how.seed)))
        control = how
    return measure(_train(learn, control, start, progress)[0], held, control, progress)


def split(rows: RationaleSet, how: StepByStep) -> tuple[RationaleSet, RationaleSet]:
    """(training rows, held-out rows); rows of one text lie on one side.

    Raises:
        InvalidInput: the rows have fewer than 20 different texts.
    """
    numbers: dict[str, int] = {}
    text_of_row = np.array([numbers.setdefault(text, len(numbers)) for text in rows.texts], np.int64)
    if len(numbers) < MIN_TEXTS:
        raise InvalidInput(
            f"{rows.name} has {len(numbers)} different texts with labels: at least {MIN_TEXTS} are needed. Add more."
        )
    learned, held = split_texts(len(numbers), how.held_out, how.seed)
    training_rows: I64 = np.flatnonzero(np.isin(text_of_row, learned))
    held_rows: I64 = np.flatnonzero(np.isin(text_of_row, held))
    return rows.keep(training_rows), rows.keep(held_rows)


def _train(learn: RationaleSet, how: StepByStep, start: Path | None, progress: Progress) -> tuple[T5Student, Curve]:
    words = [*learn.texts, *learn.targets, *learn.rationales, *learn.classes]
    student = make_t5(words, how) if start is None else read_t5(start)
    check_speaks(student, learn.classes)
    return student, teach(student, learn, how, progress)
