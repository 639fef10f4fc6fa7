"""When a model counts as not sure: below a bar, and for images unlike its training images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.documents import read_json
from core.errors import InvalidInput
from core.systems.vl_t5.likeness import Likeness, read_likeness

CARD = "card.json"
"""The card that `research/weights/vl_t5/fit.py` writes beside a model."""


@dataclass(frozen=True, slots=True, eq=False)
class Caution:
    """When answers do not count."""

    bar: float | None = None
    """Lowest probability of an answer that counts; None: all count."""
    bars: tuple[tuple[str, float], ...] = ()
    """(start of a question, its bar); with any bars, other questions are never sure."""
    likeness: Likeness | None = None
    """Test for images like the training images; None: unknown."""

    def bar_for(self, question: str) -> float | None:
        """The bar of a question, without its prefix.

        Example:
            >>> Caution(bars=(("how many", 0.8),)).bar_for("is it red ?")
            1.0
        """
        if not self.bars:
            return self.bar
        return next((bar for start, bar in self.bars if question.casefold().startswith(start)), 1.0)


SURE = Caution()
"""Every answer counts."""


def caution_of(folder: Path) -> Caution:
    """The caution in a model's folder.

    Raises:
        InvalidInput: a bar is not a probability, or the likeness is damaged.
    """
    path = folder / CARD
    card: Any = None
    if path.is_file():
        card = read_json(path)
    if not isinstance(card, Mapping):
        card = {}
    bars: Any = card.get("bars") or {}
    if not isinstance(bars, Mapping):
        raise InvalidInput(
            f"{path}: bars must map the start of a question to its bar: got {str(bars)[:40]!r}. Copy the card again."
        )
    bar_of_start = tuple((str(start), _probability(path, bar)) for start, bar in bars.items())
    bar: Any = card.get("bar")
    if bar is not None:
        bar = _probability(path, bar)
    return Caution(bar, bar_of_start, read_likeness(folder))


def _probability(path: Path, bar: Any) -> float:
    if not (isinstance(bar, int | float) and 0 <= bar <= 1):
        raise InvalidInput(
            f"{path}: bar must be a probability from 0 to 1: got {str(bar)[:40]!r}. Copy the card again."
        )
    return float(bar)
