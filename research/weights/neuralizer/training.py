"""Teach a Neuralizer to do as the examples do: masks by Dice and cross-entropy, images by squared error.

Source: Neuralizer (Czolbe and Dalca 2023, arXiv 2305.02644, section 3.4 and released code): a task, a contrast and the
number of examples are drawn anew in each step; Dice loss of masks, mean squared error over 2 * 0.05 of images.
Departures: cross-entropy is added to Dice, masks are learned first, alone, and the weight of images grows from a tenth:
with all tasks from the first step a network of this size learns none.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from core.encoders.weights import read_tensors
from core.options import setting
from core.records import Progress, no_progress
from core.systems.common.checkpoints import write_tensors
from core.systems.common.schedule import cosine
from core.systems.common.steps import take_step
from core.systems.neuralizer.network import Neuralizer
from research.weights.neuralizer.tasks import SEGMENTATION, TASKS, ScanTasks, TaskBatch

LENGTHS = (1, 2, 4, 8)
"""Examples of a step; a target costs as much more as it has more of them, so there are fewer targets."""
TARGETS = {1: 12, 2: 8, 4: 5, 8: 3}
VARIANCE = 0.05
"""Of an image's values, in the published loss."""
FLOOR = 0.02
"""Share of the full step size at the end of either part."""
KEPT_EVERY = 200
"""Steps between two states on disk."""


@dataclass(frozen=True, slots=True)
class InContextTraining:
    """How the network is taught."""

    masks: int = setting(1_200, "Steps with masks alone, which come first.", low=0)
    images: int = setting(1_500, "Steps with all tasks.", low=0)
    again: int = setting(1_600, "More such steps, from a large step size down once more.", low=0)
    lr: float = setting(2e-3, "Largest step size of Adam.", low=1e-6, high=1.0)
    segmentation: float = setting(0.4, "Share of masks among all tasks.", low=0.0, high=1.0)
    warm_up: int = setting(100, "Steps in which the step size rises, in either part.", low=1)
    rough: int = setting(500, "Steps in which the weight of images rises.", low=1)
    clip: float = setting(1.0, "Longest gradient.", low=1e-3)
    seed: int = setting(0, "The same seed trains the same.", low=0)

    @property
    def steps(self) -> int:
        return self.masks + self.images + self.again

    def rate(self, step: int) -> float:
        """Step size: it rises, then falls by a cosine, in each of the three parts."""
        parts = ((self.masks + self.images, self.again), (self.masks, self.images), (0, self.masks))
        start, of = next((start, of) for start, of in parts if of and step >= start)
        lr = self.lr if step < self.masks else 0.75 * self.lr
        return lr * min(1.0, (step - start + 1) / self.warm_up) * cosine(step - start, of, FLOOR)


@dataclass(frozen=True, slots=True)
class InContextStep:
    """What one step showed."""

    task: str
    pairs: int
    loss: float


def soft_dice_loss(chances: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """(B,) 1 - (2 sum py + 1) / (sum p^2 + sum y^2 + 1) of (B, C, H, W)."""
    both = (chances * masks).sum((1, 2, 3))
    own = (chances.square() + masks.square()).sum((1, 2, 3))
    return 1 - (2 * both + 1) / (own + 1)


def task_loss(output: torch.Tensor, batch: TaskBatch, image_weight: float = 1.0) -> torch.Tensor:
    """Of what the network gives for a batch: logits where masks are wanted, else images."""
    if batch.task == SEGMENTATION:
        dice = soft_dice_loss(output.sigmoid(), batch.target_out).mean()
        return dice + binary_cross_entropy_with_logits(output, batch.target_out)
    return image_weight * mse_loss(output, batch.target_out) / (2 * VARIANCE)


def draw_step(tasks: ScanTasks, how: InContextTraining, step: int) -> TaskBatch:
    """The batch of that step, which depends on the seed and the number of the step alone."""
    g = tasks.generator
    g.manual_seed(1_000_003 * how.seed + step)
    pairs = LENGTHS[int(torch.randint(len(LENGTHS), (1,), generator=g))]
    task = SEGMENTATION
    if step >= how.masks and float(torch.rand(1, generator=g)) >= how.segmentation:
        task = TASKS[1 + int(torch.randint(len(TASKS) - 1, (1,), generator=g))]
    return tasks.batch(task, TARGETS[pairs], pairs)


def teach_in_context(
    network: Neuralizer,
    tasks: ScanTasks,
    how: InContextTraining = InContextTraining(),
    *,
    state: Path | None = None,
    until: int | None = None,
    progress: Progress = no_progress,
) -> list[InContextStep]:
    """Teach a network that has begun (`Neuralizer.begin`), in place.

    Args:
        state: file from which a stopped training goes on, and in which it is kept.
        until: stop before this step, to go on later.
        progress: called as ("in context", done, total).

    Returns:
        The steps of this call.

    Raises:
        InvalidInput: `state` cannot be read.
        Cancelled: from `progress`.
    """
    optimiser = torch.optim.Adam(network.parameters(), lr=how.lr)
    begin = _restore(network, optimiser, state) if state is not None and state.is_file() else 0
    end = how.steps if until is None else min(until, how.steps)
    seen: list[InContextStep] = []
    for step in range(begin, end):
        batch = draw_step(tasks, how, step)
        weight = min(1.0, 0.1 + 0.9 * (step - how.masks) / how.rough)
        loss = task_loss(network(*batch.given), batch, weight)
        value = take_step(optimiser, loss, how.rate(step) / how.lr, clip=how.clip)
        seen.append(InContextStep(batch.task, batch.context_in.shape[1], value))
        progress("in context", step + 1, how.steps)
        if state is not None and (step + 1 == end or (step + 1) % KEPT_EVERY == 0):
            _keep(network, optimiser, state, step + 1)
    return seen


def _keep(network: Neuralizer, optimiser: torch.optim.Optimizer, path: Path, step: int) -> None:
    kept = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    for k, own in optimiser.state_dict()["state"].items():
        kept |= {f"optimiser.{k}.{name}": torch.as_tensor(value) for name, value in own.items()}
    write_tensors(path, {**kept, "step": torch.tensor(step)})


def _restore(network: Neuralizer, optimiser: torch.optim.Optimizer, path: Path) -> int:
    """Put back what `_keep` kept; the step that comes next."""
    kept = read_tensors(path)
    network.load_state_dict({n.removeprefix("network."): t for n, t in kept.items() if n.startswith("network.")})
    own: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in kept.items():
        if name.startswith("optimiser."):
            _, k, what = name.split(".")
            own.setdefault(int(k), {})[what] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": own})
    return int(kept["step"])


class CpuClock:
    """CPU seconds since it was made."""

    def __init__(self) -> None:
        self.start = time.process_time()

    @property
    def seconds(self) -> float:
        return time.process_time() - self.start
