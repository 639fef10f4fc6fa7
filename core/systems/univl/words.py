"""The words of a UniVL: a BERT's list of word pieces, one per line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from core.documents import read_text
from core.errors import InvalidInput, quoted
from core.systems.common.words import MARKS, frequent_words, marked, padded

PAD, UNKNOWN, START, END, MASK = MARKS
MAX_BYTES = 20 * 2**20
_WORD = re.compile(r"\w+|[^\w\s]")


class ClipWords:
    """A tokenizer of lower-case texts.

    Args:
        pieces: the list, with all `MARKS` and the padding first.

    Raises:
        InvalidInput: a mark is missing, or the padding is not first.
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = tuple(pieces)
        ids = {piece: i for i, piece in enumerate(self.pieces)}
        missing = [mark for mark in MARKS if mark not in ids]
        if missing:
            raise InvalidInput(f"The list of words lacks {quoted(*missing)}. Use the vocab.txt of an uncased BERT.")
        if ids[PAD] != 0:
            raise InvalidInput(f"The list of words must begin with {PAD}. Use BERT's vocab.txt.")
        tokenizer: Any = import_module("tokenizers").BertWordPieceTokenizer(ids, lowercase=True)
        self._tokenizer = tokenizer
        self.start = ids[START]
        self.end = ids[END]
        self.mask = ids[MASK]
        self.unknown_id = ids[UNKNOWN]
        self.marks = frozenset(ids[mark] for mark in MARKS)

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, texts: Sequence[str], length: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, length) tokens of each text between start and end marks, cut and padded; and (n, length) 1 on tokens, 0
        on padding."""
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return padded([marked(text.ids, self.start, self.end, length) for text in encodings], length=length)

    def unknown(self, text: str) -> bool:
        """Whether the text has an unknown word."""
        return UNKNOWN in self._tokenizer.encode(text, add_special_tokens=False).tokens

    def decode(self, ids: Sequence[int]) -> str:
        """The words of tokens, without marks and with punctuation next to its word."""
        text = self._tokenizer.decode([i for i in ids if i not in self.marks])
        return re.sub(r" ([,.;:!?])", r"\1", text)


def words_of_texts(texts: Iterable[str], least: int = 1) -> ClipWords:
    """Whole words that occur at least `least` times in the texts.

    Example:
        >>> words_of_texts(["a cube moves", "a ball moves"]).pieces[5:]
        ('a', 'moves', 'ball', 'cube')
    """
    words = list[str]()
    for text in texts:
        words += _WORD.findall(text.lower())
    return ClipWords([*MARKS, *frequent_words(words, least)])


def read_words(path: Path) -> ClipWords:
    """Read the words of a vocab.txt.

    Raises:
        InvalidInput: the file is missing, unreadable, or not a vocabulary.
    """
    if not path.is_file():
        raise InvalidInput(f"{path} was not found. Add the vocab.txt of this UniVL's BERT.")
    text = read_text(path, most=MAX_BYTES, instead="Use the vocab.txt of an uncased BERT.", below=path.parent)
    return ClipWords(text.splitlines())
