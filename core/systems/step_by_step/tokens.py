"""What a student reads and what it has to write, as tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from core.systems.common.words import padded, padded_targets, tokens_of
from core.systems.step_by_step.rationales import RationaleSet
from core.systems.step_by_step.settings import SHUFFLED, SINGLE_TASK, STANDARD, StepByStep
from core.systems.step_by_step.student import EXPLAIN, MARKER, PREDICT, T5Student

Tokens = list[list[int]]


@dataclass(frozen=True, slots=True, eq=False)
class TokenTask:
    """One of the two tasks: what is read and what is to be written. A row without target has []."""

    given: Tokens
    wanted: Tokens


def inputs_of(student: T5Student, texts: Sequence[str], prefix: str, most: int) -> Tokens:
    """Each text's tokens behind the prefix, cut to `most`. All that a student is asked with: nothing else comes in."""
    return tokens_of(student.tokenizer, [prefix + text for text in texts], most)


def tasks_of(student: T5Student, rows: RationaleSet, how: StepByStep) -> tuple[TokenTask, TokenTask | None]:
    """The label's task, and the reason's where the method has one."""
    asked = inputs_of(student, rows.texts, PREDICT, how.max_tokens)
    if how.method == SINGLE_TASK:
        return TokenTask(asked, _joined(student, rows, how.max_answer)), None
    predict = TokenTask(asked, _targets(student, rows.targets, how.max_answer))
    if how.method == STANDARD:
        return predict, None
    reasons = shuffled(rows.rationales, how.seed) if how.method == SHUFFLED else rows.rationales
    asked = inputs_of(student, rows.texts, EXPLAIN, how.max_tokens)
    return predict, TokenTask(asked, _targets(student, reasons, how.max_answer))


def shuffled(reasons: Sequence[str], seed: int) -> list[str]:
    """Each row another row's reason; rows without one stay without."""
    there = np.array([i for i, reason in enumerate(reasons) if reason], np.int64)
    order = np.random.default_rng([seed, 13]).permutation(there)
    found = list(reasons)
    for i, other in zip(order.tolist(), np.roll(order, 1).tolist()):  # round one circle, so that none keeps its own
        found[i] = reasons[other]
    return found


def batch_of(task: TokenTask, rows: Sequence[int]) -> tuple[Tensor, Tensor, Tensor] | None:
    """(n, t) tokens read, their mask, and (n, u) tokens to write with `IGNORED` behind the end, of the rows that have a
    target; None where none has."""
    kept = [i for i in rows if task.wanted[i]]
    if not kept:
        return None
    ids, mask = padded(task.given, kept)
    return ids, mask, padded_targets(task.wanted, kept)


def _targets(student: T5Student, texts: Sequence[str], most: int) -> Tokens:
    found = tokens_of(student.tokenizer, texts, most)
    return [tokens if text else [] for tokens, text in zip(found, texts)]


def _joined(student: T5Student, rows: RationaleSet, most: int) -> Tokens:
    """Reason, marker and label in one target; a reason that is too long is cut, never the label."""
    ends: Tokens = student.tokenizer([f"{MARKER} {label}" for label in rows.targets])["input_ids"]
    reasons: Tokens = student.tokenizer(list(rows.rationales))["input_ids"]
    return [reason[:-1][: max(0, most - len(end))] + end for reason, end in zip(reasons, ends)]
