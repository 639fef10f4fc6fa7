"""Linear: one layer on the pooled vector of either side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from core.encoders import Encoder
from core.encoders.tokens import TokenTower
from core.systems.composition.adapters.base import ImageRows, Level, State, TextRows, unit


class LinearModule(torch.nn.Module):
    """Both layers start as the identity, so that the untrained module ranks as the encoder does."""

    def __init__(self, width: int, scale: float) -> None:
        super().__init__()
        self.level = Level(scale)
        self.image = torch.nn.Linear(width, width)
        self.text = torch.nn.Linear(width, width)
        for layer in (self.image, self.text):
            torch.nn.init.eye_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def images(self, rows: ImageRows) -> State:
        """(b, d) unit rows."""
        return (unit(self.image(rows.pooled)),)

    def texts(self, rows: TextRows) -> State:
        """(m, d) unit rows."""
        return (unit(self.text(rows.pooled)),)

    def match(self, images: State, texts: State) -> torch.Tensor:
        """(p,) logits of the cosines."""
        return self.level((images[0] * texts[0]).sum(-1))


@dataclass(frozen=True, slots=True)
class Linear:
    """Cola's linear baseline: it can turn the space, but sees no token."""

    title: ClassVar[str] = "Linear"
    what: ClassVar[str] = "One linear layer on the pooled vectors of images and of texts. It sees no single token."
    source: ClassVar[str] = "Ray et al. 2023 (Cola), arXiv 2305.03689, section 4"
    learning_rate: ClassVar[float] = 1e-3
    negatives: ClassVar[int] = 16

    def build(self, tower: TokenTower, encoder: Encoder, seed: int) -> Any:
        """A fresh module."""
        return LinearModule(tower.joint_width, tower.logit_scale)
