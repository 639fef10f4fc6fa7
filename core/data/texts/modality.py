"""Texts: cleaned, measured on their words, compared word by word, shown as typeset cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

from core.data.modality import Marks, Unreadable, measured_columns
from core.data.texts import card, properties
from core.data.texts.columns import clean
from core.records import F32, I64, Column, Progress, no_progress

SAVED_CHARACTERS = 4_000
"""Of each text in a finished run."""
_DIGEST = "digest of the words"
"""Key of a text's digest among its properties in the cache; duplicates share it."""


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
        content = properties.content_of(text) or text
        return text, properties.measure_text(text) | {_DIGEST: blake2b(content.encode(), digest_size=16).hexdigest()}

    def properties(self, measured: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
        return measured_columns(properties.PROPERTIES, measured)

    def notes(self, measured: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        uncounted = sum(row["words"] is None for row in measured)
        if not uncounted:
            return ()
        return (
            f"Words are not counted in {uncounted:,} of {len(measured):,} texts: their script (Thai, Lao, Khmer or "
            "Burmese) has no blanks between words.",
        )

    def duplicates(
        self,
        contents: Sequence[bytes],
        measured: Sequence[Mapping[str, Any]],
        vectors: F32,
        progress: Progress = no_progress,
    ) -> I64:
        """Texts with the same content in the same order share a group, whatever their case, punctuation and blanks.
        Texts that differ in a word or two are recognized by their vectors (`core.discovery.copies`)."""
        first: dict[str, int] = {}
        return np.array([first.setdefault(row[_DIGEST], len(first)) for row in measured], np.int64)

    def keep(self, data: bytes, size: int) -> bytes:
        """The first `SAVED_CHARACTERS`."""
        text = clean(data.decode(errors="replace"))
        if len(text) > SAVED_CHARACTERS:
            text = f"{text[:SAVED_CHARACTERS]} …"
        return text.encode()

    def keep_marks(self, data: bytes, size: int, marks: Marks) -> Sequence[bytes]:
        return ()

    def preview(self, data: bytes, size: int, marks: Marks = ()) -> bytes:
        return card.typeset(clean(data.decode(errors="replace")))
