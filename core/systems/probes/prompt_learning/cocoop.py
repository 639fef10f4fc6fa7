"""CoCoOp: CoOp with a small network that shifts the context for each image, so that it depends less on the classes of
its training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.options import setting
from core.systems.probes.prompt_learning.coop import LearnedPrompts


@dataclass(frozen=True)
class CoCoOp(LearnedPrompts):
    """One context for all classes plus a shift for each image; the class name comes last.

    One image a step, 10 epochs and a learning rate of 0.002 are the paper's. Departure: validation chooses the epoch.
    With more images a step the learning rate grows in proportion, which costs less and learns worse
    (docs/evidence/probes.md).
    """

    title: ClassVar[str] = "CoCoOp"
    what: ClassVar[str] = (
        "Learns the words around class names and how each image shifts them; slow, since each image has its own "
        "prompts."
    )
    source: ClassVar[str] = "Zhou et al. 2022, arXiv 2203.05557"
    kind = "cocoop"

    epochs: int | None = setting(
        None, "passes over the shots (empty: 10, as in the paper)", low=0, high=10_000, advanced=True
    )
    lr: float | None = setting(None, "learning rate (empty: 0.002 times the batch)", low=1e-6, high=100, advanced=True)
    batch: int = setting(1, "images a step (the paper's: 1)", low=1, high=10_000, advanced=True)

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds: a prompt for each image and class, with its gradient while learning."""
        scoring = n * k * 0.002
        if self.load:
            return 3.0 + scoring
        epochs = 10 if self.epochs is None else self.epochs
        learning = epochs * k * (self.shots * k * 0.009 + min(self.shots, 4) * k * 0.002 * self.validate)
        return 3.0 + scoring + folds * learning
