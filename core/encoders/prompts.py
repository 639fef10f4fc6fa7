"""Text towers that take word embeddings, so that some of them can be learned: one adapter for the three kinds that
open_clip has."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from core.records import I64

CHECK_PROMPT = "a photo of a red dog."
"""A prompt whose vector must be the same from word embeddings as from its text."""


class PromptTower(Protocol):
    """A frozen text tower, entered behind its word embeddings. n prompts of L tokens; w the width of a word
    embedding."""

    @property
    def tokenizer(self) -> str:
        """Identifies the vocabulary and the word embeddings: prompts learned for others are refused."""
        ...

    @property
    def length(self) -> int:
        """Maximal tokens of a prompt, marks included."""
        ...

    @property
    def placeholder(self) -> int:
        """Id of an ordinary word at the positions of learned vectors."""
        ...

    @property
    def learning_rate(self) -> float:
        """Learning rate of CoOp for the scale of its word embeddings."""
        ...

    @property
    def epochs(self) -> int | None:
        """Epochs of CoOp; None for the paper's number."""
        ...

    @property
    def device(self) -> torch.device: ...

    def tokens(self, text: str) -> list[int]:
        """Ids of a text without marks."""
        ...

    def marks(self) -> tuple[list[int], list[int]]:
        """Ids that stand before and after every text."""
        ...

    def padded(self, rows: Sequence[Sequence[int]]) -> I64:
        """(n, L) rows padded to the longest, or to the tower's length where padding changes the vector."""
        ...

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """(..., w) word embeddings of ids, before positions are added."""
        ...

    def encode(self, embeds: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """(n, d) unit rows of the joint space from (n, L, w) embeddings; ids (n, L) say where a prompt ends.
        Differentiable in embeds."""
        ...

    def words(self) -> torch.Tensor:
        """(V, w) embeddings of the whole vocabulary."""
        ...

    def spelled(self, token: int) -> str:
        """A token as text."""
        ...


def tokenizer_digest(name: str, tokens: Sequence[int], words: torch.Tensor) -> str:
    """Hash of a vocabulary: the ids of one sentence, and a sample of the word embeddings."""
    digest = hashlib.sha256(np.asarray(tokens, np.int64).tobytes())
    digest.update(words[:: max(1, len(words) // 97)].detach().cpu().contiguous().float().numpy().tobytes())
    return f"{name} {digest.hexdigest()[:12]}"
