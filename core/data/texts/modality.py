"""Texts: cleaned, measured on their words, compared word by word, shown as typeset cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

from core.data.modality import Marks, Unreadable
from core.data.texts import card, properties
from core.data.texts.columns import clean
from core.records import F32, I64, Column, Progress, no_progress

KEPT = 4_000
"""Characters of a text that a finished run keeps."""
_WORDS = "digest of the words"
"""Name under which what tells copies travels with a text's properties in the cache."""


class TextModality:
    """The row "text" of `core.data.modality.MODALITIES`."""

    meanings = properties.PROPERTIES
    version = f"{properties.VERSION}/words 4"

    def open(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """The cleaned text and its properties."""
        try:
            text = clean(data.decode())
        except UnicodeDecodeError as error:
            raise Unreadable(f"is not valid UTF-8 (byte {error.start})") from None
        if not text:
            raise Unreadable("is empty")
        words = properties.said_by(text) or text
        return text, properties.measure_text(text) | {_WORDS: blake2b(words.encode(), digest_size=16).hexdigest()}

    def properties(self, measured: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
        return properties.columns(measured)

    def notes(self, measured: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        uncounted = sum(row["words"] is None for row in measured)
        said = (
            f"{uncounted:,} of {len(measured):,} texts are in a script without blanks between words (Thai, Lao, Khmer "
            "or Burmese): their words are not counted."
        )
        return (said,) if uncounted else ()

    def duplicates(
        self,
        contents: Sequence[bytes],
        measured: Sequence[Mapping[str, Any]],
        vectors: F32,
        progress: Progress = no_progress,
    ) -> I64:
        """Texts that say the same in the same order share a group, whatever their case, punctuation and blanks; that
        texts differ in a word or two is seen in their vectors (`core.discovery.copies`)."""
        first: dict[str, int] = {}
        return np.array([first.setdefault(row[_WORDS], len(first)) for row in measured], np.int64)

    def keep(self, data: bytes, size: int) -> bytes:
        """The first `KEPT` characters."""
        text = clean(data.decode(errors="replace"))
        return (text if len(text) <= KEPT else f"{text[:KEPT]} …").encode()

    def keep_marks(self, data: bytes, size: int, marks: Marks) -> Sequence[bytes]:
        return ()

    def preview(self, data: bytes, size: int, marks: Marks = ()) -> bytes:
        return card.typeset(clean(data.decode(errors="replace")))
