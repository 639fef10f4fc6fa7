"""Tokens of a T5 from parts of images, as in VL-T5 (Cho et al. 2021, arXiv 2102.02779, section 3.1).

n images of P parts, f features wide; d the width of the T5, V its vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import torch
from torch import Tensor

BoxOrder = Literal["paper", "released"]
"""Order in which a box's four numbers reach the model, which determines its area."""
CORNERS = 4


@dataclass(frozen=True, slots=True)
class VisionSizes:
    """Sizes of the model's visual input."""

    feat_dim: int
    """f: 2048 in the paper."""
    n_images: int = 2
    """Most images per question."""
    box_order: BoxOrder = "paper"
    """"paper": left, right, top, bottom and their area, as in its section 3.1. "released": left, top, right, bottom,
    as the authors' loaders pass them, and as area what their code computes, (bottom - right) x (top - left), because
    their checkpoints were trained with that."""


class VisualEmbedding(torch.nn.Module):
    """LN(W f) + LN(W [box, area]) + which image + which part.

    The vector of part k is that of the T5's k-th word from the end, `<vis_extra_id_k>`. LN is T5's: without mean
    subtraction and bias.
    """

    def __init__(self, sizes: VisionSizes, width: int, epsilon: float = 1e-6) -> None:
        super().__init__()
        norm: Any = import_module("transformers.models.t5.modeling_t5").T5LayerNorm
        linear = torch.nn.Linear
        self.sizes = sizes
        self.feat_embedding = torch.nn.Sequential(linear(sizes.feat_dim, width), norm(width, eps=epsilon))
        self.absolute_vis_pos_embedding = torch.nn.Sequential(linear(CORNERS + 1, width), norm(width, eps=epsilon))
        self.img_order_embedding = torch.nn.Embedding(sizes.n_images, width)

    def forward(self, features: Tensor, boxes: Tensor, words: Tensor, pictures: Tensor | None = None) -> Tensor:
        """(n, P, d) tokens.

        Args:
            features: (n, P, f).
            boxes: (n, P, 4) left, top, right, bottom as shares of the image's sides.
            words: (V, d) the T5's word vectors.
            images: (n, P) which image of its question a part is of, from 0; None: all of the first.
        """
        _, parts, _ = features.shape
        if pictures is None:
            pictures = torch.zeros((1, parts), dtype=torch.long, device=features.device)
        order = len(words) - 1 - torch.arange(parts, device=features.device)
        tokens = self.feat_embedding(features) + self.absolute_vis_pos_embedding(self.boxes_and_areas(boxes))
        return tokens + self.img_order_embedding(pictures) + words[order]

    def boxes_and_areas(self, boxes: Tensor) -> Tensor:
        """(n, P, 5) the boxes in the model's order, and its area of each."""
        if self.sizes.box_order == "paper":
            boxes = boxes[..., [0, 2, 1, 3]]
        area = (boxes[..., 3] - boxes[..., 2]) * (boxes[..., 1] - boxes[..., 0])
        return torch.cat([boxes, area.unsqueeze(-1)], -1)


def draw_first_weights(visual: VisualEmbedding) -> None:
    """Draw the first weights. Biases are 0: a bias larger than W [box, area] would hide a part's position behind the
    layer norm."""
    for module in visual.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, std=module.in_features**-0.5)
            torch.nn.init.zeros_(module.bias)
        elif isinstance(module, torch.nn.Embedding):
            torch.nn.init.normal_(module.weight, std=1.0)


def grid_boxes(rows: int, columns: int) -> Tensor:
    """(rows x columns, 4) corners of the cells of a grid, row by row.

    Example:
        >>> grid_boxes(1, 2).tolist()
        [[0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]]
    """
    corners = list[tuple[float, float, float, float]]()
    for r in range(rows):
        for c in range(columns):
            corners.append((c / columns, r / rows, (c + 1) / columns, (r + 1) / rows))
    return torch.tensor(corners, dtype=torch.float32)


def text_bias(attention: Any, n_text: int, n_parts: int) -> Tensor:
    """(1, heads, T, T) for T = n_text + n_parts, text first: T5's relative bias between words, 0 for pairs with a part
    of an image.

    Args:
        attention: the T5's first self-attention, which holds the bias.
    """
    between_words = attention.compute_bias(n_text, n_text)
    return torch.nn.functional.pad(between_words, (0, n_parts, 0, n_parts))
