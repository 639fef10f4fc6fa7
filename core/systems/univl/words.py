"""The words of a UniVL: a BERT's list of word pieces, one a line."""

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
        pieces: the list; `MARKS` must be among them, the first of them at place 0.

    Raises:
        InvalidInput: a mark is missing, or the padding is not the first.
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = tuple(pieces)
        places = {piece: i for i, piece in enumerate(self.pieces)}
        if missing := [mark for mark in MARKS if mark not in places]:
            raise InvalidInput(f"The list of words has no {quoted(*missing)}. Bring the vocab.txt of an uncased BERT.")
        if places[PAD] != 0:
            raise InvalidInput(f"{PAD} must be the first of the list of words, as in BERT's vocab.txt.")
        made: Any = import_module("tokenizers").BertWordPieceTokenizer(places, lowercase=True)
        self._tokenizer = made
        self.start = places[START]
        self.end = places[END]
        self.mask = places[MASK]
        self.unknown_id = places[UNKNOWN]
        self.marks = frozenset(places[mark] for mark in MARKS)

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, texts: Sequence[str], length: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, length) tokens of each text between the marks of start and end, cut and padded; and (n, length) 1 on all
        but padding."""
        found = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return padded([marked(one.ids, self.start, self.end, length) for one in found], length=length)

    def n_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text with its two marks, before anything is cut."""
        return [len(one.ids) + 2 for one in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def unknown(self, text: str) -> bool:
        """Whether some word of the text is none that the network knows."""
        return UNKNOWN in self._tokenizer.encode(text, add_special_tokens=False).tokens

    def decode(self, ids: Sequence[int]) -> str:
        """Words of tokens, marks left out, with marks of punctuation close to their word."""
        text = self._tokenizer.decode([i for i in ids if i not in self.marks])
        return re.sub(r" ([,.;:!?])", r"\1", text)


def words_of_texts(texts: Iterable[str], least: int = 1) -> ClipWords:
    """Every word that the texts hold so often, whole.

    Example:
        >>> words_of_texts(["a cube moves", "a ball moves"]).pieces[5:]
        ('a', 'moves', 'ball', 'cube')
    """
    return ClipWords([*MARKS, *frequent_words((word for text in texts for word in _WORD.findall(text.lower())), least)])


def read_words(path: Path) -> ClipWords:
    """The words of a vocab.txt.

    Raises:
        InvalidInput: it is not there, cannot be read, or is none.
    """
    if not path.is_file():
        raise InvalidInput(f"There is no {path}. A UniVL needs the vocab.txt of its BERT beside its weights.")
    text = read_text(path, most=MAX_BYTES, instead="Bring the vocab.txt of an uncased BERT.", below=path.parent)
    return ClipWords(text.splitlines())
