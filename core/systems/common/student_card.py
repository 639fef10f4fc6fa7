"""The card that lies beside a taught student's weights and says what it learned from."""

from __future__ import annotations

from pathlib import Path

from core.checks.model_cost import CARD
from core.documents import MAX_STORED_BYTES, read_json, read_text
from core.folders import Kind

FORMAT = 1
DISTILLED = CARD
REASONED = "step_by_step.json"
"""A card's file in a student of `distil`, and in one of `steps`."""
_MAX_README = 2**20


def student_files(card: str, names: tuple[str, ...], fields: tuple[str, ...]) -> Kind:
    """The files of a student's folder.

    Args:
        card: the file of the card.
        names: the other files.
        fields: what every such card says, beside its format.
    """
    return Kind(
        "student",
        card,
        (card, *names),
        lambda said: said.get("format") == FORMAT and all(map(said.__contains__, fields)),
    )


def licence_of(folder: Path) -> str:
    """What the folder says of its license: its card or the head of its README; "unknown" where it says nothing.

    Raises:
        InvalidInput: it has a card that is no JSON.
    """
    for card in (DISTILLED, REASONED):
        if (folder / card).is_file():
            said = read_json(folder / card, most=MAX_STORED_BYTES, below=folder)
            found = said.get("licence") if isinstance(said, dict) else None
            return found if isinstance(found, str) else "unknown"
    readme = folder / "README.md"
    if readme.is_file():
        for line in read_text(readme, most=_MAX_README, errors="replace", below=folder).splitlines()[:200]:
            if line.startswith("license:"):
                return line.removeprefix("license:").strip()[:60] or "unknown"
    return "see its LICENSE" if (folder / "LICENSE").is_file() else "unknown"
