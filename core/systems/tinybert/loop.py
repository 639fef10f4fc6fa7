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

from core.records import I64, Progress, no_progress
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
    began = time.process_time()
    curve: list[tuple[str, float]] = []
    half = half_of(torch.device("cpu"), how.precision)
    learned = [p for p in student.parameters() if p.requires_grad]

    def run(name: str, epochs: int, loss_of: Callable[[I64], Tensor]) -> None:
        rng = np.random.default_rng([how.seed, len(name)])
        # a weight decay of 0.01 is AdamW's default
        optimiser = torch.optim.AdamW(learned, lr=how.lr, weight_decay=0.01, fused=True)
        steps = math.ceil(len(tokens) / how.batch) * epochs
        step = 0
        for _ in range(epochs):
            values: list[float] = []
            for rows in batches(tokens, how.batch, rng):
                with torch.autocast("cpu", dtype=half or torch.bfloat16, enabled=half is not None):
                    loss = loss_of(rows)
                values.append(take_step(optimiser, loss, rate(step, steps)))
                step += 1
                progress(PROGRESS_STEPS[name], step, steps)
            curve.append((name, float(np.mean(values))))

    if how.intermediate_epochs and (how.embedding or how.hidden or how.attention):
        watched = student.map if how.attention else ()
        theirs = Watched(teacher.bert, watched)
        mine = Watched(student.bert, range(1, len(watched) + 1))
        run(INTERMEDIATE, how.intermediate_epochs, lambda rows: _layers_loss(student, mine, theirs, tokens, rows, how))
    if how.prediction_epochs:
        targets = outputs(teacher, tokens)

        def prediction_loss(rows: I64) -> Tensor:
            output = _output(student, *padded(tokens, rows)).float()
            if student.kind == "classes":
                return losses.soft_cross_entropy(output, targets[rows], how.temperature)
            return losses.vector_loss(output, targets[rows])

        run(PREDICTION, how.prediction_epochs, prediction_loss)
    return TaughtStudent(student.eval(), tuple(curve), time.process_time() - began)


def _layers_loss(
    student: Student, mine: Watched, theirs: Watched, tokens: Sequence[Sequence[int]], rows: I64, how: Distillation
) -> Tensor:
    """Sum of the losses of embeddings, states and attention (equation 11 with all weights 1)."""
    ids, mask = padded(tokens, rows)
    with torch.no_grad():
        their_states, their_scores = theirs.run(ids, mask)
    states, scores = mine.run(ids, mask)
    total = torch.zeros(())
    for layer, their_layer in enumerate((0, *student.map)):
        counts = how.embedding if layer == 0 else how.hidden
        if counts:
            mapped = student.to_teacher(states[layer])
            total = total + losses.states_loss(mapped.float(), their_states[their_layer].float(), mask)
    for my_score, their_score in zip(scores, their_scores):
        total = total + losses.attention_loss(my_score.float(), their_score.float(), mask)
    return total


def outputs(
    model: BertFolder | Student, tokens: Sequence[Sequence[int]], progress: Progress = no_progress, step: str = ""
) -> Tensor:
    """(n, d) unit vectors (a student's are mapped to the teacher's width) or (n, c) logits, in the order of the
    texts; progress: called as (step, done, total)."""
    parts: list[Tensor] = []
    order = batches(tokens, BATCH_TEXTS)
    done = 0
    with torch.inference_mode():
        for rows in order:
            parts.append(_output(model, *padded(tokens, rows)))
            done += len(rows)
            progress(step, done, len(tokens))
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
