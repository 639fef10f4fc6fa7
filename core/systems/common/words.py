"""Texts as numbers for a network: which words it knows, the tokens of texts, and rows of tokens of one length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from core.records import I64

IGNORED = -100
"""Where nothing has to be told, as behind a target's end: what PyTorch's cross-entropy passes over by default."""
MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""BERT's words for padding, an unknown word, start, end and a hidden word."""
Rows = Sequence[Sequence[int]]


def frequent_words(words: Iterable[str], least: int = 1) -> list[str]:
    """The different words that stand there so often, the most frequent first, equally frequent ones by letters.

    Example:
        >>> frequent_words(["a", "cube", "moves", "a", "ball", "moves", "."], least=2)
        ['a', 'moves']
    """
    counts = Counter(words)
    return sorted((word for word, n in counts.items() if n >= least), key=lambda word: (-counts[word], word))


def tokens_of(tokenizer: Any, texts: Sequence[str], most: int) -> list[list[int]]:
    """Each text's tokens, cut to `most`, the tokenizer's marks included."""
    return tokenizer(list(texts), truncation=True, max_length=most, padding=False)["input_ids"]


def count_longer(tokenizer: Any, texts: Sequence[str], most: int) -> int:
    """How many of the texts have more than `most` tokens, so that `tokens_of` cuts them."""
    whole = tokenizer(list(texts), truncation=False, padding=False, verbose=False)["input_ids"]
    return sum(len(tokens) > most for tokens in whole)


def marked(tokens: Sequence[int], start: int, end: int, length: int) -> list[int]:
    """The tokens between the marks of start and end, cut so that all have at most this length."""
    return [start, *tokens[: length - 2], end]


def padded(tokens: Rows, rows: Sequence[int] | I64 | None = None, length: int | None = None) -> tuple[Tensor, Tensor]:
    """(n, t) tokens of these rows, by default of all, with 0 behind them, and their mask, 1 for tokens; t is the
    longest of them, or the length that is given."""
    rows = range(len(tokens)) if rows is None else rows
    longest = max((len(tokens[i]) for i in rows), default=0) if length is None else length
    ids = torch.zeros((len(rows), longest), dtype=torch.long)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for at, row in enumerate(rows):
        ids[at, : len(tokens[row])] = torch.tensor(tokens[row])
        mask[at, : len(tokens[row])] = 1
    return ids, mask


def padded_targets(tokens: Rows, rows: Sequence[int] | None = None) -> Tensor:
    """(n, t) tokens that have to be written, `IGNORED` behind the end."""
    ids, there = padded(tokens, rows)
    return torch.where(there.bool(), ids, IGNORED)
