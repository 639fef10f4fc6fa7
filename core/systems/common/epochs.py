"""Losses of each epoch of a training, and the weights of the best epoch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Weights = TypeVar("Weights")


@dataclass(frozen=True, slots=True)
class Epoch:
    """Losses after one pass over the training data."""

    number: int
    """0 is before training."""
    loss: float | None
    """Mean training loss in nats; None before training."""
    validation_loss: float = math.nan
    """Of learned prompts in nats over the validation images, of an adapter over its hard pairs; nan without any."""
    validation_accuracy: float = math.nan
    """Of an adapter: share of validation items in which every caption finds its image, or every image its caption
    in items of one caption."""


class Best(Generic[Weights]):
    """Weights of the epoch with the highest score so far, the first of equals.

    Args:
        weights: initial ones, which stay until the first offer.
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
