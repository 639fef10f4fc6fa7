"""Train a student in TinyBERT's two steps: its layers first, then its prediction.

The paper does so twice: on general texts with a BERT that was not fine-tuned (layers only), then on the task's texts
with the fine-tuned one. To follow it, run this twice, the second time from the first student.

Departures from the released code: the student trains without dropout; in both steps the learning rate rises over 5% of
the updates and falls along half a cosine (there it is constant in the first and linear in the second); the student is
that of the last epoch, not of the best on labeled data; inherited word vectors are not trained.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.records import Progress, no_progress
from core.systems.common.half_precision import half_of
from core.systems.common.schedule import rate
from core.systems.common.steps import take_step
from core.systems.common.student_texts import batches
from core.systems.common.words import padded
from core.systems.tinybert import losses
from core.systems.tinybert.settings import Distillation
from core.systems.tinybert.student import Student, Watched, pooled
from core.systems.tinybert.teacher import BertFolder

BATCH_TEXTS = 64
"""Texts that run together without training."""
INTERMEDIATE = "intermediate"
PREDICTION = "prediction"
PROGRESS_STEPS = {INTERMEDIATE: "Training layers", PREDICTION: "Training predictions"}


@dataclass(frozen=True, slots=True, eq=False)
class TaughtStudent:
    """A student in evaluation mode, with its training curve."""

    student: Student
    curve: tuple[tuple[str, float], ...]
    """(step of the method, mean loss) of each epoch."""
    seconds: float
    """CPU seconds of the training."""


def teach(
    teacher: BertFolder,
    student: Student,
    tokens: Sequence[Sequence[int]],
    how: Distillation,
    progress: Progress = no_progress,
) -> TaughtStudent:
    """Train a student. The same texts, settings and number of threads give the same student.

    Args:
        tokens: of each text.
        progress: called as (step, update, updates), with a step of `PROGRESS_STEPS`; may raise `Cancelled`.

    Raises:
        InvalidInput: the loss became NaN.
    """
    lesson = _Lesson(teacher, student, tokens, how, progress)
    began = time.process_time()
    if how.intermediate_epochs and (how.embedding or how.hidden or how.attention):
        lesson.run(INTERMEDIATE, how.intermediate_epochs, lesson.layers_loss)
    if how.prediction_epochs:
        lesson.targets = outputs(teacher, tokens)
        lesson.run(PREDICTION, how.prediction_epochs, lesson.prediction_loss)
    return TaughtStudent(student.eval(), tuple(lesson.curve), time.process_time() - began)


def outputs(model: BertFolder | Student, tokens: Sequence[Sequence[int]]) -> Tensor:
    """(n, d) unit vectors (a student's are mapped to the teacher's width) or (n, c) logits, in the order of the
    texts."""
    parts: list[Tensor] = []
    order = batches(tokens, BATCH_TEXTS)
    with torch.inference_mode():
        for rows in order:
            parts.append(_output(model, *padded(tokens, rows)))
    out = torch.empty(len(tokens), parts[0].shape[1])
    out[torch.from_numpy(np.concatenate(order))] = torch.cat(parts)
    return out


def _output(model: BertFolder | Student, ids: Tensor, mask: Tensor) -> Tensor:
    if model.kind == "classes":
        return model.model(input_ids=ids, attention_mask=mask).logits
    states = model.bert(input_ids=ids, attention_mask=mask).last_hidden_state
    if isinstance(model, Student):
        states = model.to_teacher(states)
    return pooled(states, mask)


class _Lesson:
    """The training of one student."""

    def __init__(
        self,
        teacher: BertFolder,
        student: Student,
        tokens: Sequence[Sequence[int]],
        how: Distillation,
        progress: Progress,
    ) -> None:
        self.student = student
        self.tokens = tokens
        self.how = how
        self.progress = progress
        self.teacher = teacher
        watched = student.map if how.attention else ()
        self.theirs = Watched(teacher.bert, watched)
        self.mine = Watched(student.bert, range(1, len(watched) + 1))
        self.half = half_of(torch.device("cpu"), how.precision)
        self.curve: list[tuple[str, float]] = []
        self.targets = torch.empty(0)

    def run(self, name: str, epochs: int, loss_of: Callable[[Sequence[int]], Tensor]) -> None:
        """Train for some epochs with one loss."""
        rng = np.random.default_rng([self.how.seed, len(name)])
        learned = [p for p in self.student.parameters() if p.requires_grad]
        # a weight decay of 0.01 is AdamW's default
        optimiser = torch.optim.AdamW(learned, lr=self.how.lr, weight_decay=0.01, fused=True)
        steps = math.ceil(len(self.tokens) / self.how.batch) * epochs
        step = 0
        for _ in range(epochs):
            values: list[float] = []
            for rows in batches(self.tokens, self.how.batch, rng):
                with torch.autocast("cpu", dtype=self.half or torch.bfloat16, enabled=self.half is not None):
                    loss = loss_of(rows.tolist())
                values.append(take_step(optimiser, loss, rate(step, steps)))
                step += 1
                self.progress(PROGRESS_STEPS[name], step, steps)
            self.curve.append((name, float(np.mean(values))))

    def layers_loss(self, rows: Sequence[int]) -> Tensor:
        """Sum of the losses of embeddings, states and attention (equation 11 with all weights 1)."""
        ids, mask = padded(self.tokens, rows)
        with torch.no_grad():
            their_states, their_scores = self.theirs.run(ids, mask)
        states, scores = self.mine.run(ids, mask)
        total = torch.zeros(())
        for mine, theirs in enumerate((0, *self.student.map)):
            counts = self.how.embedding if mine == 0 else self.how.hidden
            if counts:
                mapped = self.student.to_teacher(states[mine])
                total = total + losses.states_loss(mapped.float(), their_states[theirs].float(), mask)
        for mine, theirs in zip(scores, their_scores):
            total = total + losses.attention_loss(mine.float(), theirs.float(), mask)
        return total

    def prediction_loss(self, rows: Sequence[int]) -> Tensor:
        """Soft cross-entropy of the classes, or the squared distance of the vectors."""
        ids, mask = padded(self.tokens, rows)
        output = _output(self.student, ids, mask).float()
        targets = self.targets[list(rows)]
        if self.student.kind == "classes":
            return losses.soft_cross_entropy(output, targets, self.how.temperature)
        return losses.vector_loss(output, targets)
