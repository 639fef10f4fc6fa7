"""Answers of a student: a label by the predict task alone, and a reason by the explain task."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from core.records import Progress, no_progress
from core.systems.common.student_texts import batches
from core.systems.common.words import padded
from core.systems.step_by_step.settings import SINGLE_TASK, StepByStep
from core.systems.step_by_step.student import EXPLAIN, MARKER, PREDICT, T5Student, squeezed
from core.systems.step_by_step.tokens import inputs_of

BATCH_ROWS = 64


def predict(
    student: T5Student,
    texts: Sequence[str],
    how: StepByStep,
    classes: Sequence[str] = (),
    progress: Progress = no_progress,
) -> list[str]:
    """Predict the label of each text by the predict task alone, without reasons or the explain task.

    A class that is written with other blanks counts as that class; any other answer stays as written.
    """
    answers = _generate(student, texts, PREDICT, how, progress)
    if how.method == SINGLE_TASK:
        answers = [text.rpartition(MARKER)[2].strip() if MARKER in text else "" for text in answers]
    class_of = {squeezed(name): name for name in classes}
    return [class_of.get(squeezed(text), text) for text in answers]


def explain(student: T5Student, texts: Sequence[str], how: StepByStep, progress: Progress = no_progress) -> list[str]:
    """Write a reason for each text by the explain task; with a single target, the part before the label."""
    if how.method != SINGLE_TASK:
        return _generate(student, texts, EXPLAIN, how, progress)
    return [text.partition(MARKER)[0].strip() for text in _generate(student, texts, PREDICT, how, progress)]


def _generate(student: T5Student, texts: Sequence[str], prefix: str, how: StepByStep, progress: Progress) -> list[str]:
    """Greedy output for each text behind the prefix, in single spaces."""
    inputs = inputs_of(student, texts, prefix, how.max_tokens)
    outputs = [""] * len(texts)
    done = 0
    for rows in batches(inputs, BATCH_ROWS):
        ids, mask = padded(inputs, rows)
        with torch.inference_mode():
            tokens = student.model.generate(
                input_ids=ids, attention_mask=mask, max_new_tokens=how.max_answer, do_sample=False, num_beams=1
            )
        for row, text in zip(rows.tolist(), student.tokenizer.batch_decode(tokens, skip_special_tokens=True)):
            outputs[row] = " ".join(text.split())
        done += len(rows)
        progress(prefix.removesuffix(": "), done, len(texts))
    return outputs
