"""The card beside a student's weights, which states what it learned from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.checks.model_cost import CARD
from core.documents import MAX_STORED_BYTES, read_json, read_text
from core.folders import Kind
from core.numbers import count

FORMAT = 1
DISTILLED = CARD
REASONED = "step_by_step.json"
"""File names of the card of a student from `distil`, and of one from `steps`."""
_MAX_README = 2**20


def student_files(card: str, names: tuple[str, ...], fields: tuple[str, ...]) -> Kind:
    """The files of a student's folder.

    Args:
        card: file name of the card.
        names: names of the other files.
        fields: required fields of the card beside its format.
    """

    def is_card(document: Mapping[str, Any]) -> bool:
        return document.get("format") == FORMAT and all(field in document for field in fields)

    return Kind("student", card, (card, *names), is_card)


def licence_of(folder: Path) -> str:
    """The license from the folder's card, or from the head of its README; "unknown" without either.

    Raises:
        InvalidInput: the card is not valid JSON.
    """
    for card in (DISTILLED, REASONED):
        if (folder / card).is_file():
            document = read_json(folder / card, most=MAX_STORED_BYTES, below=folder)
            if isinstance(document, dict) and isinstance(document.get("licence"), str):
                return document["licence"]
            return "unknown"
    readme = folder / "README.md"
    if readme.is_file():
        for line in read_text(readme, most=_MAX_README, errors="replace", below=folder).splitlines()[:200]:
            if line.startswith("license:"):
                return line.removeprefix("license:").strip()[:60] or "unknown"
    if (folder / "LICENSE").is_file():
        return "see its LICENSE"
    return "unknown"


def cut_lines(data: Mapping[str, Any], most: int) -> list[str]:
    """A line on texts truncated to `most` tokens; [] without any, or for an older card without the count."""
    n = int(data.get("cut", 0))
    if not n:
        return []
    return [f"Truncated {count(n, 'text')} to {most:,} tokens."]
