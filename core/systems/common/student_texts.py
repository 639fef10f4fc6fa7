"""The texts that a student learns from: a column of a table, and batches with little padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.tables.read import Table, read_table
from core.data.texts.columns import clean
from core.encoders.batches import by_length
from core.errors import InvalidInput, quoted
from core.records import I64, Progress, no_progress

MAX_HELD_OUT = 1000
LEAST = 20
"""Different texts: fewer teach nothing that could be measured."""


@dataclass(frozen=True, slots=True)
class TextColumn:
    """Different texts of a column, in order."""

    table: str
    column: str
    texts: tuple[str, ...]
    n_rows: int
    n_empty: int
    n_repeated: int


def read_texts(table: Path, column: str, progress: Progress = no_progress) -> TextColumn:
    """The column's texts, each once; empty cells and repetitions are counted.

    Raises:
        InvalidInput: the table cannot be read, has no such column, or holds fewer than 20 different texts there.
    """
    found = read_table(table, as_text=(column,), progress=progress)
    cells = cells_of(found, column)
    there = [cell for cell in cells if cell]
    texts = tuple(dict.fromkeys(there))
    if len(texts) < LEAST:
        raise InvalidInput(
            f"{found.name} holds {len(texts)} different texts in {column!r} ({len(cells) - len(there):,} of "
            f"{len(cells):,} cells are empty); at least {LEAST} are needed. Bring more."
        )
    return TextColumn(found.name, column, texts, len(cells), len(cells) - len(there), len(there) - len(texts))


def cells_of(table: Table, column: str) -> list[str]:
    """The column's texts, cleaned as a diagnosis reads them, in single spaces; "" where a cell is empty.

    Raises:
        InvalidInput: there is no such column, or it holds lists.
    """
    if column not in table.frame.columns:
        raise InvalidInput(
            f"{table.name} has no column {column[:60]!r}. It has {quoted(*table.frame.columns)}. "
            "Name one with --column."
        )
    values = table.frame[column]
    cells = values.astype(object).where(values.notna(), "")
    if cells.map(lambda cell: isinstance(cell, (list, tuple, dict, np.ndarray))).any():
        raise InvalidInput(f"The column {column!r} of texts holds lists. Join the words of each row to one text.")
    return [" ".join(clean(str(cell)).split()) for cell in cells]


def split_texts(n: int, share: float, seed: int) -> tuple[I64, I64]:
    """(training, held out) places of n texts: `share` of them, at least 2 and at most 1,000, are held out."""
    order = np.random.default_rng(seed).permutation(n).astype(np.int64)
    held = min(MAX_HELD_OUT, max(2, round(share * n)))
    return np.sort(order[held:]), np.sort(order[:held])


def batches(tokens: Sequence[Sequence[int]], size: int, rng: np.random.Generator | None = None) -> list[I64]:
    """Places of texts that are run together, of about one length; with `rng` other ones in each call, in any order."""
    if rng is None:
        return by_length(tokens, size)
    order = rng.permutation(len(tokens)).astype(np.int64)
    found = [order[rows] for rows in by_length([tokens[i] for i in order.tolist()], size)]
    return [found[i] for i in rng.permutation(len(found))]
