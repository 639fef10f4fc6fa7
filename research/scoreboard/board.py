"""The scoreboard as the document that is written and read, and the entries of its tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from core.errors import InvalidInput
from core.records import Estimate
from core.statistics.runs import show
from research.scoreboard.cells import MIN_WORLDS, BoardCell, LookBin, losses
from research.scoreboard.methods import OURS

NO_CLAIMS = "makes no claims"
TOLD = {
    "best_p10": "P@10 of the best of five",
    "even_p10": "P@10 of the best of as many",
    "first_p10": "P@10 of the first",
    "best_ap": "average precision",
    "even_ap": "average precision of as many",
}
"""Measures in which a peer's lead is told before any table."""
LOOKS_ARE = (
    "What Errata lists beside its claims, in all worlds whose truth is known, those with nothing planted among them: "
    "how likely each set was said to be nothing, and how many are. A set is nothing unless a planted slice is at least "
    "twice as frequent in it as in the rest of its class (10,000 rows)."
)
HEADINGS = (
    "method",
    "reads of a row",
    "P@10, best of five",
    "P@10, first",
    "P@25, best",
    "average precision, best",
    "Errata minus it: P@10 best",
    "of as many",
    "first",
    "average precision",
    "of as many",
    "claims, false share",
    "worlds with a claim",
    "intervals that hold",
    "CPU s",
    "MB",
    "worlds",
)


@dataclass(frozen=True, slots=True)
class Board:
    """What a run of the scoreboard came to."""

    cells: tuple[BoardCell, ...]
    missing: dict[str, str] = field(default_factory=dict[str, str])
    """Tier -> what it lacks here."""
    command: str = ""
    """How to make it again."""
    made: str = ""
    """When, by the calendar."""

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        cells = [cell.to_dict() for cell in self.cells]
        return {"command": self.command, "made": self.made, "missing": self.missing, "cells": cells}

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Board:
        """What `to_json` gave.

        Raises:
            InvalidInput: it is something else.
        """
        try:
            cells = tuple(BoardCell.from_dict(cell) for cell in given["cells"])
            return cls(cells, dict(given["missing"]), str(given["command"]), str(given["made"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput(
                f"This is no scoreboard of `python -m research.scoreboard` ({error}). Make it again."
            ) from error

    def groups(self) -> Iterator[tuple[str, str, list[BoardCell]]]:
        """(tier, kind, cells), in their order."""
        for (tier, kind), cells in groupby(self.cells, key=lambda cell: (cell.tier, cell.kind)):
            yield tier, kind, list(cells)

    def losses(self) -> list[tuple[str, BoardCell]]:
        """(measure, cell) wherever a peer is ahead of Errata in one of `TOLD`: clear leads first, then the widest."""
        found = [(measure, cell) for measure in TOLD for cell in losses(self.cells, measure)]
        return sorted(found, key=lambda loss: (not loss[1].verdict(loss[0]), loss[1].behind[loss[0]].value))


def look_row(one: LookBin) -> tuple[str, str, str, str]:
    """Such as ("above 0.2 up to 0.5", "24", "0.41", "0.33 [0.16, 0.55]")."""
    low, high = one.bounds
    return f"above {low:g} up to {high:g}", str(one.n), f"{one.said:.2f}", show(one.nothing)


def left_out_sentence(out: int, of: int) -> str:
    """Such as "2 of 5 worlds are left out: the model does not fail there as planned."."""
    return f"{out} of {of} worlds {'is' if out == 1 else 'are'} left out: the model does not fail there as planned."


def loss_sentence(measure: str, cell: BoardCell) -> str:
    """Such as "embeddings, rare: svm directions, P@10 of the best of five: Errata minus it -0.10 [-0.20, 0.00]"."""
    found = _shown(cell, cell.behind[measure])
    return f"{cell.tier}, {cell.kind}: {cell.method}, {TOLD[measure]}: Errata minus it {found}"


def _shown(cell: BoardCell, found: Estimate) -> str:
    """With its interval where there are worlds enough for one."""
    return show(found) if cell.runs >= MIN_WORLDS else f"{found.value:.2f} ({cell.runs} world{'s' * (cell.runs > 1)})"


def row(cell: BoardCell) -> list[str]:
    """The cell's entries below `HEADINGS`."""

    def of(known: dict[str, Estimate], name: str) -> str:
        return _shown(cell, known[name]) if name in known else ""

    return [
        cell.method,
        cell.reads,
        *(of(cell.values, name) for name in ("best_p10", "first_p10", "best_p25", "best_ap")),
        *(of(cell.behind, name) for name in ("best_p10", "even_p10", "first_p10", "best_ap", "even_ap")),
        claims_text(cell),
        "" if cell.claiming is None else show(cell.claiming),
        "" if cell.intervals is None else f"{_shown(cell, cell.intervals)} of {cell.n_intervals}",
        f"{cell.cpu_seconds:.2f}",
        "" if cell.peak_mb is None else f"{cell.peak_mb:.0f}",
        str(cell.runs) + (f" ({cell.failed} ended with a message)" if cell.failed else ""),
    ]


def claims_text(cell: BoardCell) -> str:
    """Such as "14, 0.07 [0.00, 0.20]"."""
    if cell.claims is None:
        return NO_CLAIMS
    return str(cell.claims) + ("" if cell.false_claims is None else f", {_shown(cell, cell.false_claims)}")


def ahead(cells: Sequence[BoardCell]) -> dict[str, tuple[int, int, int]]:
    """Peer -> in how many cells Errata is clearly ahead of it in P@10 of the best of five, neither, clearly behind."""
    found: dict[str, tuple[int, int, int]] = {}
    for cell in cells:
        if cell.method == OURS or "best_p10" not in cell.behind:
            continue
        better, unclear, worse = found.get(cell.method, (0, 0, 0))
        verdict = cell.verdict()
        found[cell.method] = better + (verdict == "ahead"), unclear + (not verdict), worse + (verdict == "behind")
    return found
