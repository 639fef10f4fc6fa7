"""When a model is not sure of its answer: below a bar, and of pictures unlike those that it learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.documents import read_json
from core.errors import InvalidInput
from core.systems.vl_t5.likeness import Likeness, read_likeness

CARD = "card.json"
"""What `research/weights/vl_t5/fit.py` writes beside a model."""


@dataclass(frozen=True, slots=True, eq=False)
class Caution:
    """When answers do not count."""

    bar: float | None = None
    """Lowest probability of one that counts; None: all do."""
    bars: tuple[tuple[str, float], ...] = ()
    """(how a question begins, its own bar); where there are some, questions that begin otherwise are never sure."""
    likeness: Likeness | None = None
    """Which pictures it may be asked about; None: it is not known."""

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
    """What the folder of a model says of it.

    Raises:
        InvalidInput: it says something that is no probability or no likeness.
    """
    path = folder / CARD
    said: Any = read_json(path) if path.is_file() else {}
    said = said if isinstance(said, Mapping) else {}
    bars: Any = said.get("bars") or {}
    if not isinstance(bars, Mapping):
        raise InvalidInput(f"{path}: bars must say how questions begin: got {str(bars)[:40]!r}.")
    own = tuple((str(start), _chance(path, bar)) for start, bar in bars.items())
    bar = said.get("bar")
    return Caution(None if bar is None else _chance(path, bar), own, read_likeness(folder))


def _chance(path: Path, bar: Any) -> float:
    if not (isinstance(bar, int | float) and 0 <= bar <= 1):
        raise InvalidInput(f"{path}: bar must be a probability from 0 to 1: got {str(bar)[:40]!r}.")
    return float(bar)
