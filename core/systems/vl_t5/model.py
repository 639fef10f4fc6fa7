"""VL-T5: a T5 encoder over words and parts of images, whose decoder writes every answer as text."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from core.systems.common.words import IGNORED
from core.systems.vl_t5.vision import VisionSizes, VisualEmbedding, draw_first_weights, text_bias


@dataclass(frozen=True, slots=True, eq=False)
class PictureParts:
    """Model input for n images, or for n questions that may have several images each."""

    features: Tensor
    """(n, P, f)."""
    boxes: Tensor
    """(n, P, 4) left, top, right, bottom as shares of the sides; (1, P, 4) where all images share their boxes."""
    pictures: Tensor | None = None
    """(n, P) index of the image within its question; None: one image per question."""


@dataclass(frozen=True, slots=True, eq=False)
class GreedyText:
    """A model's answers to n questions."""

    tokens: tuple[tuple[int, ...], ...]
    """Without the end token."""
    probability: Tensor
    """(n,) probability of the whole answer with its end token: the product over its tokens."""


class VisionT5(torch.nn.Module):
    """VL-T5 of Cho et al. 2021, arXiv 2102.02779, on the T5 of transformers."""

    def __init__(self, config: Any, sizes: VisionSizes) -> None:
        super().__init__()
        t5: Any = import_module("transformers").T5ForConditionalGeneration(config)
        self.t5 = t5
        self.visual = VisualEmbedding(sizes, config.d_model, config.layer_norm_epsilon)
        draw_first_weights(self.visual)

    def encode(self, ids: Tensor, seen: Tensor, parts: PictureParts | None) -> tuple[Tensor, Tensor]:
        """(n, T, d) states and their (n, T) attention mask, words first; without parts, the plain T5.

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
        """(n, u, V) logits of each target word after the ones before it; wanted: (n, u), `IGNORED` after the end."""
        states, seen = self.encode(ids, seen, parts)
        return self.decode(states, seen, self.t5._shift_right(wanted))

    def decode(self, states: Tensor, seen: Tensor, written: Tensor) -> Tensor:
        """(n, u, V) logits of the word after each of (n, u) written ones."""
        outputs: Any = import_module("transformers.modeling_outputs").BaseModelOutput(last_hidden_state=states)
        return self.t5(
            encoder_outputs=outputs, attention_mask=seen, decoder_input_ids=written, use_cache=False
        ).logits.float()

    @torch.inference_mode()
    def write(self, ids: Tensor, seen: Tensor, parts: PictureParts | None, max_words: int = 20) -> GreedyText:
        """Greedy decoding until the end token or `max_words` words."""
        config = self.t5.config
        states, seen = self.encode(ids, seen, parts)
        written = torch.full((len(ids), 1), config.decoder_start_token_id)
        probability = torch.ones(len(ids))
        going = torch.ones(len(ids), dtype=torch.bool)
        for _ in range(max_words):
            step, word = self.decode(states, seen, written)[:, -1].softmax(-1).max(-1)
            probability = torch.where(going, probability * step, probability)
            word = torch.where(going, word, config.pad_token_id)
            written = torch.cat([written, word[:, None]], 1)
            going = going & (word != config.eos_token_id)
            if not bool(going.any()):
                break
        dropped = (config.pad_token_id, config.eos_token_id)
        rows = [tuple(word for word in row if word not in dropped) for row in written[:, 1:].tolist()]
        return GreedyText(tuple(rows), probability)

    @torch.inference_mode()
    def chances(self, ids: Tensor, seen: Tensor, parts: PictureParts | None, wanted: Tensor) -> Tensor:
        """(n,) probability of writing exactly the target; wanted: (n, u), `IGNORED` after the end."""
        log_p = self.forward(ids, seen, parts, wanted).log_softmax(-1)
        of_target = log_p.gather(-1, wanted.clamp_min(0).unsqueeze(-1)).squeeze(-1)
        return torch.where(wanted != IGNORED, of_target, 0.0).sum(1).exp()
