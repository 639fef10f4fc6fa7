"""When a model is not sure of its answer: below a bar, and of pictures unlike those that it learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.documents import read_json
from core.errors import InvalidInput
from core.statistics.intervals import wilson
from core.systems.vl_t5.likeness import Likeness, read_likeness

CARD = "card.json"
"""What `research/weights/vl_t5/fit.py` writes beside a model."""
RELIABLE = 0.9
"""Share of answers at or above the bar that must be right, by the lower end of its interval."""
AT_ONCE = 60
"""Answers by which a bar is lowered: of fewer, three wrong ones are too many."""


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


def calibrated_bar(chances: Sequence[float], right: Sequence[bool], reliable: float = RELIABLE) -> float:
    """A probability of which answers at or above it are right in `reliable` of cases; 1 where none was found, so that
    the model is never sure. A chance that is no number counts as 0.

    The surest `AT_ONCE` answers are tried first, then as many more each time, until the lower end of Wilson's 95 %
    interval falls below: tried in an order that was fixed before, none pays for the others, and a bar that holds
    less is set in at most about 2.5 % of cases (fixed-sequence testing; Angelopoulos et al. 2021, arXiv 2110.01052,
    section 2.3). The lowest bar that passes alone, out of all, would be the luckiest one.

    Raises:
        InvalidInput: there is no answer.
    """
    if not len(chances):
        raise InvalidInput("A bar needs answers of which it is known whether they are right: there are none.")
    known = np.nan_to_num(np.asarray(chances, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    order = np.argsort(-known, kind="stable")
    ok, sorted_chances = np.asarray(right, bool)[order], known[order]
    bar = 1.0
    for at in range(AT_ONCE, len(ok) + AT_ONCE, AT_ONCE):
        least = sorted_chances[min(at, len(ok)) - 1]
        n = int(np.searchsorted(-sorted_chances, -least, side="right"))  # with those as sure as the last
        if wilson(int(ok[:n].sum()), n).low < reliable:
            break
        bar = float(least)
    return bar
