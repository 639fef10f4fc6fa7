"""Read texts from a table's columns."""

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
"""A longer text is skipped: no encoder reads that far, and a card shows a few lines."""
_LETTER = re.compile(r"[^\W\d_TZe]")
"""A letter, apart from those in "2026-01-02T03:04:05Z" and "1e5"."""
_JOINERS = "\u200c\u200d"
"""Zero-width marks between letters of Persian and Indian scripts, and in joined signs."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TextItems(NamedItems):
    """Texts in memory, named by their row numbers."""

    texts: tuple[str, ...]

    def read(self, index: int) -> bytes:
        return self.texts[index].encode()


def clean(text: str) -> str:
    """Clean a text for reading and showing: one blank for each run of blanks and control characters, line ends kept,
    and invisible marks removed (some turn the direction of writing) except those that join letters."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    shown = (" ".join("".join(map(_shown, line)).split()) for line in lines)
    return "\n".join(line for line in shown if line)


def _shown(character: str) -> str:
    """The character, "" or a blank for it. Signs that are newer than this Python's Unicode, such as new emoji, stay."""
    kind = unicodedata.category(character)
    code = ord(character)
    if kind == "Cf":
        return character if character in _JOINERS else ""
    is_noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # which no text may hold
    if kind in ("Cc", "Cs") or is_noncharacter:
        return " "
    return character


def text_items(frame: pd.DataFrame, columns: Sequence[str], ledger: Ledger) -> TextItems:
    """The rows' texts; those of several columns follow one another, a line each. Rows without any are dropped.

    Raises:
        InvalidInput: a column holds lists.
    """
    for column in columns:
        if frame[column].map(lambda cell: isinstance(cell, (list, tuple, dict, np.ndarray))).any():
            raise InvalidInput(
                f"{column!r} was named as texts but holds lists. Join the words of each row to one text."
            )
    parts = [texts_of(frame[column]) for column in dict.fromkeys(columns)]
    texts = list[str]()
    reasons = list[str]()
    for cells in zip(*parts, strict=True):
        text = "\n".join(cell for cell in cells if cell is not None)
        reason = ""
        if len(text) > MAX_CHARACTERS:
            reason = f"its text has {len(text):,} characters, the limit is {MAX_CHARACTERS:,}"
            text = ""
        text = clean(text)
        if not text and not reason:
            reason = f"no text in {quoted(*columns)}"
        texts.append(text)
        reasons.append(reason)
    non_empty = [text for text in texts if text]
    wordless = sum(not _LETTER.search(text) for text in non_empty)
    if 2 * wordless > len(non_empty):
        ledger.note(
            f"{wordless:,} of {len(non_empty):,} texts in {quoted(*columns)} hold no words, only numbers or dates. "
            "A text encoder hardly distinguishes these. Name another column as texts; this one can be a condition."
        )
    ledger.drop(np.array([bool(reason) for reason in reasons]), reasons)
    return TextItems(tuple(map(str, range(len(texts)))), tuple(texts))
