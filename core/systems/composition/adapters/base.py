"""What every adapter takes and gives. b images of P patches, m texts of T tokens, p pairs of an image and a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch.nn.functional import normalize

from core.encoders import Encoder
from core.encoders.tokens import TokenTower


@dataclass(frozen=True, slots=True, eq=False)
class ImageRows:
    """Frozen images in torch: see `core.encoders.tokens.ImageTokens`."""

    tokens: torch.Tensor
    """(b, P, di)."""
    pooled: torch.Tensor
    """(b, d) unit rows."""


@dataclass(frozen=True, slots=True, eq=False)
class TextRows:
    """Frozen texts in torch: see `core.encoders.tokens.TextTokens`."""

    tokens: torch.Tensor
    """(m, T, dt)."""
    ids: torch.Tensor
    words: torch.Tensor
    seen: torch.Tensor
    pooled: torch.Tensor
    """(m, d) unit rows."""


State = tuple[torch.Tensor, ...]
"""What a module keeps of each image, or of each text: the first axis counts them."""


class Matcher(Protocol):
    """The module that is trained, a `torch.nn.Module`. Images and texts are encoded once each, then matched pair by
    pair."""

    def images(self, rows: ImageRows) -> State: ...
    def texts(self, rows: TextRows) -> State: ...
    def match(self, images: State, texts: State) -> torch.Tensor:
        """(p,) logits of p images with the p texts at the same places."""
        ...

    def parameters(self) -> Any: ...


class Adapter(Protocol):
    """A frozen dataclass whose fields are the settings, as a probe's are (`core.systems.probes.base.Probe`)."""

    title: ClassVar[str]
    what: ClassVar[str]
    source: ClassVar[str]
    learning_rate: ClassVar[float]
    """A step size of AdamW that suits it."""
    negatives: ClassVar[int]
    """Captions of other items that each image is told apart from in a step."""

    def build(self, tower: TokenTower, encoder: Encoder, seed: int) -> Any:
        """A fresh `Matcher`."""
        ...


class Level(torch.nn.Module):
    """A learned scale and offset of a similarity, as SigLIP has them (Zhai et al. 2023, arXiv 2303.15343): binary
    cross-entropy needs both."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.log_scale = torch.nn.Parameter(torch.tensor(float(scale)).log())
        self.offset = torch.nn.Parameter(torch.tensor(0.0))

    def forward(self, similarity: torch.Tensor) -> torch.Tensor:
        return self.log_scale.clamp(max=5).exp() * similarity + self.offset


def unit(rows: torch.Tensor) -> torch.Tensor:
    """Rows of length 1."""
    return normalize(rows, dim=-1)


def masked_mean(tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """(n, w) means over the tokens that count; a text without any is taken whole."""
    counts = mask.any(1, keepdim=True)
    weights = (mask | ~counts).unsqueeze(-1).to(tokens.dtype)
    return (tokens * weights).sum(1) / weights.sum(1)
