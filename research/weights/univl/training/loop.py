"""Two stages of teaching: the joint loss alone, then all five.

Source: UniVL (Luo et al. 2020, arXiv 2002.06353, section 3.4): the encoders first learn to bring text and clip
together, then all parts are taught at once. Departures: Adam with the step size rising and falling by a cosine in each
stage; batches hold every clip beside the one of the same events in the other order, and beside those in which one event
runs backwards in every second batch: nothing else in a batch of this size asks for order and direction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from core.errors import InvalidInput
from core.options import setting
from core.records import Progress, no_progress
from core.systems.common.schedule import warmed
from core.systems.common.steps import take_step
from core.systems.univl.network import Univl
from core.systems.univl.words import ClipWords
from research.weights.univl.training.batches import NOTHING, ClipBatch, Hiding, clip_batch
from research.weights.univl.training.drawn import DrawnEvents
from research.weights.univl.training.losses import (
    UnivlLosses,
    captioning_loss,
    first_stage,
    retrieval_loss,
    second_stage,
)

FLOOR = 0.02
"""Share of the full step size at the end of a stage."""
LossOf = Callable[[Univl, ClipBatch], torch.Tensor]


@dataclass(frozen=True, slots=True)
class UnivlTraining:
    """How the network is taught."""

    first: int = setting(1_200, "Steps of the first stage, the joint loss alone.", low=0)
    second: int = setting(600, "Steps of the second stage, all five losses.", low=0)
    first_batch: int = setting(
        24, "Grounds of a step of the first stage, two clips each; every second step half as many.", low=4
    )
    second_batch: int = setting(12, "Grounds of a step of the second stage, as above.", low=4)
    lr: float = setting(1e-3, "Largest step size of Adam.", low=1e-6, high=1.0)
    warm_up: int = setting(100, "Steps in which the step size rises, in either stage.", low=1)
    clip: float = setting(1.0, "Longest gradient.", low=1e-3)
    dropped: float = setting(0.15, "Share of texts that are dropped whole in the second stage.", low=0.0, high=1.0)
    seed: int = setting(0, "The same seed trains the same.", low=0)


@dataclass(frozen=True, slots=True, eq=False)
class ClipLesson:
    """What is taught from."""

    drawn: DrawnEvents
    words: ClipWords
    tokens: int
    """To which every text is cut and padded."""

    def batch(self, grounds: int, ways: int, hiding: Hiding, generator: torch.Generator) -> ClipBatch:
        """Two clips of each of so many grounds, drawn at random; or four of half as many, with two `ways`."""
        rows = torch.randperm(len(self.drawn), generator=generator)[: grounds // ways].tolist()
        texts, clips = self.drawn.relatives(rows, generator, ways)
        there = torch.ones(clips.shape[:2], dtype=torch.long)
        return clip_batch(texts, (clips, there), self.words, self.tokens, generator, hiding=hiding)


def teach_univl(
    network: Univl, lesson: ClipLesson, how: UnivlTraining, progress: Progress = no_progress
) -> list[dict[str, float]]:
    """Teach a network that has begun, in place: the first stage, then the second.

    Args:
        progress: called as ("first stage", done, total), then ("second stage", done, total).

    Returns:
        The losses of each step.

    Raises:
        InvalidInput: the training diverged.
        Cancelled: from `progress`.
    """
    hiding = Hiding(text=how.dropped)
    stages = (
        ("first stage", how.first, how.first_batch, NOTHING),
        ("second stage", how.second, how.second_batch, hiding),
    )
    seen = list[dict[str, float]]()
    for number, (name, steps, grounds, hidden) in enumerate(stages):
        losses_of = second_stage if number else first_stage

        def loss_of(network: Univl, batch: ClipBatch, of: Callable[..., UnivlLosses] = losses_of) -> torch.Tensor:
            losses = of(network, batch)
            seen.append(losses.figures())
            return losses.total

        _steps(network, lesson, (name, steps, grounds, hidden, number), how, loss_of, progress)
    return seen


def fine_tune(
    network: Univl, lesson: ClipLesson, how: UnivlTraining, task: str, progress: Progress = no_progress
) -> list[float]:
    """`how.second` steps for one task, with nothing hidden: "joint" and "aligned" retrieval, or "caption" from the clip
    alone. The losses of each step.

    Raises:
        InvalidInput: the task is another, or the training diverged.
        Cancelled: from `progress`.
    """
    tasks: dict[str, LossOf] = {
        "joint": lambda network, batch: retrieval_loss(network, batch, aligned=False),
        "aligned": lambda network, batch: retrieval_loss(network, batch, aligned=True),
        "caption": captioning_loss,
    }
    if task not in tasks:
        raise InvalidInput(f"A UniVL is fine-tuned for {', '.join(tasks)}: got {task!r:.40}.")
    seen = list[float]()

    def loss_of(network: Univl, batch: ClipBatch) -> torch.Tensor:
        loss = tasks[task](network, batch)
        seen.append(float(loss.detach()))
        return loss

    hidden = Hiding(0.0, 0.0, 1.0, 0.0) if task == "caption" else NOTHING
    _steps(network, lesson, (task, how.second, how.second_batch, hidden, 2), how, loss_of, progress)
    return seen


def _steps(
    network: Univl,
    lesson: ClipLesson,
    stage: tuple[str, int, int, Hiding, int],
    how: UnivlTraining,
    loss_of: LossOf,
    progress: Progress,
) -> None:
    name, steps, grounds, hiding, number = stage
    generator = torch.Generator().manual_seed(1_000_003 * how.seed + number)
    optimiser = torch.optim.Adam(network.parameters(), lr=how.lr)
    network.train()
    with torch.random.fork_rng():
        torch.manual_seed(1_000_003 * how.seed + 10 + number)  # dropout draws from torch's own
        for step in range(steps):
            share = warmed(step, steps, how.warm_up, FLOOR)
            loss = loss_of(network, lesson.batch(grounds, 1 + step % 2, hiding, generator))
            take_step(optimiser, loss, share, clip=how.clip)
            progress(name, step + 1, steps)
    network.eval()


def mean_losses(steps: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean of each loss over the steps that had it."""
    names = dict.fromkeys(name for step in steps for name in step)
    return {name: sum(s[name] for s in steps if name in s) / sum(name in s for s in steps) for name in names}
