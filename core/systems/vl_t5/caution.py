"""When a model counts as not sure: below a bar, and for images unlike its training images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from core.documents import read_json
from core.forms import Form, read_form
from core.systems.vl_t5.likeness import Likeness, read_likeness

Probability = Annotated[float, Field(ge=0, le=1)]
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


class _Card(Form):
    bar: Probability | None = None
    bars: dict[str, Probability] | None = None


def caution_of(folder: Path) -> Caution:
    """The caution in a model's folder.

    Raises:
        InvalidInput: a bar is not a probability, or the likeness is damaged.
    """
    card = _Card()
    if (folder / CARD).is_file():
        card = read_form(_Card, read_json(folder / CARD), f"{CARD} in {folder}", "Copy the card again.")
    return Caution(card.bar, tuple((card.bars or {}).items()), read_likeness(folder))
