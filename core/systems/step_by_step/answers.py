"""What a student answers: a label by the first task alone, and a reason by the second where one is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from core.records import Progress, no_progress
from core.systems.common.student_texts import batches
from core.systems.common.words import padded
from core.systems.step_by_step.settings import SINGLE_TASK, StepByStep
from core.systems.step_by_step.student import EXPLAIN, MARKER, PREDICT, T5Student, squeezed
from core.systems.step_by_step.tokens import inputs_of

AT_ONCE = 64


def predict(
    student: T5Student,
    texts: Sequence[str],
    how: StepByStep,
    classes: Sequence[str] = (),
    progress: Progress = no_progress,
) -> list[str]:
    """The label of each text, by the predict task alone: neither reasons nor the explain task take part. Where the
    student writes a class with other blanks, the class; what is no class stays as written."""
    written = _written(student, texts, PREDICT, how, progress)
    if how.method == SINGLE_TASK:
        written = [_behind_marker(text) for text in written]
    named = {squeezed(name): name for name in classes}
    return [named.get(squeezed(text), text) for text in written]


def explain(student: T5Student, texts: Sequence[str], how: StepByStep, progress: Progress = no_progress) -> list[str]:
    """The reason of each text, by the explain task; of one that learned both in one target, what stands before the
    label."""
    if how.method != SINGLE_TASK:
        return _written(student, texts, EXPLAIN, how, progress)
    return [text.partition(MARKER)[0].strip() for text in _written(student, texts, PREDICT, how, progress)]


def _behind_marker(text: str) -> str:
    return text.rpartition(MARKER)[2].strip() if MARKER in text else ""


def _written(student: T5Student, texts: Sequence[str], prefix: str, how: StepByStep, progress: Progress) -> list[str]:
    """What it writes, greedily."""
    given = inputs_of(student, texts, prefix, how.max_tokens)
    found = [""] * len(texts)
    done = 0
    for rows in batches(given, AT_ONCE):
        ids, mask = padded(given, rows)
        with torch.inference_mode():
            tokens = student.model.generate(
                input_ids=ids, attention_mask=mask, max_new_tokens=how.max_answer, do_sample=False, num_beams=1
            )
        for row, text in zip(rows.tolist(), student.tokenizer.batch_decode(tokens, skip_special_tokens=True)):
            found[row] = " ".join(text.split())
        done += len(rows)
        progress(prefix.removesuffix(": "), done, len(texts))
    return found
