"""Local: every word looks for its patch. Images and texts are encoded apart, and meet word by patch instead of in one
cosine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from core.encoders import Encoder
from core.encoders.tokens import TokenTower
from core.options import setting
from core.systems.common.own_random import OwnRandom
from core.systems.composition.adapters.base import ImageRows, Level, State, TextRows, unit


def encoder_layers(width: int, heads: int, layers: int, hidden: int, dropout: float) -> torch.nn.TransformerEncoder:
    """Post-norm transformer layers, as PyTorch's own defaults are."""
    layer = torch.nn.TransformerEncoderLayer(width, heads, hidden, dropout, batch_first=True)
    return torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


class LocalModule(torch.nn.Module):
    """The similarity of a text with an image is the weighted mean, over its words, of each word's similarity with the
    patches that it attends to."""

    def __init__(self, tower: TokenTower, layers: int, hidden: int) -> None:
        super().__init__()
        width = tower.text_width
        self.project = torch.nn.Sequential(
            torch.nn.LayerNorm(tower.image_width), torch.nn.Linear(tower.image_width, width)
        )
        self.position = torch.nn.Parameter(torch.randn(1, tower.grid[0] * tower.grid[1], width) * 0.02)
        self.image, self.text = (encoder_layers(width, 4, layers, hidden, 0.1) for _ in range(2))
        self.weight = torch.nn.Linear(width, 1)
        torch.nn.init.zeros_(self.weight.weight)
        torch.nn.init.zeros_(self.weight.bias)
        self.sharpness = torch.nn.Parameter(torch.tensor(10.0).log())
        self.level = Level(10.0)

    def images(self, rows: ImageRows) -> State:
        """(b, P, w) unit patches."""
        return (unit(self.image(self.project(rows.tokens) + self.position)),)

    def texts(self, rows: TextRows) -> State:
        """(m, T, w) unit words, and (m, T) what each weighs."""
        states = self.text(rows.tokens, src_key_padding_mask=~rows.seen)
        counted = torch.where(rows.words.any(1, keepdim=True), rows.words, rows.seen)
        weights = self.weight(states)[..., 0].masked_fill(~counted, -torch.inf).softmax(1)
        return unit(states), weights

    def match(self, images: State, texts: State) -> torch.Tensor:
        """(p,) logits."""
        (patches,), (words, weights) = images, texts
        similarity = words @ patches.transpose(1, 2)  # (p, T, P)
        looked = (self.sharpness.exp() * similarity).softmax(2)
        return self.level(((looked * similarity).sum(2) * weights).sum(1))


@dataclass(frozen=True, slots=True)
class Local:
    """Late interaction of words and patches, trained on hard negatives."""

    layers: int = setting(1, "Transformer layers on each side.", low=1, high=4)
    hidden: int = setting(1024, "Width of the feed-forward part.", low=64, high=8192, advanced=True)

    title: ClassVar[str] = "Local matching"
    what: ClassVar[str] = (
        "A small transformer on each side. Each word then looks for the patch it names. Far cheaper than the "
        "joint modules."
    )
    source: ClassVar[str] = (
        "after the local hard-negative loss of FSC-CLIP (Oh et al. 2024, arXiv 2410.05210) and the late "
        "interaction of FILIP (Yao et al. 2021, arXiv 2111.07783); the soft choice of patches and the word "
        "weights are ours"
    )
    learning_rate: ClassVar[float] = 3e-4
    negatives: ClassVar[int] = 16

    def build(self, tower: TokenTower, encoder: Encoder, seed: int) -> Any:
        """A fresh module."""
        with OwnRandom(seed):
            return LocalModule(tower, self.layers, self.hidden)
