"""MiniLM's tokenizer, and where it cuts a text off."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from core.encoders import CHARACTERS_READ
from core.encoders.embedded.weights import minilm_tokenizer

MAX_TOKENS = 128
"""Longer prompts are cut here; the model itself would take 512."""
MAX_TOKENS_OF_SAMPLE = 256
"""Longer samples are cut here, as the model's card has it."""

AT_ONCE = 32
"""Texts that are tokenized together."""


@cache
def load_tokenizer() -> Any:
    """The tokenizer, without padding and without a limit."""
    tokenizers: Any = import_module("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_str(minilm_tokenizer())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def shortened(ids: list[int], most: int = MAX_TOKENS) -> list[int]:
    """A text's tokens, cut to so many before the mark at its end."""
    return ids if len(ids) <= most else [*ids[: most - 1], ids[-1]]


def tokens_of(texts: Sequence[str]) -> list[list[int]]:
    """Each text's tokens, marks included, some texts at a time: a tokenizer keeps a place for every character."""
    tokenizer = load_tokenizer()
    found = list[list[int]]()
    for start in range(0, len(texts), AT_ONCE):
        part = [text[:CHARACTERS_READ] for text in texts[start : start + AT_ONCE]]
        found += [one.ids for one in tokenizer.encode_batch(part)]
    return found


def count_truncated(texts: Sequence[str], most: int = MAX_TOKENS) -> int:
    """How many of `texts` have more tokens and lose their end."""
    return sum(len(ids) > most for ids in tokens_of(texts))
