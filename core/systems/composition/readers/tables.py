"""Tables of benchmarks: every cell as it is written, and lists that a cell spells in Python's way."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from core.data.tables.read import read_table
from core.errors import InvalidInput
from core.limits import Limits
from core.systems.composition.readers.builder import MAX_ITEMS
from core.systems.composition.readers.fields import MAX_FILE_BYTES, Record, few, header, kind_of

_MAX_CELL_LENGTH = 400_000  # characters; the longest published list of hard negatives is far below


def read_rows(path: Path, needed: Sequence[str]) -> tuple[list[tuple[str, Record]], tuple[str, ...]]:
    """("file, row n", {column: text or None}) of each row of a CSV or TSV, and notes.

    Raises:
        InvalidInput: the file cannot be read, lacks a column, has too many rows or is too large.
    """
    names = header(path)
    table = read_table(path, as_text=tuple(names), limits=Limits(max_table_bytes=MAX_FILE_BYTES))
    if absent := [name for name in needed if name not in table.frame.columns]:
        raise InvalidInput(
            f"{path.name} has no column {absent[0]!r}; it has {few(list(map(str, table.frame.columns)))}. Rename one."
        )
    if len(table.frame) > MAX_ITEMS:
        raise InvalidInput(f"{path.name} has {len(table.frame):,} rows; the limit is {MAX_ITEMS:,}. Split it.")
    records = table.frame.astype(object).where(table.frame.notna(), None).to_dict("records")
    rows: list[tuple[str, Record]] = [
        (f"{path.name}, row {i}", {str(key): value for key, value in record.items()})
        for i, record in enumerate(records)
    ]
    return rows, table.notes


def cell_of(record: Record, key: str) -> str:
    """The text of a cell; "" for an empty one."""
    value = record.get(key)
    if value is None or value is pd.NA:
        return ""
    return str(value)


def literal_list(cell: str, where: str) -> list[str]:
    """The texts of a list in Python's spelling, such as ['a dog', "a cat's"]; nothing is run.

    Raises:
        InvalidInput: it is not a list of texts in that spelling.
    """
    text = cell.strip()
    if not text:
        return []
    if len(text) > _MAX_CELL_LENGTH or not (text.startswith("[") and text.endswith("]")):
        raise InvalidInput(f"{where} must be a list of texts in brackets: it is {text[:40]!r}. Use the published file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a backslash in a caption is allowed
            entries: Any = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise InvalidInput(f"{where} is not a readable list: {text[:60]!r}. Use the published file.") from None
    if not isinstance(entries, list):
        raise InvalidInput(f"{where} must be a list of texts: it is {text[:40]!r}. Use the published file.")
    for i, entry in enumerate(entries):
        if not isinstance(entry, str):
            raise InvalidInput(f"{where}, entry {i} must be text: it is {kind_of(entry)}. Use the published file.")
    return entries
