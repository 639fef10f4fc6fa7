"""Tiny models that answer, one that answers as it is told, and images of random cells for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from core.records import F32
from core.systems.common.tokens import PictureTokens
from core.systems.vl_t5.describer import Describer, SpokenAnswer
from core.systems.vl_t5.model import PictureParts
from core.systems.vl_t5.vision import VisionSizes, grid_boxes
from research.weights.vl_t5.new_model import NewSizes, make_describer

TEXTS = ("what color is the cube ?", "red", "blue", "a red cube and a blue ball", "yes", "no", "true", "false")
FEATURES = 6


def tiny_describer(feat_dim: int = FEATURES, *, seed: int = 0, layers: int = 2) -> Describer:
    return make_describer(TEXTS, VisionSizes(feat_dim), NewSizes(width=16, layers=layers, hidden=24, seed=seed))


def some_parts(n: int, side: int = 3, feat_dim: int = FEATURES, seed: int = 0) -> PictureParts:
    """n images of side x side random cells."""
    made = torch.Generator().manual_seed(seed)
    return PictureParts(torch.randn((n, side * side, feat_dim), generator=made), grid_boxes(side, side)[None])


@dataclass(frozen=True, slots=True)
class PlainDescriber:
    """Answers "red" or "blue" by the sign of an image's first number, with that number's size as probability."""

    words: tuple[str, ...] = ("vqa:", "what", "colour", "is", "the", "cube", "?")
    model: Any = field(default_factory=lambda: SimpleNamespace(visual=SimpleNamespace(sizes=VisionSizes(FEATURES))))

    def unknown_words(self, text: str) -> list[str]:
        return [word for word in text.split() if word not in self.words]

    def answer(self, given: Sequence[str], parts: PictureParts) -> list[SpokenAnswer]:
        first = parts.features[:, 0, 0].tolist()
        return [SpokenAnswer("red" if value > 0 else "blue", min(1.0, abs(value))) for value in first]


def cells_of_first(first: F32, side: int = 3) -> PictureTokens:
    """Images of side x side cells whose first number is (n,) `first`, all else 0."""
    cells = np.zeros((len(first), side * side, FEATURES), np.float16)
    cells[..., 0] = first[:, None]
    return PictureTokens(cells, np.zeros((len(first), 2), np.float32), np.arange(len(first)), {})
