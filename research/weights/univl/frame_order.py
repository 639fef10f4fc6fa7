"""A pooler that sees the order of frames: a small Transformer between any encoder of images and the mean over frames.

Source: CLIP4Clip's "seqTransf" (Luo et al. 2022, arXiv 2104.08860, section 3.3): frames with their places through a
Transformer, added to the frames themselves, then averaged; cosines with the text, cross-entropy both ways. Departures:
the encoder is frozen, so the Transformer is narrow, between a projection down and one up that begins at zero, and the
text's vector gets a correction of the same kind. Untrained it is the mean ("meanP").
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from core.errors import InvalidInput

SCALE = 50.0
"""What cosines are multiplied with before a softmax."""


class OrderedPooling(nn.Module):
    """Unit vectors of clips and texts.

    Args:
        width: of frames and texts, in one space.
        inner: of the Transformer.
        places: most frames of a clip.

    Raises:
        InvalidInput: inner is no multiple of heads.
    """

    def __init__(self, width: int, *, inner: int = 128, layers: int = 2, heads: int = 4, places: int = 64) -> None:
        super().__init__()
        if inner % heads:
            raise InvalidInput(f"inner (= {inner}) must be divisible by heads (= {heads}).")
        self.down = nn.Linear(width, inner)
        self.up = nn.Linear(inner, width)
        self.places = nn.Embedding(places, inner)
        layer = nn.TransformerEncoderLayer(inner, heads, 4 * inner, 0.0, "gelu", batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.read = nn.Linear(width, 2 * inner)
        self.say = nn.Linear(2 * inner, width)
        for last in (self.up, self.say):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def clips(self, frames: torch.Tensor) -> torch.Tensor:
        """(n, d) unit rows of (n, F, d) unit rows, in their order."""
        if frames.shape[1] > self.places.num_embeddings:
            raise InvalidInput(
                f"At most {self.places.num_embeddings} frames of a clip are pooled: got {frames.shape[1]}."
            )
        inner = self.down(frames) * frames.shape[2] ** 0.5 + self.places(torch.arange(frames.shape[1]))
        return normalize((frames + self.up(self.layers(inner))).mean(1), dim=1)

    def texts(self, texts: torch.Tensor) -> torch.Tensor:
        """(m, d) unit rows of (m, d) unit rows."""
        inner = (self.read(texts) * texts.shape[1] ** 0.5).relu()
        return normalize(texts + self.say(inner), dim=1)

    def loss(self, frames: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        """Of n clips with their n texts: cross-entropy of the own one, mean of both ways."""
        scores = SCALE * self.clips(frames) @ self.texts(texts).T
        own = torch.arange(len(texts))
        return (cross_entropy(scores, own) + cross_entropy(scores.T, own)) / 2
