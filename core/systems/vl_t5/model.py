"""VL-T5: one T5 encoder over words and parts of pictures, and its decoder, which writes every answer as text."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from core.systems.common.words import IGNORED
from core.systems.vl_t5.vision import VisionSizes, VisualEmbedding, begin, text_bias


@dataclass(frozen=True, slots=True, eq=False)
class PictureParts:
    """What a model sees of n pictures (or questions, which may have more than one)."""

    features: Tensor
    """(n, P, f)."""
    boxes: Tensor
    """(n, P, 4) left, top, right, bottom as shares of the sides; (1, P, 4) where all are alike."""
    pictures: Tensor | None = None
    """(n, P) which picture of its question; None: one picture."""


@dataclass(frozen=True, slots=True, eq=False)
class GreedyText:
    """What a model wrote to n questions."""

    tokens: tuple[tuple[int, ...], ...]
    """Without the end sign."""
    probability: Tensor
    """(n,) of the whole answer, its end included: the product over its tokens."""


class VisionT5(torch.nn.Module):
    """Cho et al. 2021, arXiv 2102.02779; the T5 is transformers' own."""

    def __init__(self, config: Any, sizes: VisionSizes) -> None:
        super().__init__()
        t5: Any = import_module("transformers").T5ForConditionalGeneration(config)
        self.t5 = t5
        self.visual = VisualEmbedding(sizes, config.d_model, config.layer_norm_epsilon)
        begin(self.visual)

    def encode(self, ids: Tensor, seen: Tensor, parts: PictureParts | None) -> tuple[Tensor, Tensor]:
        """(n, T, d) states and (n, T) which of them count, words first; without parts it is the T5 alone.

        Args:
            ids: (n, L) words, padded.
            seen: (n, L) 1 on words, 0 on padding.
        """
        encoder = self.t5.encoder
        states = self.t5.shared(ids)
        n_text = ids.shape[1]
        n_parts = 0
        if parts is not None:
            tokens = self.visual(parts.features, parts.boxes, self.t5.shared.weight, parts.pictures)
            n_parts = tokens.shape[1]
            states = torch.cat([states, tokens], 1)
            seen = torch.cat([seen, seen.new_ones((len(ids), n_parts))], 1)
        bias = text_bias(encoder.block[0].layer[0].SelfAttention, n_text, n_parts)
        bias = bias + (1.0 - seen[:, None, None, :].to(bias.dtype)) * torch.finfo(bias.dtype).min
        states = encoder.dropout(states)
        for block in encoder.block:
            states = block(states, None, bias)[0]
        return encoder.dropout(encoder.final_layer_norm(states)), seen

    def forward(self, ids: Tensor, seen: Tensor, parts: PictureParts | None, wanted: Tensor) -> Tensor:
        """(n, u, V) logits of each word to write, all before it given; wanted: (n, u), `IGNORED` behind the end."""
        states, seen = self.encode(ids, seen, parts)
        given = self.t5._shift_right(wanted)
        return self.decode(states, seen, given)

    def decode(self, states: Tensor, seen: Tensor, given: Tensor) -> Tensor:
        """(n, u, V) logits of the word after each of (n, u) written ones."""
        outputs: Any = import_module("transformers.modeling_outputs").BaseModelOutput(last_hidden_state=states)
        return self.t5(
            encoder_outputs=outputs, attention_mask=seen, decoder_input_ids=given, use_cache=False
        ).logits.float()

    @torch.inference_mode()
    def write(self, ids: Tensor, seen: Tensor, parts: PictureParts | None, most: int = 20) -> GreedyText:
        """The likeliest word at each step, until the end sign or `most` words."""
        config = self.t5.config
        states, seen = self.encode(ids, seen, parts)
        given = torch.full((len(ids), 1), config.decoder_start_token_id)
        chances = torch.ones(len(ids))
        going = torch.ones(len(ids), dtype=torch.bool)
        for _ in range(most):
            chance, word = self.decode(states, seen, given)[:, -1].softmax(-1).max(-1)
            chances = torch.where(going, chances * chance, chances)
            word = torch.where(going, word, config.pad_token_id)
            given = torch.cat([given, word[:, None]], 1)
            going = going & (word != config.eos_token_id)
            if not bool(going.any()):
                break
        left = (config.pad_token_id, config.eos_token_id)
        rows = tuple(tuple(w for w in row if w not in left) for row in given[:, 1:].tolist())
        return GreedyText(rows, chances)

    @torch.inference_mode()
    def chances(self, ids: Tensor, seen: Tensor, parts: PictureParts | None, wanted: Tensor) -> Tensor:
        """(n,) probability of writing just that; wanted: (n, u), `IGNORED` behind the end."""
        found = self.forward(ids, seen, parts, wanted).log_softmax(-1)
        there = wanted != IGNORED
        each = found.gather(-1, wanted.clamp_min(0).unsqueeze(-1)).squeeze(-1)
        return torch.where(there, each, 0.0).sum(1).exp()
