"""Teach a model its tasks, all as text to write: cross-entropy of the words, one task a sample, tasks mixed.

As VL-T5 trains: AdamW, gradients clipped, step size up in a line and down in a line. Ours: each array's step is in
proportion to its numbers' size when it begins, as in Adafactor (Shazeer and Stern 2018, arXiv 1804.04235), which T5
was trained with: its queries begin many times smaller than its words. And the features are whitened while it learns,
which is put into the first weights afterwards: what tells colors apart has little of their variance.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.records import F32, Progress, no_progress
from core.systems.common.picture_cells import Whitening
from core.systems.common.steps import take_step
from core.systems.common.words import IGNORED
from core.systems.vl_t5.describer import Describer
from core.systems.vl_t5.model import PictureParts
from core.systems.vl_t5.vision import VisualEmbedding
from research.weights.vl_t5.spoken import Spoken

Rows = Callable[[Sequence[int]], F32]
"""(n, P, f) features of some images."""
LossOf = Callable[[Sequence[Spoken], PictureParts], Tensor]
_WARM = 0.05
_WINDOW = 16
_PARTS = 20
_LEAST = 0.1


@dataclass(frozen=True, slots=True)
class Teaching:
    """How a model is taught."""

    batch: int = 16
    lr: float = 0.01
    """Largest step, as a share of the root mean square that an array begins with (at least of `_LEAST`, for biases)."""
    decay: float = 0.01
    bfloat16: bool = False
    """Products in half precision: twice as fast where the processor knows them, and slower by as much elsewhere."""
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """The images as a model is shown them."""

    rows: Rows
    """Whitened."""
    boxes: Tensor
    """(P, 4) of the images' parts."""
    whitening: Whitening
    """How that was done; afterwards the module takes features as they are."""

    def parts(self, pictures: Sequence[int]) -> PictureParts:
        """Of some images, whitened."""
        return PictureParts(torch.from_numpy(self.rows(pictures)), self.boxes[None])


@dataclass(frozen=True, slots=True)
class Lesson:
    """How a training went."""

    losses: tuple[float, ...]
    """Mean loss of each twentieth of the updates."""
    seconds: float
    """CPU seconds."""


def teach(
    describer: Describer, tasks: Sequence[Spoken], views: Views, how: Teaching, progress: Progress = no_progress
) -> Lesson:
    """Train the model in place to write the answers; `train` says how."""

    def loss(picked: Sequence[Spoken], parts: PictureParts) -> Tensor:
        logits, targets = describer.logits([t.given for t in picked], [t.wanted for t in picked], parts)
        return word_loss(logits, targets)

    model = describer.model
    return train(model, model.visual, loss, tasks, views, how, progress)


def train(
    module: torch.nn.Module,
    visual: VisualEmbedding,
    loss_of: LossOf,
    tasks: Sequence[Spoken],
    views: Views,
    how: Teaching,
    progress: Progress = no_progress,
) -> Lesson:
    """Train the module in place on the tasks, each once.

    Args:
        visual: the part of the module that takes features.
        progress: called as ("teach", update, updates); may raise `Cancelled`.

    Raises:
        InvalidInput: the loss is no number any more.
    """
    batches = batched(tasks, how.batch, how.seed)
    values = list[float]()
    began = time.process_time()
    updates = len(batches)
    optimiser = torch.optim.AdamW(step_sizes(module, how.lr), betas=(0.9, 0.98), weight_decay=how.decay)
    module.train()
    with torch.random.fork_rng():
        torch.manual_seed(how.seed)
        for at, picked in enumerate(batches):
            parts = views.parts([one.picture for one in picked])
            with torch.autocast("cpu", torch.bfloat16, enabled=how.bfloat16):
                loss = loss_of(picked, parts)
            values.append(take_step(optimiser, loss, step_share(at, updates)))
            progress("teach", at + 1, updates)
    module.eval()
    fold(visual, views.whitening)
    parted = np.array_split(np.array(values), min(_PARTS, max(1, len(values))))
    return Lesson(tuple(float(part.mean()) for part in parted), time.process_time() - began)


def batched(tasks: Sequence[Spoken], size: int, seed: int) -> list[list[Spoken]]:
    """Batches of `size` whose answers are of about one length, so that little is padded: within each sixteen batches
    tasks are sorted by it, and these batches shuffled. What fills no batch is left out."""
    rng = np.random.default_rng([seed, 43])
    found = list[list[Spoken]]()
    for at in range(0, len(tasks) - size + 1, _WINDOW * size):
        window = sorted(tasks[at : at + _WINDOW * size], key=lambda task: len(task.wanted.split()))
        own = [window[k : k + size] for k in range(0, len(window) - size + 1, size)]
        found += [own[k] for k in rng.permutation(len(own)).tolist()]
    return found


def word_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy, each task's mean over its own words, then the mean over tasks: long answers do not outweigh short
    ones, as in the released code.

    Args:
        logits: (n, u, V).
        targets: (n, u), `IGNORED` behind the end.
    """
    each = torch.nn.functional.cross_entropy(
        logits.float().transpose(1, 2), targets, ignore_index=IGNORED, reduction="none"
    )
    there = (targets != IGNORED).sum(1).clamp_min(1)
    return (each.sum(1) / there).mean()


def step_share(at: int, updates: int) -> float:
    """Of the step size: up in a line over a twentieth of the updates, then down in a line to 0."""
    warm = max(1, round(_WARM * updates))
    return (at + 1) / warm if at < warm else (updates - at) / max(1, updates - warm)


def step_sizes(module: torch.nn.Module, lr: float) -> list[dict[str, Any]]:
    """A group of one for each array, whose step is `lr` times its root mean square."""
    arrays = list(module.parameters())
    sizes = [max(float(array.detach().square().mean().sqrt()), 1e-3) for array in arrays]
    return [{"params": [a], "lr": lr * (size if a.ndim > 1 else max(size, _LEAST))} for a, size in zip(arrays, sizes)]


@torch.no_grad()
def fold(visual: VisualEmbedding, whitening: Whitening) -> None:
    """Put the whitening into the first weights: W B' (f - m) + b = (W B') f + (b - (W B') m)."""
    linear = visual.feat_embedding[0]
    assert isinstance(linear, torch.nn.Linear)
    made = torch.nn.Linear(len(whitening.mean), linear.out_features)
    made.weight.copy_(linear.weight @ torch.from_numpy(whitening.basis).T)
    made.bias.copy_(linear.bias - made.weight @ torch.from_numpy(whitening.mean))
    visual.feat_embedding[0] = made
    visual.sizes = replace(visual.sizes, feat_dim=len(whitening.mean))


@torch.no_grad()
def unfold(visual: VisualEmbedding, whitening: Whitening) -> None:
    """Undo `fold`, so that the module learns on: what its first weights make of parts of the features that the
    whitening leaves out is lost."""
    linear = visual.feat_embedding[0]
    assert isinstance(linear, torch.nn.Linear)
    back = torch.from_numpy(np.linalg.pinv(whitening.basis.astype(np.float64)).T.astype(np.float32))
    made = torch.nn.Linear(back.shape[1], linear.out_features)
    made.weight.copy_(linear.weight @ back)
    made.bias.copy_(linear.bias + linear.weight @ torch.from_numpy(whitening.mean))
    visual.feat_embedding[0] = made
    visual.sizes = replace(visual.sizes, feat_dim=back.shape[1])
