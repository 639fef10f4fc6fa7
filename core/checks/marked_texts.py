"""A table of texts with marks for the phrases that are true of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.data.tables.cells import as_numbers
from core.data.tables.read import read_table
from core.data.tables.recognise import recognise
from core.data.tables.roles import Roles
from core.data.texts.columns import TextItems, text_items
from core.errors import InvalidInput
from core.language.grammar import words_in
from core.limits import Limits
from core.records import F64, ItemStore, no_progress
from core.records.ledger import Ledger


def read_marked(table: Path, phrases: Sequence[str]) -> tuple[ItemStore, dict[str, F64]]:
    """Read the texts and, for each phrase that names a column, (n,) its marks: 1, 0, or nan for an empty cell.

    Raises:
        InvalidInput: no column of texts, or a phrase's column has values other than 0 and 1.
    """
    frame = read_table(table, limits=Limits(), progress=no_progress).frame
    columns = recognise(frame, Roles()).roles.texts
    if not columns:
        raise InvalidInput(f"{table.name} has no column of texts. Name it 'text'.")
    ledger = Ledger(len(frame))
    items = text_items(frame, columns, ledger)
    rows = ledger.kept_rows()
    by_words = {words_in(str(name)): name for name in frame.columns}
    marks: dict[str, F64] = {}
    for phrase in phrases:
        name = by_words.get(words_in(phrase))
        if name is None:
            continue
        values = as_numbers(frame[name])[rows]
        if not np.isin(values[frame[name].notna().to_numpy()[rows]], (0.0, 1.0)).all():
            raise InvalidInput(f"Column {name!r} has values other than 1 and 0 (true of the text or not). Fix them.")
        marks[phrase] = values
    return TextItems(tuple(str(row) for row in rows.tolist()), tuple(items.texts[row] for row in rows.tolist())), marks
