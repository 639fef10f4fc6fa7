"""What may be asked: a text, the class that it names, and why it cannot be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.language.prompts import class_in, is_bare_name

MAX_QUESTION_LENGTH = 300
"""Characters of a question."""


@dataclass(frozen=True, slots=True)
class AskedText:
    """A text as it is asked, the class that it names, and why it cannot be asked ("" if it can)."""

    text: str
    label: int | None = None
    refused: str = ""


def read_text(text: str, class_names: Sequence[str]) -> AskedText:
    """The text in one line, with the class that it names; refused where it is empty, too long or only such a name."""
    cleaned = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not cleaned or not any(c.isalnum() for c in cleaned):
        return AskedText(
            cleaned,
            refused="A question needs words: got an empty text. Ask for something that images may show, "
            'such as "a dog in snow".',
        )
    if len(cleaned) > MAX_QUESTION_LENGTH:
        return AskedText(
            f"{cleaned[:40]} …",
            refused=f"A question has at most {MAX_QUESTION_LENGTH} characters: got {len(cleaned):,}. "
            "Ask for one thing at a time.",
        )
    label = class_in(cleaned, class_names)
    if label is not None and is_bare_name(cleaned, class_names[label]):
        return AskedText(
            cleaned,
            label,
            f'"{cleaned}" says no more than the class "{class_names[label]}", whose loss stands in the table of '
            f'classes. Add what may be special, such as "{cleaned} in the dark".',
        )
    return AskedText(cleaned, label)
