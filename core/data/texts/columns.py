"""Texts that lie in a table's columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.data.tables.cells import texts_of
from core.errors import InvalidInput, quoted
from core.records import NamedItems
from core.records.ledger import Ledger

MAX_CHARACTERS = 100_000
"""A longer text is left out: no encoder reads so far, and a card shows a few lines."""
_LETTER = re.compile(r"[^\W\d_TZe]")
"""A letter that is none of those in "2026-01-02T03:04:05Z" and "1e5"."""
_JOINERS = "\u200c\u200d"
"""Between letters of Persian and Indian scripts, and in joined signs."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TextItems(NamedItems):
    """Texts in memory, named by their row numbers."""

    texts: tuple[str, ...]

    def read(self, index: int) -> bytes:
        return self.texts[index].encode()


def clean(text: str) -> str:
    """The text as it is read and shown: one blank for each run of blanks and control characters, line ends kept, and no
    invisible marks but those that join letters (some turn the direction of writing)."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    shown = (" ".join("".join(map(_shown, line)).split()) for line in lines)
    return "\n".join(line for line in shown if line)


def _shown(character: str) -> str:
    """Signs that this Python knows no name of, such as new emoji, stay; those that no text may hold do not."""
    kind = unicodedata.category(character)
    code = ord(character)
    if kind == "Cf":
        return character if character in _JOINERS else ""
    none = kind in ("Cc", "Cs") or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return " " if none else character


def text_items(frame: pd.DataFrame, columns: Sequence[str], ledger: Ledger) -> TextItems:
    """The rows' texts; those of several columns follow one another, a line each. Rows without any are dropped.

    Raises:
        InvalidInput: a column holds lists.
    """
    for column in columns:
        if frame[column].map(lambda cell: isinstance(cell, (list, tuple, dict, np.ndarray))).any():
            raise InvalidInput(
                f"The column {column!r} was named as texts and holds lists. Join the words of each row to one text."
            )
    parts = [texts_of(frame[column]) for column in dict.fromkeys(columns)]
    texts = list[str]()
    reasons = list[str]()
    for cells in zip(*parts, strict=True):
        whole = "\n".join(cell for cell in cells if cell is not None)
        too_long = len(whole) > MAX_CHARACTERS
        texts.append("" if too_long else clean(whole))
        why = f"its text has {len(whole):,} characters, and at most {MAX_CHARACTERS:,} are read" if too_long else ""
        reasons.append(why or ("" if texts[-1] else f"there is no text in {quoted(*columns)}"))
    there = [text for text in texts if text]
    wordless = sum(not _LETTER.search(text) for text in there)
    if 2 * wordless > len(there):
        ledger.note(
            f"{wordless:,} of {len(there):,} texts in {quoted(*columns)} hold no words, as numbers or dates: an "
            "encoder of texts hardly tells such apart. Take another column as texts, and this one as a condition."
        )
    ledger.drop(np.array([bool(reason) for reason in reasons]), reasons)
    return TextItems(tuple(map(str, range(len(texts)))), tuple(texts))
