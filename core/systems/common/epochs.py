"""What every training by epochs shares: what an epoch showed, and the weights of the best."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Weights = TypeVar("Weights")


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one pass showed."""

    number: int
    """0 is before training."""
    loss: float | None
    """Mean training loss in nats; None before training."""
    validation_loss: float = math.nan
    """Of learned prompts in nats over the validation images, of an adapter over its hard pairs; nan without any."""
    validation_accuracy: float = math.nan
    """Of an adapter: share of validation items in which every caption finds its image, or every image its caption
    where there is but one."""


class Best(Generic[Weights]):
    """The weights of the epoch with the highest score so far; of equals the first.

    Args:
        weights: those before training, which are kept until a score is offered.
    """

    def __init__(self, weights: Weights) -> None:
        self.epoch = 0
        self.weights = weights
        self.score: tuple[float, ...] = (-math.inf,)

    def offer(self, epoch: int, score: tuple[float, ...], weights: Callable[[], Weights]) -> None:
        """Take the epoch's weights if its score is higher than any before."""
        if score > self.score:
            self.epoch = epoch
            self.score = score
            self.weights = weights()


def weights_of(module: Any) -> dict[str, Any]:
    """A copy of a torch module's weights by name."""
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
