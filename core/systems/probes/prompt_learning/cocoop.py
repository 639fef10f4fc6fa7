"""CoCoOp: CoOp whose context a small network shifts for each image, so that it bends less to the classes that it was
trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.options import setting
from core.systems.probes.prompt_learning.coop import LearnedPrompts


@dataclass(frozen=True)
class CoCoOp(LearnedPrompts):
    """One context for all classes plus a shift for each image; the class name stands at the end.

    One image a step, 10 epochs and a step size of 0.002 are the paper's. Departure: validation chooses the epoch. More
    images a step take a step as much larger, which costs less and learns worse (docs/evidence/probes.md).
    """

    title: ClassVar[str] = "CoCoOp"
    what: ClassVar[str] = (
        "Learns the words around class names and how each image shifts them; "
        "every image has its own prompts, so it is slow."
    )
    source: ClassVar[str] = "Zhou et al. 2022, arXiv 2203.05557"
    kind = "cocoop"

    epochs: int | None = setting(None, "empty: 10, as in the paper", low=0, high=10_000, advanced=True)
    lr: float | None = setting(None, "step size; empty: 0.002 times the batch", low=1e-6, high=100, advanced=True)
    batch: int = setting(1, "images a step; one as in the paper", low=1, high=10_000, advanced=True)

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds: a prompt for each image and class, with its gradient while learning."""
        scoring = n * k * 0.002
        if self.load:
            return 3.0 + scoring
        epochs = 10 if self.epochs is None else self.epochs
        learning = epochs * k * (self.shots * k * 0.009 + min(self.shots, 4) * k * 0.002 * self.validate)
        return 3.0 + scoring + folds * learning
