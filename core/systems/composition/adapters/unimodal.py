"""Unimodal: a transformer over the tokens of each side alone, then one cosine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from core.encoders import Encoder
from core.encoders.tokens import TokenTower
from core.options import setting
from core.systems.common.own_random import OwnRandom
from core.systems.composition.adapters.base import Cosine, ImageRows, State, TextRows, masked_mean, unit


def encoder_layers(width: int, heads: int, layers: int, hidden: int, dropout: float) -> torch.nn.TransformerEncoder:
    """Post-norm transformer layers, as PyTorch's own defaults are."""
    layer = torch.nn.TransformerEncoderLayer(width, heads, hidden, dropout, batch_first=True)
    return torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


class UnimodalModule(Cosine):
    """Each side attends to itself; the mean of its tokens is its vector."""

    def __init__(self, tower: TokenTower, layers: int, hidden: int) -> None:
        super().__init__(10.0)
        width = tower.text_width
        self.project = torch.nn.Linear(tower.image_width, width)
        self.position = torch.nn.Parameter(torch.randn(1, tower.grid[0] * tower.grid[1], width) * 0.02)
        self.image, self.text = (encoder_layers(width, 4, layers, hidden, 0.1) for _ in range(2))

    def images(self, rows: ImageRows) -> State:
        """(b, w) unit rows."""
        return (unit(self.image(self.project(rows.tokens) + self.position).mean(1)),)

    def texts(self, rows: TextRows) -> State:
        """(m, w) unit rows."""
        return (unit(masked_mean(self.text(rows.tokens, src_key_padding_mask=~rows.seen), rows.words)),)


@dataclass(frozen=True, slots=True)
class Unimodal:
    """Cola's 'FT late': new layers over the frozen tokens of each side, which meet only in the cosine.

    Departures: patches have a learned position, the vector is the mean over tokens.
    """

    layers: int = setting(2, "Transformer layers on each side.", low=1, high=6)
    hidden: int = setting(2048, "Width of the feed-forward part.", low=64, high=8192, advanced=True)

    title: ClassVar[str] = "Unimodal"
    what: ClassVar[str] = (
        "A small transformer over the tokens of each side alone; pictures and texts meet in one cosine."
    )
    source: ClassVar[str] = "Ray et al. 2023 (Cola), arXiv 2305.03689, section 4 (FT late)"
    learning_rate: ClassVar[float] = 3e-4
    negatives: ClassVar[int] = 16
    dual: ClassVar[bool] = True

    def build(self, tower: TokenTower, encoder: Encoder, seed: int) -> Any:
        """A fresh module."""
        with OwnRandom(seed):
            return UnimodalModule(tower, self.layers, self.hidden)
