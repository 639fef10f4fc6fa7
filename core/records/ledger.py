"""Which rows stay, why the others were left out, and what was assumed on the way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import InvalidInput
from core.records.samples import I64, Bool

AS_IS = "say so with --as-is (in Python, Roles(as_is=True))"
TAKEN_AS_IS = "Taken as it is, though it looks like a mistake:"
"""How the note of a doubt begins, once the user has said that the table is right."""


class Ledger:
    """The account of one reading. A row keeps the first reason that struck it.

    Args:
        as_is: the user says that the table is right, so that `doubt` only notes.
    """

    def __init__(self, n: int, *, as_is: bool = False) -> None:
        self.reasons: list[str] = [""] * n
        self.notes: list[str] = []
        self.as_is = as_is
        self.doubts: list[str] = []
        """What would have stopped the reading, if it was not said to be right."""

    def __len__(self) -> int:
        return len(self.reasons)

    def drop(self, bad: Bool, reason: str | Sequence[str]) -> None:
        """Leave out the rows where `bad`; `reason` is one sentence for all of them, or (n,) one for each row."""
        for row in np.flatnonzero(bad).tolist():
            if not self.reasons[row]:
                self.reasons[row] = reason if isinstance(reason, str) else reason[row]

    def note(self, sentence: str) -> None:
        """Write down an assumption or a warning, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def doubt(self, sentence: str) -> None:
        """Stop over what is most likely a mistake in the table, unless the user said that there is none.

        Raises:
            InvalidInput: `sentence`, and how to say that the table is right.
        """
        if not self.as_is:
            raise InvalidInput(f"{sentence} If the table is right as it is, {AS_IS}.")
        sentence = str(InvalidInput(sentence))  # names of any length and characters are in it
        self.doubts.append(sentence)
        self.note(f"{TAKEN_AS_IS} {sentence}")

    def standing(self) -> Bool:
        """(n,) True for the rows that are still in."""
        return np.array([not reason for reason in self.reasons], dtype=np.bool_)

    def kept(self) -> I64:
        """The row numbers that are still in."""
        return np.flatnonzero(self.standing()).astype(np.int64)

    def account(self, ids: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """(id, reason) of each row that was left out; `ids` are those of all rows."""
        return tuple((ids[row], reason) for row, reason in enumerate(self.reasons) if reason)

    def summary(self) -> list[str]:
        """One sentence for each reason, the commonest first: how many rows it took and an example."""
        first: dict[str, list[int]] = {}
        for row, reason in enumerate(self.reasons):
            if reason:
                first.setdefault(reason.split(": ")[0], []).append(row)
        ordered = sorted(first.items(), key=lambda item: -len(item[1]))
        return [f"{len(rows):,} {'row' if len(rows) == 1 else 'rows'} left out: {reason}." for reason, rows in ordered]
