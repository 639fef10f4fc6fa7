"""Tiny models that answer, and pictures of random cells for them."""

from __future__ import annotations

import torch

from core.answers.describer import Describer, NewSizes, make_describer
from core.answers.model import PictureParts
from core.answers.vision import VisionSizes, grid_boxes

TEXTS = ("what colour is the cube ?", "red", "blue", "a red cube and a blue ball", "yes", "no", "true", "false")
FEATURES = 6


def tiny_describer(feat_dim: int = FEATURES, *, seed: int = 0, layers: int = 2) -> Describer:
    return make_describer(TEXTS, VisionSizes(feat_dim), NewSizes(width=16, layers=layers, hidden=24, seed=seed))


def some_parts(n: int, side: int = 3, feat_dim: int = FEATURES, seed: int = 0) -> PictureParts:
    """n pictures of side x side random cells."""
    made = torch.Generator().manual_seed(seed)
    return PictureParts(torch.randn((n, side * side, feat_dim), generator=made), grid_boxes(side, side)[None])
