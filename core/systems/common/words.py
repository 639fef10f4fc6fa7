"""Texts as numbers for a network: vocabularies, tokens, and rows of tokens padded to one length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from core.records import I64

IGNORED = -100
"""Target without a loss, as after a target's end: PyTorch's cross-entropy ignores it by default."""
MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""BERT's special tokens for padding, an unknown word, start, end and a masked word."""
Rows = Sequence[Sequence[int]]


def frequent_words(words: Iterable[str], least: int = 1) -> list[str]:
    """The different words that occur at least `least` times, by falling frequency, then alphabetically.

    Example:
        >>> frequent_words(["a", "cube", "moves", "a", "ball", "moves", "."], least=2)
        ['a', 'moves']
    """
    counts = Counter(words)
    return sorted((word for word, n in counts.items() if n >= least), key=lambda word: (-counts[word], word))


def tokens_of(tokenizer: Any, texts: Sequence[str], most: int) -> list[list[int]]:
    """Each text's tokens with the tokenizer's special ones, truncated to `most`."""
    return tokenizer(list(texts), truncation=True, max_length=most, padding=False)["input_ids"]


def count_longer(tokenizer: Any, texts: Sequence[str], most: int) -> int:
    """The number of texts that `tokens_of` truncates to `most` tokens."""
    whole = tokenizer(list(texts), truncation=False, padding=False, verbose=False)["input_ids"]
    return sum(len(tokens) > most for tokens in whole)


def marked(tokens: Sequence[int], start: int, end: int, length: int) -> list[int]:
    """The tokens between start and end tokens, truncated to `length` in all."""
    return [start, *tokens[: length - 2], end]


def padded(tokens: Rows, rows: Sequence[int] | I64 | None = None, length: int | None = None) -> tuple[Tensor, Tensor]:
    """(n, t) tokens of rows followed by 0, and (n, t) masks, 1 for tokens.

    Args:
        rows: indices into `tokens`; None takes all.
        length: t; None takes that of the longest row.
    """
    if rows is None:
        rows = range(len(tokens))
    if length is None:
        length = max((len(tokens[i]) for i in rows), default=0)
    ids = torch.zeros((len(rows), length), dtype=torch.long)
    mask = torch.zeros((len(rows), length), dtype=torch.long)
    for k, row in enumerate(rows):
        ids[k, : len(tokens[row])] = torch.tensor(tokens[row])
        mask[k, : len(tokens[row])] = 1
    return ids, mask


def padded_targets(tokens: Rows, rows: Sequence[int] | None = None) -> Tensor:
    """(n, t) target tokens, followed by `IGNORED`."""
    ids, mask = padded(tokens, rows)
    return torch.where(mask.bool(), ids, IGNORED)
