"""Teach a T5 labels and reasons as two tasks of one model.

As the released code: AdamW without decay of weights, step size falling in a line to 0, gradients clipped to 1, means
over target tokens. Ours: the dropout of each pass has a seed of its own, so that training with alpha = 1 is the very
same as training on labels alone.
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
from core.systems.step_by_step.losses import step_by_step_loss, token_loss
from core.systems.step_by_step.rationales import RationaleSet
from core.systems.step_by_step.settings import StepByStep
from core.systems.step_by_step.student import T5Student
from core.systems.step_by_step.tokens import TokenTask, batch_of, tasks_of

NEW_LR = 1e-3
KNOWN_LR = 5e-5
"""Of a new student (ours), and the paper's."""
KEPT = 20
"""Points of the curve."""


@dataclass(frozen=True, slots=True)
class Curve:
    """How a training went."""

    losses: tuple[float, ...]
    """Mean loss of each twentieth of the updates."""
    seconds: float
    """CPU seconds."""


def teach(student: T5Student, rows: RationaleSet, how: StepByStep, progress: Progress = no_progress) -> Curve:
    """Train the student in place. The same student, rows, settings and number of threads give the same weights.

    Args:
        progress: called as ("learn", update, updates); may raise `Cancelled`.

    Raises:
        InvalidInput: the loss is no number any more.
    """
    predict, explain = tasks_of(student, rows, how)
    lr = how.lr or (NEW_LR if student.folder is None else KNOWN_LR)
    optimiser = torch.optim.AdamW(student.model.parameters(), lr=lr, weight_decay=0.0)
    values: list[float] = []
    began = time.process_time()
    student.model.train()
    for at, picked in zip(range(how.updates), _picks(len(rows), how.batch, how.seed)):
        loss = loss_of(student, predict, explain, picked, how, at)
        values.append(take_step(optimiser, loss, 1 - at / how.updates))
        progress("learn", at + 1, how.updates)
    student.model.eval()
    parts = np.array_split(np.array(values), min(KEPT, len(values)))
    return Curve(tuple(float(part.mean()) for part in parts), time.process_time() - began)


def loss_of(
    student: T5Student, predict: TokenTask, explain: TokenTask | None, rows: list[int], how: StepByStep, at: int = 0
) -> Tensor:
    """The loss of some rows in update `at`; rows without a reason teach their label alone."""
    label = _pass(student, predict, rows, [how.seed, at, 0])
    if explain is None:
        return label
    return step_by_step_loss(label, _pass(student, explain, rows, [how.seed, at, 1]), how.alpha)


def _pass(student: T5Student, task: TokenTask, rows: list[int], seed: list[int]) -> Tensor:
    batch = batch_of(task, rows)
    if batch is None:
        return torch.zeros(())
    ids, mask, wanted = batch
    with OwnRandom(int(np.random.SeedSequence(seed).generate_state(1)[0])):
        return token_loss(student.model(input_ids=ids, attention_mask=mask, labels=wanted).logits, wanted)


def _picks(n: int, batch: int, seed: int) -> Iterator[list[int]]:
    """Batches without end, each row once an epoch; which ones depends on n, batch and seed alone."""
    rng = np.random.default_rng([seed, 17])
    waiting: list[int] = []
    while True:
        while len(waiting) < batch:
            waiting += rng.permutation(n).tolist()
        yield waiting[:batch]
        waiting = waiting[batch:]
