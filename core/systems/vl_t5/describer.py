"""A model with its words: what is asked in text and answered in text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from core.errors import InvalidInput
from core.systems.common.texts import padded
from core.systems.vl_t5.model import PictureParts, VisionT5
from core.systems.vl_t5.vision import VisionSizes
from core.systems.vl_t5.vocabulary import make_words, padded_targets

MAX_WORDS_READ, MAX_WORDS_WRITTEN = 40, 24
_BATCH = 64


@dataclass(frozen=True, slots=True)
class NewSizes:
    """Of a model that is made anew."""

    width: int = 128
    layers: int = 2
    heads: int = 4
    hidden: int = 384
    dropout: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise InvalidInput(f"width (= {self.width}) must be divisible by heads (= {self.heads}).")


@dataclass(frozen=True, slots=True)
class SpokenAnswer:
    """What was answered, and with what probability: that of just these words, their end included."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class Describer:
    """A `VisionT5` in evaluation mode, and its tokenizer."""

    model: VisionT5
    tokenizer: Any

    def given(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """(n, L) words of what is said to the model, prefix included, and which are words."""
        return padded(self.tokenizer(list(texts), truncation=True, max_length=MAX_WORDS_READ)["input_ids"])

    def unknown_words(self, text: str) -> list[str]:
        """Words of a text that the tokenizer does not know, each once.

        Example:
            >>> from core.systems.vl_t5.vision import VisionSizes
            >>> make_describer(["what is red ?"], VisionSizes(4), NewSizes(16, 1)).unknown_words("What is blue?")
            ['blue']
        """
        unknown = self.tokenizer.unk_token_id
        words = dict.fromkeys(word.strip(".,;:!?") for word in text.split())
        return [word for word in words if word and unknown in self.tokenizer(word)["input_ids"]]

    def wanted(self, texts: Sequence[str]) -> Tensor:
        """(n, u) words that the model has to write."""
        return padded_targets(self.tokenizer(list(texts), truncation=True, max_length=MAX_WORDS_WRITTEN)["input_ids"])

    def logits(self, given: Sequence[str], wanted: Sequence[str], parts: PictureParts | None) -> tuple[Tensor, Tensor]:
        """(n, u, V) logits and (n, u) what had to be written."""
        ids, seen = self.given(given)
        targets = self.wanted(wanted)
        return self.model(ids, seen, parts, targets), targets

    def answer(self, given: Sequence[str], parts: PictureParts | None) -> list[SpokenAnswer]:
        """What the model writes, a text each: the likeliest word at each step."""
        found: list[SpokenAnswer] = []
        for at in range(0, len(given), _BATCH):
            rows = slice(at, at + _BATCH)
            ids, seen = self.given(given[rows])
            written = self.model.write(ids, seen, cut(parts, rows), MAX_WORDS_WRITTEN)
            texts = self.tokenizer.batch_decode([list(row) for row in written.tokens], skip_special_tokens=True)
            found += [SpokenAnswer(t, float(p)) for t, p in zip(texts, written.probability.tolist(), strict=True)]
        return found

    def chances(self, given: Sequence[str], wanted: Sequence[str], parts: PictureParts | None) -> list[float]:
        """The probability of each given answer."""
        found: list[float] = []
        for at in range(0, len(given), _BATCH):
            rows = slice(at, at + _BATCH)
            ids, seen = self.given(given[rows])
            found += self.model.chances(ids, seen, cut(parts, rows), self.wanted(wanted[rows])).tolist()
        return found


def cut(parts: PictureParts | None, rows: slice) -> PictureParts | None:
    """Some of the pictures."""
    if parts is None:
        return None
    boxes = parts.boxes if len(parts.boxes) == 1 else parts.boxes[rows]
    pictures = None if parts.pictures is None else parts.pictures[rows]
    return PictureParts(parts.features[rows].float(), boxes, pictures)


def make_describer(texts: Iterable[str], sizes: VisionSizes, new: NewSizes, *, least: int = 1) -> Describer:
    """A new model that knows the words of the texts; the same texts, sizes and seed give the same weights.

    Args:
        least: how often a word must occur to be known.
    """
    transformers: Any = import_module("transformers")
    tokenizer = make_words(texts, least)
    config = transformers.T5Config(
        vocab_size=len(tokenizer),
        d_model=new.width,
        d_kv=new.width // new.heads,
        d_ff=new.hidden,
        num_layers=new.layers,
        num_heads=new.heads,
        dropout_rate=new.dropout,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(new.seed)
        model = VisionT5(config, sizes)
        attend_to_alike(model.t5)
    return Describer(model.eval(), tokenizer)


@torch.no_grad()
def attend_to_alike(t5: Any) -> None:
    """Let every attention begin by looking at what is like the token itself and by carrying that over: queries are
    keys, and values are turned back by the output. After Trockman and Kolter 2023, arXiv 2305.09828; that what is
    carried over keeps its sign is ours."""
    for stack in (t5.encoder, t5.decoder):
        for layer in (layer for block in stack.block for layer in block.layer[:-1]):
            attention = layer.SelfAttention if hasattr(layer, "SelfAttention") else layer.EncDecAttention
            attention.q.weight.copy_(attention.k.weight * attention.key_value_proj_dim**-0.5)
            torch.nn.init.orthogonal_(attention.v.weight)
            attention.o.weight.copy_(attention.v.weight.T)
