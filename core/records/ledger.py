"""Which rows stay, why the others were left out, and what was assumed on the way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.records.samples import I64, Bool


class Ledger:
    """The account of one reading. A row keeps the first reason that struck it."""

    def __init__(self, n: int) -> None:
        self.reasons: list[str] = [""] * n
        self.notes: list[str] = []

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
