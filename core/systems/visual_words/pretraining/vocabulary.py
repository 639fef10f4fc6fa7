"""Captions as numbers: whole words that are frequent enough, with the marks of BERT."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from core.errors import InvalidInput
from core.systems.common.words import MARKS, frequent_words, marked, padded

PAD, UNKNOWN, START, END, MASK = range(5)
MOST_WORDS = 8_000
LENGTH = 26
"""Tokens of a caption, marks included; the rest is cut."""
_WORD = re.compile(r"\w+(?:'\w+)?")


def words_of(caption: str) -> list[str]:
    """In lower case, without punctuation."""
    return _WORD.findall(caption.lower())


@dataclass(frozen=True, slots=True)
class CaptionWords:
    """The marks, then words; place is number."""

    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, captions: Sequence[str]) -> tuple[torch.Tensor, int]:
        """(m, T) numbers, `PAD` behind the end, T at most `LENGTH`; and how many captions were cut."""
        number = {word: i for i, word in enumerate(self.words)}
        rows = [[number.get(word, UNKNOWN) for word in words_of(caption)] for caption in captions]
        cut = sum(len(row) > LENGTH - 2 for row in rows)
        return padded([marked(row, START, END, LENGTH) for row in rows])[0], cut


def caption_words(captions: Iterable[str], *, least: int = 4, most: int = MOST_WORDS) -> CaptionWords:
    """Of the words that at least `least` captions' places have, the most frequent first, equally frequent ones by
    letters.

    Raises:
        InvalidInput: no word is that frequent.
    """
    kept = frequent_words((word for caption in captions for word in words_of(caption)), least)
    if not kept:
        raise InvalidInput(f"No word is in the captions {least} times or more. Bring more captions.")
    return CaptionWords((*MARKS, *kept[:most]))
