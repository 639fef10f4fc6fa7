"""The network of SOHO (Huang et al. 2021, arXiv 2104.03135) over a frozen encoder's map.

b pairs; P cells of w numbers in r rows; T tokens of a caption; d numbers a token; K visual words; V words.

Departures: the convolutions are frozen, so that "end to end" ends at a learned projection of their whitened map; the
gate reads the features; a Transformer of a few layers begins from random weights. Open in the paper: here cosines to
the dictionary are multiplied by a fixed number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.functional import normalize
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertLayer

from core.systems.visual_words.dictionary import VisualDictionary
from core.systems.visual_words.pretraining.settings import Pretraining
from core.systems.visual_words.pretraining.vocabulary import LENGTH, PAD

DROPOUT = 0.0
"""None, because these short pretrainings end before they could memorize their images."""


def sine_positions(rows: int, columns: int, width: int) -> torch.Tensor:
    """(rows x columns, width) sines and cosines, half of the row and half of the column, with wavelengths from 2 pi to
    20,000 pi cells, as in DETR."""
    pairs = width // 4
    frequency = 10_000.0 ** (-torch.arange(pairs) / pairs)

    def waves(n: int) -> torch.Tensor:
        angle = torch.arange(n).unsqueeze(1) * frequency
        return torch.stack([angle.sin(), angle.cos()], 2).reshape(n, 2 * pairs)

    down = waves(rows)
    across = waves(columns)
    both = torch.cat([down[:, None].expand(-1, columns, -1), across[None].expand(rows, -1, -1)], 2)
    return both.reshape(rows * columns, 4 * pairs)


class GatedHead(nn.Module):
    """e = s0 Lin(q) + s1 f, with s the softmax of a 1 x 1 convolution of f."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width)
        self.gate = nn.Conv1d(width, 2, 1)

    def forward(self, word: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
        """(b, P, d) of the words q and the cells f, both (b, P, d)."""
        share = self.gate(cells.transpose(1, 2)).softmax(1).transpose(1, 2)
        return share[..., :1] * self.linear(word) + share[..., 1:] * cells


class _Words(nn.Module):
    """The dictionary under its name in the published weights."""

    def __init__(self, size: int, width: int, decay: float) -> None:
        super().__init__()
        self.vq = VisualDictionary(size, width, decay=decay)


class _Transform(nn.Sequential):
    """The layers before BERT's prediction of tokens."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))


@dataclass(frozen=True, slots=True, eq=False)
class SeenCells:
    """The cells of images before masking."""

    values: torch.Tensor
    """(b, P, d)."""
    projected: torch.Tensor
    """(b, P, d) before the dictionary."""
    index: torch.Tensor | None
    """(b, P) words; None without a dictionary."""


def _bert(settings: Pretraining, vocabulary: int) -> BertConfig:
    config: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": settings.width,
        "num_hidden_layers": settings.layers,
        "num_attention_heads": settings.heads,
        "intermediate_size": 4 * settings.width,
        "hidden_dropout_prob": DROPOUT,
        "attention_probs_dropout_prob": 0.0,
        "attn_implementation": "sdpa",
    }
    return BertConfig(**config)


class Soho(nn.Module):
    """One Transformer over [caption; cells], with its three predictions.

    Args:
        vocabulary: V.
        grid: r and c of the map.
        mean: (w,), of the cells.
        basis: (w, d), whitens them.
    """

    mean: torch.Tensor
    basis: torch.Tensor
    places: torch.Tensor

    def __init__(
        self, settings: Pretraining, vocabulary: int, grid: tuple[int, int], mean: torch.Tensor, basis: torch.Tensor
    ) -> None:
        super().__init__()
        width = settings.width
        self.scale = settings.scale
        self.register_buffer("mean", mean.float().clone())
        self.register_buffer("basis", basis.float().clone())
        self.register_buffer("places", sine_positions(*grid, width), persistent=False)
        self.project = nn.Linear(basis.shape[1], width)
        nn.init.eye_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        self.words = _Words(settings.words, width, settings.decay) if settings.dictionary else None
        self.head = GatedHead(width) if settings.dictionary else None
        self.hidden_cell = nn.Parameter(torch.randn(width) * 0.02)
        self.tokens = nn.Embedding(vocabulary, width, padding_idx=PAD)
        self.order = nn.Embedding(LENGTH, width)
        self.kinds = nn.Embedding(2, width)
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.dropout = nn.Dropout(DROPOUT)
        config = _bert(settings, vocabulary)
        self.layers = nn.ModuleList([BertLayer(config) for _ in range(settings.layers)])
        self.tells_words = _Transform(width)
        self.word_bias = nn.Parameter(torch.zeros(vocabulary))
        self.tells_cells = _Transform(width)
        self.pool = nn.Linear(width, width)
        self.matches = nn.Linear(width, 2)
        for embedding in (self.tokens, self.order, self.kinds):
            nn.init.normal_(embedding.weight, std=0.02)

    @property
    def dictionary(self) -> VisualDictionary | None:
        return None if self.words is None else self.words.vq

    def project_cells(self, cells: torch.Tensor) -> torch.Tensor:
        """(b, P, d) of (b, P, w)."""
        return self.project((cells - self.mean) @ self.basis)

    def see(self, cells: torch.Tensor) -> SeenCells:
        """The cells of (b, P, w) maps, through the dictionary if any; during training its words follow the cells."""
        projected = self.project_cells(cells)
        if self.words is None or self.head is None:
            return SeenCells(projected, projected, None)
        word, index = self.words.vq(projected.reshape(-1, projected.shape[2]))
        return SeenCells(self.head(word.view_as(projected), projected), projected, index.view(projected.shape[:2]))

    def forward(
        self, ids: torch.Tensor, values: torch.Tensor, hidden: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(b, T, d) and (b, P, d) states of captions and cells.

        Args:
            ids: (b, T).
            values: (b, P, d) of `see`.
            hidden: (b, P) True on masked cells.
        """
        if hidden is not None:
            values = torch.where(hidden.unsqueeze(2), self.hidden_cell, values)
        at = torch.arange(ids.shape[1])
        text = self.norms[0](self.tokens(ids) + self.order(at) + self.kinds.weight[0])
        seen = self.norms[1](values + self.places + self.kinds.weight[1])
        states = self.dropout(torch.cat([text, seen], 1))
        may = torch.cat([ids != PAD, torch.ones(values.shape[:2], dtype=torch.bool)], 1)[:, None, None, :]
        for layer in self.layers:
            states = layer(states, may)
        return states[:, : ids.shape[1]], states[:, ids.shape[1] :]

    def word_logits(self, states: torch.Tensor) -> torch.Tensor:
        """(..., V) of text states."""
        return self.tells_words(states) @ self.tokens.weight.T + self.word_bias

    def cell_logits(self, states: torch.Tensor) -> torch.Tensor:
        """(..., K) scaled cosines of cell states with the dictionary's words, which get no gradient."""
        assert self.words is not None
        return self.scale * normalize(self.tells_cells(states), dim=-1) @ normalize(self.words.vq.embed, dim=-1).T

    def match_logits(self, states: torch.Tensor) -> torch.Tensor:
        """(b,) log odds of a match, of (b, T, d) text states."""
        two = self.matches(torch.tanh(self.pool(states[:, 0])))
        return two[:, 1] - two[:, 0]
