"""MiniLM in two halves, in torch: three frozen layers, and a copy of the three above them for tuning on texts."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from core.encoders import MAX_CHARACTERS
from core.encoders.batches import by_length
from core.encoders.embedded.minilm_graph import LAYERS, WIDTH
from core.encoders.embedded.minilm_tokens import MAX_TOKENS, MAX_TOKENS_OF_SAMPLE
from core.encoders.embedded.minilm_torch import load_tower
from core.records import F32, I64, Progress, no_progress

_BATCH_TEXTS = 64


@dataclass(frozen=True, slots=True, eq=False)
class LowerStates:
    """States of n texts between the halves, texts of like length together."""

    batches: tuple[tuple[Tensor, Tensor], ...]
    """(b, t, 384) states and (b, t) True on everything but padding."""
    positions: Tensor
    """(n,) row of each text among the batches' rows."""


class MiniLMHalves:
    """The tower with a copy of its upper half; the shared tower stays unchanged."""

    def __init__(self, align: Callable[[Tensor], Tensor] | None = None) -> None:
        """`align` maps (n, 384) sentence vectors to unit rows of a joint space (default: scale them to length 1)."""
        model, self._tokenizer = load_tower()
        self._align = align or (lambda sentences: normalize(sentences, dim=-1))
        self._model: Any = model
        self._lower: list[Any] = list(model.encoder.layer[: LAYERS // 2])
        self.upper: Any = copy.deepcopy(model.encoder.layer[LAYERS // 2 :]).eval().requires_grad_(True)
        """The tunable layers."""

    def lower(self, texts: Sequence[str]) -> LowerStates:
        """States of prompts and descriptions, truncated to 128 word pieces, before the upper half."""
        order = list[int]()
        parts = list[tuple[Tensor, Tensor]]()
        for rows, states, seen in self._lower_batches(texts, MAX_TOKENS):
            order += rows.tolist()
            parts.append((states, seen))
        return LowerStates(tuple(parts), torch.argsort(torch.tensor(order, dtype=torch.long)))

    def vectors(self, states: LowerStates, on_progress: Callable[[int], None] = lambda n: None) -> Tensor:
        """(n, d) unit rows, in the order of the texts; differentiable in the upper half.

        Args:
            on_progress: called with the number of texts of each batch; may raise `Cancelled`.
        """
        vectors: list[Tensor] = []
        for part, seen in states.batches:
            vectors.append(self._above(part, seen))
            on_progress(len(part))
        return torch.cat(vectors)[states.positions]

    def encode(self, texts: Sequence[str], progress: Progress = no_progress, step: str = "encode the texts") -> F32:
        """(n, 384) unit rows of samples, truncated to 256 word pieces.

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
        for rows in by_length(texts, _BATCH_TEXTS):
            tokens = self._tokenizer(
                [texts[i][:MAX_CHARACTERS] for i in rows],
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
        last = self._through(self.upper, states, seen)
        weights = seen.unsqueeze(-1).float()
        return self._align((last * weights).sum(1) / weights.sum(1))

    def _through(self, layers: Any, states: Tensor, seen: Tensor) -> Tensor:
        blocked = torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)[:, None, None, :]
        for layer in layers:
            states = layer(states, attention_mask=blocked)
            if isinstance(states, tuple):  # in some versions of transformers
                states = states[0]
        return states
