"""Train a T5 on labels and reasons as two tasks of one model.

As in the released code: AdamW without weight decay, learning rate falling linearly to 0, gradients clipped to 1, means
over target tokens. Departure: each pass has its own dropout seed, so that training with alpha = 1 equals training on
labels alone bit for bit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.records import Progress, no_progress
from core.systems.common.own_random import OwnRandom
from core.systems.common.steps import take_step
from core.systems.common.words import IGNORED, padded, padded_targets
from core.systems.step_by_step.rationales import RationaleSet
from core.systems.step_by_step.settings import StepByStep
from core.systems.step_by_step.student import T5Student
from core.systems.step_by_step.tokens import TokenTask, tasks_of

NEW_LR = 1e-3
"""Of a new student; a convention, since the paper only trains pretrained ones."""
PRETRAINED_LR = 5e-5
"""The paper's, of a pretrained student."""
CURVE_POINTS = 20


@dataclass(frozen=True, slots=True)
class Curve:
    """Losses and time of a training."""

    losses: tuple[float, ...]
    """Mean loss of each twentieth of the updates."""
    seconds: float
    """CPU seconds."""


def teach(student: T5Student, rows: RationaleSet, how: StepByStep, progress: Progress = no_progress) -> Curve:
    """Train the student in place; the same student, rows, settings and number of threads give the same weights.

    Args:
        progress: called as ("learn", update, updates); may raise `Cancelled`.

    Raises:
        InvalidInput: the loss became NaN.
    """
    predict, explain = tasks_of(student, rows, how)
    default_lr = NEW_LR if student.folder is None else PRETRAINED_LR
    optimizer = torch.optim.AdamW(student.model.parameters(), lr=how.lr or default_lr, weight_decay=0.0)
    values: list[float] = []
    began = time.process_time()
    student.model.train()
    for update, batch in zip(range(how.updates), _batches(len(rows), how.batch, how.seed)):
        loss = loss_of(student, predict, explain, batch, how, update)
        values.append(take_step(optimizer, loss, 1 - update / how.updates))
        progress("learn", update + 1, how.updates)
    student.model.eval()
    parts = np.array_split(np.array(values), min(CURVE_POINTS, len(values)))
    return Curve(tuple(float(part.mean()) for part in parts), time.process_time() - began)


def loss_of(
    student: T5Student, predict: TokenTask, explain: TokenTask | None, rows: list[int], how: StepByStep, update: int = 0
) -> Tensor:
    """The loss of some rows in an update; rows without a reason contribute their label alone.

    It is alpha times the label's loss plus 1 - alpha times the reason's, as in the released code; the paper's equation
    4 has label + lambda reason, which is the same up to a factor.
    """
    label = _pass(student, predict, rows, [how.seed, update, 0])
    if explain is None:
        return label
    return how.alpha * label + (1.0 - how.alpha) * _pass(student, explain, rows, [how.seed, update, 1])


def _pass(student: T5Student, task: TokenTask, rows: list[int], seed: list[int]) -> Tensor:
    """Mean cross-entropy over the target tokens, end signs included, of the rows that have a target; 0 without any."""
    with_target = [i for i in rows if task.targets[i]]
    if not with_target:
        return torch.zeros(())
    ids, mask = padded(task.inputs, with_target)
    targets = padded_targets(task.targets, with_target)
    with OwnRandom(int(np.random.SeedSequence(seed).generate_state(1)[0])):
        logits = student.model(input_ids=ids, attention_mask=mask, labels=targets).logits
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED)


def _batches(n: int, batch: int, seed: int) -> Iterator[list[int]]:
    """Endless batches of rows, each row once an epoch; they depend on n, batch and seed alone."""
    rng = np.random.default_rng([seed, 17])
    waiting: list[int] = []
    while True:
        while len(waiting) < batch:
            waiting += rng.permutation(n).tolist()
        yield waiting[:batch]
        waiting = waiting[batch:]
