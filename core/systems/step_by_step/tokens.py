"""Inputs and targets of a student as tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.systems.common.words import tokens_of
from core.systems.step_by_step.rationales import RationaleSet
from core.systems.step_by_step.settings import SHUFFLED, SINGLE_TASK, STANDARD, StepByStep
from core.systems.step_by_step.student import EXPLAIN, MARKER, PREDICT, T5Student

Tokens = list[list[int]]


@dataclass(frozen=True, slots=True, eq=False)
class TokenTask:
    """One of the two tasks; a row without target has []."""

    inputs: Tokens
    targets: Tokens


def inputs_of(student: T5Student, texts: Sequence[str], prefix: str, most: int) -> Tokens:
    """Tokens of prefix and text, cut to `most`: the student's whole input."""
    return tokens_of(student.tokenizer, [prefix + text for text in texts], most)


def tasks_of(student: T5Student, rows: RationaleSet, how: StepByStep) -> tuple[TokenTask, TokenTask | None]:
    """The label's task, and the reason's if the method has one."""
    inputs = inputs_of(student, rows.texts, PREDICT, how.max_tokens)
    if how.method == SINGLE_TASK:
        # reason, marker and label in one target: a long reason is cut, never the label
        ends: Tokens = student.tokenizer([f"{MARKER} {label}" for label in rows.targets])["input_ids"]
        reason_tokens: Tokens = student.tokenizer(list(rows.rationales))["input_ids"]
        targets: Tokens = []
        for tokens, end in zip(reason_tokens, ends):
            targets.append(tokens[:-1][: max(0, how.max_answer - len(end))] + end)
        return TokenTask(inputs, targets), None
    predict = TokenTask(inputs, _targets(student, rows.targets, how.max_answer))
    if how.method == STANDARD:
        return predict, None
    reasons: Sequence[str] = rows.rationales
    if how.method == SHUFFLED:
        reasons = shuffled(reasons, how.seed)
    inputs = inputs_of(student, rows.texts, EXPLAIN, how.max_tokens)
    return predict, TokenTask(inputs, _targets(student, reasons, how.max_answer))


def shuffled(reasons: Sequence[str], seed: int) -> list[str]:
    """Give each row another row's reason; rows without a reason stay without."""
    rows_with_reason = np.array([i for i, reason in enumerate(reasons) if reason], np.int64)
    order = np.random.default_rng([seed, 13]).permutation(rows_with_reason)
    moved = list(reasons)
    # each row takes that of the row before it in one random circle, so that no row keeps its reason
    for row, source in zip(order.tolist(), np.roll(order, 1).tolist()):
        moved[row] = reasons[source]
    return moved


def _targets(student: T5Student, texts: Sequence[str], most: int) -> Tokens:
    tokens = tokens_of(student.tokenizer, texts, most)
    return [row_tokens if text else [] for row_tokens, text in zip(tokens, texts)]
