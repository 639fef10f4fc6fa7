"""Record which rows are skipped and why, and the assumptions of a reading."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import InvalidInput
from core.records.samples import I64, Bool

AS_IS = "add --as-is (in Python, Roles(as_is=True))"
TAKEN_AS_IS = "Taken as it is, though it looks like a mistake:"
"""Beginning of the note of a doubt, if the user states that the table is right."""


class Ledger:
    """Notes and skipped rows of one reading. A row keeps its first reason.

    Args:
        as_is: the user states that the table is right, so `doubt` only adds a note.
    """

    def __init__(self, n: int, *, as_is: bool = False) -> None:
        self.reasons: list[str] = [""] * n
        self.notes: list[str] = []
        self.as_is = as_is
        self.doubts: list[str] = []
        """Likely mistakes that `as_is` accepted."""

    def __len__(self) -> int:
        return len(self.reasons)

    def drop(self, bad: Bool, reason: str | Sequence[str]) -> None:
        """Skip the rows where `bad`; `reason` is one sentence for all, or (n,) one per row."""
        for row in np.flatnonzero(bad).tolist():
            if not self.reasons[row]:
                self.reasons[row] = reason if isinstance(reason, str) else reason[row]

    def note(self, sentence: str) -> None:
        """Add an assumption or a warning, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def doubt(self, sentence: str) -> None:
        """Stop at a likely mistake in the table, unless the user states that the table is right.

        Raises:
            InvalidInput: `sentence`, and how to accept the table.
        """
        if not self.as_is:
            raise InvalidInput(f"{sentence} If the table is right, {AS_IS}.")
        sentence = str(InvalidInput(sentence))  # escapes and cuts the names in it
        self.doubts.append(sentence)
        self.note(f"{TAKEN_AS_IS} {sentence}")

    def standing(self) -> Bool:
        """Return (n,) True for the rows that are not skipped."""
        return np.array([not reason for reason in self.reasons], dtype=np.bool_)

    def kept_rows(self) -> I64:
        """Return the numbers of the rows that are not skipped."""
        return np.flatnonzero(self.standing()).astype(np.int64)

    def account(self, ids: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """Return (id, reason) of each skipped row; `ids` are those of all rows."""
        return tuple((ids[row], reason) for row, reason in enumerate(self.reasons) if reason)

    def summary(self, *, examples: bool = False) -> list[str]:
        """Write one sentence per reason, most frequent first, with its number of rows; with `examples` also what the
        first of them holds, such as "(row 3: 'n/a')"."""
        first: dict[str, list[int]] = {}
        for row, reason in enumerate(self.reasons):
            if reason:
                first.setdefault(reason.split(": ")[0], []).append(row)
        ordered = sorted(first.items(), key=lambda item: -len(item[1]))
        sentences: list[str] = []
        for reason, rows in ordered:
            held = self.reasons[rows[0]].partition(": ")[2]
            example = f" (row {rows[0] + 1:,}: {held})" if examples and held else ""
            noun = "row" if len(rows) == 1 else "rows"
            sentences.append(f"{len(rows):,} {noun} left out: {reason}{example}.")
        return sentences
