"""The embedded encoder's text tower behind MiniLM's word embeddings: mean pooling, then the alignment's text side in
torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn.functional import gelu, normalize, softshrink

from core.encoders.embedded.alignment import BLOCK_WEIGHT, Alignment
from core.encoders.embedded.caption_torch import TorchTexts
from core.encoders.embedded.minilm_tokens import MAX_TOKENS
from core.encoders.embedded.minilm_torch import load_tower
from core.encoders.embedded.photo_words import CONDITIONS, TEXT_GAIN, Conditions
from core.encoders.prompts import CHECK_PROMPT, tokenizer_digest
from core.records import I64


class AlignedTexts:
    """`Alignment.texts` in torch, differentiable.

    Activations inside the threshold or beyond the limit of `Conditions.texts` have no gradient: words change
    a condition only if the text already names it.
    """

    def __init__(self, alignment: Alignment) -> None:
        self._mean = torch.from_numpy(alignment.text_mean)
        self._scale = torch.from_numpy(alignment.text_scale)
        self._map = torch.from_numpy(alignment.text_map)
        self._conditions = alignment.conditions
        self._share = alignment.caption_weight**0.5
        self._captions = None if alignment.captions is None else TorchTexts(alignment.captions)

    def __call__(self, sentences: torch.Tensor) -> torch.Tensor:
        """(n, d) unit rows of the joint space from (n, 384) sentence vectors of any length."""
        unit = normalize(sentences, dim=-1)
        centred = unit - self._mean
        objects = normalize(torch.cat([self._scale * centred, centred @ self._map.T], 1), dim=-1)
        zeros = sentences.new_zeros(len(sentences), len(CONDITIONS))
        block = zeros
        if self._conditions is not None:
            block = float(BLOCK_WEIGHT) * activations(self._conditions, unit)
        known = normalize(torch.cat([objects, block, zeros[:, :1]], 1), dim=-1)
        if self._captions is None:
            return known
        return normalize(torch.cat([known, self._share * self._captions(unit)], 1), dim=-1)


def activations(conditions: Conditions, unit: torch.Tensor) -> torch.Tensor:
    """`Conditions.texts` in torch: (n, q) from (n, 384) unit sentence vectors."""

    centred = (unit - torch.from_numpy(conditions.sentence_mean)) * float(TEXT_GAIN)
    hidden = centred @ torch.from_numpy(conditions.hidden_map).T + torch.from_numpy(conditions.hidden_bias)
    raw = gelu(hidden) @ torch.from_numpy(conditions.output_map).T + torch.from_numpy(conditions.output_bias)
    return softshrink(raw, float(conditions.threshold[0])).clamp(-1.2, 1.2)


class EmbeddedTower:
    """MiniLM and the alignment, on the CPU; all parameters frozen."""

    length = MAX_TOKENS
    learning_rate = 0.2
    """The paper's 0.002 learns hardly anything: MiniLM's word embeddings are about five times as long as CLIP's, and
    its space has a smaller scale. Chosen with the epochs on clothing and cifar10, seeds 0 and 1, before captions joined
    the encoder: 0.05 is slower, 0.5 not better."""
    epochs = 50
    device = torch.device("cpu")

    def __init__(self, alignment: Alignment) -> None:
        model, tokenizer = load_tower()
        self._model: Any = model.requires_grad_(False)
        self._tokenizer: Any = tokenizer
        self._align = AlignedTexts(alignment)
        self.placeholder = self.tokens("a")[0]
        self.tokenizer = tokenizer_digest("MiniLM", self.tokens(CHECK_PROMPT), self.words())

    def tokens(self, text: str) -> list[int]:
        """Ids of a text without marks."""
        return list(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def marks(self) -> tuple[list[int], list[int]]:
        """[CLS] and [SEP]; both count in the mean, as in every sentence vector."""
        return [self._tokenizer.cls_token_id], [self._tokenizer.sep_token_id]

    def padded(self, rows: Sequence[Sequence[int]]) -> I64:
        """(n, L) rows padded to the longest."""
        length = max(len(row) for row in rows)
        pad = self._tokenizer.pad_token_id
        return np.array([[*row, *[pad] * (length - len(row))] for row in rows], np.int64)

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """(..., 384) word embeddings, before positions and the first normalization."""
        return self._model.get_input_embeddings()(ids)

    def encode(self, embeds: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """(n, 1063) unit rows of the joint space."""
        mask = ids != self._tokenizer.pad_token_id
        hidden = self._model(inputs_embeds=embeds, attention_mask=mask.long()).last_hidden_state
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        return self._align((hidden * weights).sum(1) / weights.sum(1))

    def words(self) -> torch.Tensor:
        """(V, 384) embeddings of the vocabulary."""
        return self._model.get_input_embeddings().weight.detach()

    def spelled(self, token: int) -> str:
        """A token as text; a piece inside a word begins with "##"."""
        return str(self._tokenizer.convert_ids_to_tokens(token))
