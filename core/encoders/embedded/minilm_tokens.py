"""MiniLM's tokenizer, and where it cuts a text off."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from core.encoders.embedded.weights import minilm_tokenizer

MAX_TOKENS = 128
"""Longer prompts are cut here; the model itself would take 512."""


@cache
def load_tokenizer() -> Any:
    """The tokenizer, without padding and without a limit."""
    tokenizers: Any = import_module("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_str(minilm_tokenizer())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def shortened(ids: list[int]) -> list[int]:
    """A text's tokens, cut to `MAX_TOKENS` before the mark at its end."""
    return ids if len(ids) <= MAX_TOKENS else [*ids[: MAX_TOKENS - 1], ids[-1]]


def count_truncated(texts: Sequence[str]) -> int:
    """How many of `texts` are longer than `MAX_TOKENS` and lose their end."""
    return sum(len(found.ids) > MAX_TOKENS for found in load_tokenizer().encode_batch(list(texts)))
