"""Training texts of a student: a column of a table, and batches with little padding."""

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
MIN_TEXTS = 20
"""Fewest different texts; with fewer the held-out part is too small to measure. A convention."""


@dataclass(frozen=True, slots=True)
class TextColumn:
    """The different texts of a column, in order."""

    table: str
    column: str
    texts: tuple[str, ...]
    n_rows: int
    n_empty: int
    n_repeated: int


def read_texts(table: Path, column: str, progress: Progress = no_progress) -> TextColumn:
    """The different texts of a column, and the numbers of empty cells and repetitions.

    Raises:
        InvalidInput: the table cannot be read, lacks the column, or holds fewer than `MIN_TEXTS` different texts there.
    """
    read = read_table(table, as_text=(column,), progress=progress)
    cells = cells_of(read, column)
    filled = [cell for cell in cells if cell]
    texts = tuple(dict.fromkeys(filled))
    n_empty = len(cells) - len(filled)
    if len(texts) < MIN_TEXTS:
        raise InvalidInput(
            f"{read.name} holds {len(texts)} different texts in {column!r} ({n_empty:,} of {len(cells):,} cells are "
            f"empty), and at least {MIN_TEXTS} are needed. Add more."
        )
    return TextColumn(read.name, column, texts, len(cells), n_empty, len(filled) - len(texts))


def cells_of(table: Table, column: str) -> list[str]:
    """The column's texts, cleaned as for a diagnosis, with single spaces; "" for empty cells.

    Raises:
        InvalidInput: the column is missing or holds lists.
    """
    if column not in table.frame.columns:
        raise InvalidInput(
            f"{table.name} has no column {column[:60]!r}. It has {quoted(*table.frame.columns)}. "
            "Name one with --column."
        )
    values = table.frame[column]
    cells = values.astype(object).where(values.notna(), "")
    if cells.map(lambda cell: isinstance(cell, (list, tuple, dict, np.ndarray))).any():
        raise InvalidInput(f"The column {column!r} of texts holds lists. Join the words of each row into one text.")
    return [" ".join(clean(str(cell)).split()) for cell in cells]


def split_texts(n: int, share: float, seed: int) -> tuple[I64, I64]:
    """(training, held-out) indices of n texts: `share` of them, 2 to `MAX_HELD_OUT`, are held out."""
    order = np.random.default_rng(seed).permutation(n).astype(np.int64)
    held = min(MAX_HELD_OUT, max(2, round(share * n)))
    return np.sort(order[held:]), np.sort(order[:held])


def batches(tokens: Sequence[Sequence[int]], size: int, rng: np.random.Generator | None = None) -> list[I64]:
    """Indices of texts by batch, each of about one length.

    Args:
        rng: draws other batches, in random order, at each call; None gives the same ones.
    """
    if rng is None:
        return by_length(tokens, size)
    order = rng.permutation(len(tokens)).astype(np.int64)
    parts = [order[rows] for rows in by_length([tokens[i] for i in order.tolist()], size)]
    return [parts[i] for i in rng.permutation(len(parts))]
