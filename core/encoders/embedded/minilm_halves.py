"""MiniLM cut in two, in torch: three layers that stay as they came, and a copy of the three above them that may be
tuned on texts."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from core.encoders import CHARACTERS_READ
from core.encoders.batches import by_length
from core.encoders.embedded.minilm_graph import LAYERS, WIDTH
from core.encoders.embedded.minilm_tokens import MAX_TOKENS, MAX_TOKENS_OF_SAMPLE
from core.encoders.embedded.minilm_torch import load_tower
from core.records import F32, I64, Progress, no_progress

_BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class LowerStates:
    """n texts between the halves, those of like length together."""

    batches: tuple[tuple[Tensor, Tensor], ...]
    """(b, t, 384) states and (b, t) True on everything but padding."""
    place: Tensor
    """(n,) where each text stands among the batches' rows."""


class MiniLMHalves:
    """The tower with an upper half of its own; the shared tower is left as it is."""

    def __init__(self, align: Callable[[Tensor], Tensor] | None = None) -> None:
        """`align` brings (n, 384) sentence vectors to unit rows of a joint space; without it they are scaled alone."""
        model, self._tokenizer = load_tower()
        self._align = align or (lambda sentences: normalize(sentences, dim=-1))
        self._model: Any = model
        self._lower: list[Any] = list(model.encoder.layer[: LAYERS // 2])
        self.upper: Any = copy.deepcopy(model.encoder.layer[LAYERS // 2 :]).eval().requires_grad_(True)
        """The layers that may be tuned."""

    def lower(self, texts: Sequence[str]) -> LowerStates:
        """Prompts and descriptions, cut after 128 word pieces, as the upper half is given them."""
        order = list[int]()
        parts = list[tuple[Tensor, Tensor]]()
        for rows, states, seen in self._lower_batches(texts, MAX_TOKENS):
            order += rows.tolist()
            parts.append((states, seen))
        return LowerStates(tuple(parts), torch.argsort(torch.tensor(order, dtype=torch.long)))

    def vectors(self, states: LowerStates, told: Callable[[int], None] = lambda n: None) -> Tensor:
        """(n, d) unit rows, in the order of the texts; differentiable in the upper half.

        Args:
            told: is given how many texts came after each batch; may raise `Cancelled`.
        """
        found: list[Tensor] = []
        for part, seen in states.batches:
            found.append(self._above(part, seen))
            told(len(part))
        return torch.cat(found)[states.place]

    def encode(self, texts: Sequence[str], progress: Progress = no_progress, step: str = "encode the texts") -> F32:
        """(n, 384) unit rows of samples, cut after 256 word pieces.

        Args:
            progress: called as (step, done, total) after every 64 texts; may raise `Cancelled`.
        """
        out = np.zeros((len(texts), WIDTH), np.float32)
        done = 0
        progress(step, 0, len(texts))
        for rows, states, seen in self._lower_batches(texts, MAX_TOKENS_OF_SAMPLE):
            with torch.inference_mode():
                out[rows] = self._above(states, seen).numpy()
            done += len(rows)
            progress(step, done, len(texts))
        return out

    def _lower_batches(self, texts: Sequence[str], most: int) -> Iterator[tuple[I64, Tensor, Tensor]]:
        for rows in by_length(texts, _BATCH):
            tokens = self._tokenizer(
                [texts[i][:CHARACTERS_READ] for i in rows],
                padding=True,
                truncation=True,
                max_length=most,
                return_tensors="pt",
            )
            seen = tokens.attention_mask.bool()
            with torch.no_grad():
                states = self._through(self._lower, self._model.embeddings(input_ids=tokens.input_ids), seen)
            yield rows, states, seen

    def _above(self, states: Tensor, seen: Tensor) -> Tensor:
        found = self._through(self.upper, states, seen)
        weights = seen.unsqueeze(-1).float()
        return self._align((found * weights).sum(1) / weights.sum(1))

    def _through(self, layers: Any, states: Tensor, seen: Tensor) -> Tensor:
        blocked = torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)[:, None, None, :]
        for layer in layers:
            found: Any = layer(states, attention_mask=blocked)
            states = found[0] if isinstance(found, tuple) else found
        return states
