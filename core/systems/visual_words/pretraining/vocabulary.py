"""Captions as numbers: frequent whole words, with the special tokens of BERT."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from core.errors import InvalidInput
from core.systems.common.words import MARKS, frequent_words, marked, padded

PAD, UNKNOWN, START, END, MASK = range(5)
MAX_WORDS = 8_000
LENGTH = 26
"""Tokens of a caption, special ones included; longer captions are truncated."""
_WORD = re.compile(r"\w+(?:'\w+)?")


def words_of(caption: str) -> list[str]:
    """The words of a caption in lower case, without punctuation."""
    return _WORD.findall(caption.lower())


@dataclass(frozen=True, slots=True)
class CaptionWords:
    """The special tokens, then the words; the index is the number."""

    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, captions: Sequence[str]) -> tuple[torch.Tensor, int]:
        """(m, T) numbers with `PAD` after the end, T at most `LENGTH`; and the number of truncated captions."""
        number = {word: i for i, word in enumerate(self.words)}
        rows = [[number.get(word, UNKNOWN) for word in words_of(caption)] for caption in captions]
        cut = sum(len(row) > LENGTH - 2 for row in rows)
        return padded([marked(row, START, END, LENGTH) for row in rows])[0], cut


def caption_words(captions: Iterable[str], *, min_count: int = 4, max_words: int = MAX_WORDS) -> CaptionWords:
    """The words with at least `min_count` occurrences, by frequency and then by letters.

    Raises:
        InvalidInput: no word is that frequent.
    """
    words = list[str]()
    for caption in captions:
        words += words_of(caption)
    frequent = frequent_words(words, min_count)
    if not frequent:
        raise InvalidInput(f"No word occurs {min_count} times in the captions. Add captions.")
    return CaptionWords((*MARKS, *frequent[:max_words]))
