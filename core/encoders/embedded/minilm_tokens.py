"""MiniLM's tokenizer and its truncation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from core.encoders import MAX_CHARACTERS
from core.encoders.embedded.weights import minilm_tokenizer

MAX_TOKENS = 128
"""Tokens of a prompt at most; the model itself would take 512."""
MAX_TOKENS_OF_SAMPLE = 256
"""Tokens of a sample at most, as in the model's card."""
TOKENIZER_BATCH_TEXTS = 32
"""Texts tokenized together."""


@cache
def load_tokenizer() -> Any:
    """Load the tokenizer, without padding and without a limit."""
    tokenizers: Any = import_module("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_str(minilm_tokenizer())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def shortened(ids: list[int], most: int = MAX_TOKENS) -> list[int]:
    """A text's tokens, truncated to `most` with the mark at the end."""
    if len(ids) <= most:
        return ids
    return [*ids[: most - 1], ids[-1]]


def tokens_of(texts: Sequence[str]) -> list[list[int]]:
    """Each text's tokens, marks included, in batches: a tokenizer's memory grows with every character."""
    tokenizer = load_tokenizer()
    rows = list[list[int]]()
    for start in range(0, len(texts), TOKENIZER_BATCH_TEXTS):
        part = [text[:MAX_CHARACTERS] for text in texts[start : start + TOKENIZER_BATCH_TEXTS]]
        rows += [encoding.ids for encoding in tokenizer.encode_batch(part)]
    return rows


def count_truncated(texts: Sequence[str], most: int = MAX_TOKENS) -> int:
    """Count the texts with more than `most` tokens, which are truncated."""
    return sum(len(ids) > most for ids in tokens_of(texts))
