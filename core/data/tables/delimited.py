"""Read CSV and TSV files: detect separator, encoding and decimal commas, and bound the table's size beforehand."""

# pyright: basic
from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.data.tables.roles import snake_case
from core.errors import InvalidInput, quoted
from core.limits import Limits
from core.options import check_text
from core.records import Progress, no_progress

MISSING = ["", "NA", "N/A", "#N/A", "NaN", "nan", "-nan", "null", "NULL", "<NA>"]
"""Cells that mean a missing value. Not "None": it is a usual name of a category."""
_AS_TEXT = re.compile(
    r"(.*_)?(id|ids|uid|uuid|key|file|files|path|image|img|filename|filepath|file_name|name|class_name)"
)
_CELL_BYTES = 32
_ROW_BYTES = 64
"""Bytes of memory at most for a cell (its pointer, its text, its value) and for a row, beside the file's own bytes."""
_HEADER_CHARACTERS = 2**22  # in which the line of column names must end
_CHUNK_BYTES = 2**22


class _Watched(io.RawIOBase):
    """File that reports how far it has been read, so that reading can be canceled."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self._file = path.open("rb")
        self._size = path.stat().st_size
        self._done = 0
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._progress("read table", self._done, self._size)
        n = self._file.readinto(buffer)
        self._done += n
        return n

    def close(self) -> None:
        self._file.close()
        super().close()


def read_delimited(
    path: Path, as_text: tuple[str, ...], limits: Limits, progress: Progress = no_progress
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read the table of a CSV or TSV file, with notes.

    Raises:
        InvalidInput: not a table, too large, or too many columns or cells.
    """
    encoding, lines, encoding_notes = _survey(path, limits, progress)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        head = file.read(_HEADER_CHARACTERS)
    separator = "\t" if path.suffix.lower() == ".tsv" else separator_of(head[:65536])
    header = _header(path, head, separator)
    check_names(path.name, [name for name in header if name], limits)
    if len(header) > limits.max_columns:
        raise InvalidInput(
            f"{path.name} has {len(header):,} columns, the limit is {limits.max_columns:,}. Remove some."
        )
    size = path.stat().st_size
    needed = size + _CELL_BYTES * lines * len(header) + _ROW_BYTES * lines
    limits.check_memory(path.name, needed, size, "Remove columns or save it as Parquet.")
    text_columns: dict[Any, Any] = {}
    for name in header:
        if name in as_text or _AS_TEXT.fullmatch(snake_case(name)):
            text_columns[name] = "string"

    raw = io.BufferedReader(_Watched(path, progress), 2**20)
    with io.TextIOWrapper(raw, encoding, "replace", newline="") as text:
        frame = _parse(path, text, separator, text_columns)
    frame, header_notes = _without_headers(frame, path.name, text_columns)
    frame, decimal_notes = _with_decimal_points(frame, path.name, text_columns, separator)
    notes = [*encoding_notes, *header_notes, *decimal_notes]
    counting = list[str]()
    for name in frame.columns:
        if name.startswith("Unnamed: "):
            cells = frame[name]
            if (pd.api.types.is_integer_dtype(cells) and cells.is_unique) or cells.isna().all():
                counting.append(name)
    if counting:
        frame = frame.drop(columns=counting)
        notes.append(f"Ignored {len(counting)} unnamed column(s) of {path.name}: they are empty or only number rows.")
    return frame, tuple(notes)


def text_of(path: Path, limits: Limits) -> tuple[str, tuple[str, ...]]:
    """Read the whole text of a file, with notes on its encoding.

    Raises:
        InvalidInput: too large, or it holds zero bytes.
    """
    encoding, _, notes = _survey(path, limits)
    return path.read_bytes().decode(encoding, errors="replace"), notes


def check_names(table: str, columns: Sequence[str], limits: Limits) -> None:
    """Refuse column names that occur twice, are too long, or hold half a character."""
    for name, count in Counter(columns).items():
        if count > 1:
            raise InvalidInput(
                f"{table}: the column {name[:100]!r} occurs {count} times. Column names must differ: rename one."
            )
    for name in columns:
        if len(name) > limits.max_name_length:
            raise InvalidInput(
                f"{table}: the column name {name[:40]!r}... has {len(name):,} characters, the limit is "
                f"{limits.max_name_length:,}. Shorten it."
            )
        check_text(name, f"{table}: the name of a column")


def _survey(path: Path, limits: Limits, progress: Progress = no_progress) -> tuple[str, int, tuple[str, ...]]:
    """Scan a text file once for (encoding, lines, notes)."""
    size = path.stat().st_size
    max_bytes = min(limits.max_text_bytes, limits.max_table_bytes)
    if size > max_bytes:
        raise InvalidInput(
            f"{path.name!r} has {size:,} bytes, the limit is {max_bytes:,}. Save it as Parquet or remove columns."
        )
    decoder = codecs.getincrementaldecoder("utf-8")()
    feeds = 0
    returns = 0
    done = 0
    bad_line: int | None = None
    with path.open("rb") as file:
        wide = file.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff")
        while chunk := file.read(_CHUNK_BYTES):
            if not wide and b"\0" in chunk:
                line = feeds + chunk.count(b"\n", 0, chunk.find(b"\0")) + 1
                raise InvalidInput(
                    f"{path.name!r}, line {line:,}: zero bytes, so it is not text. Check the file's format."
                )
            if not wide and bad_line is None:
                try:
                    decoder.decode(chunk, final=done + len(chunk) >= size)
                except UnicodeDecodeError as error:
                    bad_line = feeds + chunk.count(b"\n", 0, error.start) + 1
            feeds += chunk.count(b"\n")
            returns += chunk.count(b"\r")
            done += len(chunk)
            progress("read table", 0, size)
    lines = max(feeds, returns) + 1
    if wide:
        return "utf-16", lines, ()
    if bad_line is None:
        return "utf-8-sig", lines, ()
    note = f"{path.name}, line {bad_line}: not UTF-8, so read as Latin-1. Check accented letters or save it as UTF-8."
    return "latin-1", lines, (note,)


def _header(path: Path, head: str, separator: str) -> list[str]:
    try:
        # newline="": lines may end in a lone return
        rows = csv.reader(io.StringIO(head, newline=""), delimiter=separator)
        header = next(rows, [])
        first = next((row for row in rows if row), None)
        whole = len(head) < _HEADER_CHARACTERS or first is not None
    except csv.Error as error:
        raise InvalidInput(
            f"{path.name}: cannot read the line of column names ({error}). Close the open quote."
        ) from None
    if not whole:
        raise InvalidInput(
            f"{path.name}: the line of column names exceeds {_HEADER_CHARACTERS:,} characters. Add line breaks."
        )
    if header and first and any(cell.strip() for cell in first[len(header) :]):
        raise InvalidInput(
            f"{path.name}: {len(first):,} fields in the first row, expected {len(header):,}, one per column name. "
            f"Quote texts that hold {separator!r}, or name every column."
        )
    return header


def _parse(path: Path, text: Any, separator: str, text_columns: dict[Any, Any]) -> pd.DataFrame:
    try:
        return pd.read_csv(
            text,
            sep=separator,
            dtype=text_columns,
            na_values=MISSING,
            keep_default_na=False,
            index_col=False,
            low_memory=False,
        )
    except pd.errors.EmptyDataError:
        raise InvalidInput(f"{path.name!r} holds no columns. Add a line of column names.") from None
    except (pd.errors.ParserError, ValueError) as error:
        width = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if width:
            expected, line, fields = width.groups()
            raise InvalidInput(f"{path.name}, line {line}: {fields} fields, expected {expected}. Fix it.") from None
        raise InvalidInput(
            f"{path.name}: not a table with {separator!r} between columns: {str(error)[:160]}. Fix that line."
        ) from None


def separator_of(text: str) -> str:
    """The separator that splits the first lines into the same, largest number of columns."""
    lines = [line for line in text[:65536].splitlines()[:20] if line.strip()]

    def columns(separator: str) -> tuple[bool, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=separator)]
        if not counts:
            return False, 0
        return len(set(counts[:10])) == 1 and counts[0] > 1, counts[0]

    return max((",", "\t", ";", "|"), key=columns)


def _without_headers(frame: pd.DataFrame, name: str, text_columns: Mapping[Any, Any]) -> tuple[pd.DataFrame, list[str]]:
    """Remove lines that repeat the column names, as in files joined end to end, with notes."""
    if any(pd.api.types.is_numeric_dtype(frame[column]) for column in frame.columns):
        return frame, []
    repeats = np.ones(len(frame), np.bool_)
    for column in frame.columns:
        if not repeats.any():
            return frame, []
        repeats &= frame[column].astype("string").eq(str(column)).fillna(value=False).to_numpy()
    if not repeats.any():
        return frame, []
    frame = frame[~repeats].reset_index(drop=True)
    for column in frame.columns:
        if column not in text_columns:
            numbers = pd.to_numeric(frame[column], errors="coerce")
            if numbers.notna().equals(frame[column].notna()):
                frame[column] = numbers
    return frame, [f"Left out {int(repeats.sum())} line(s) of {name}: they repeat the column names."]


_DECIMAL = r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?"
_WHOLE = r"[+-]?\d+"


def _with_decimal_points(
    frame: pd.DataFrame, name: str, text_columns: Mapping[Any, Any], separator: str
) -> tuple[pd.DataFrame, list[str]]:
    """Read columns that write 0,5 for one half as numbers.

    Where every cell has three digits after the comma, the comma may separate thousands: the column then stays text,
    unless semicolons separate the cells.
    """
    read = list[str]()
    for column in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[column]) or column in text_columns:
            continue
        known = frame[column].dropna()
        if not len(known) or not re.fullmatch(f"{_DECIMAL}|{_WHOLE}", str(known.iloc[0]).strip()):
            continue  # every cell must match; the first one spares reading columns of long texts
        texts = frame[column].astype("string").str.strip()
        decimal = texts.str.fullmatch(_DECIMAL)
        whole = texts.str.fullmatch(_WHOLE)
        thousands = texts.str.fullmatch(r"[+-]?\d{1,3}(?:,\d{3})+") | whole
        is_decimal = separator == ";" or not thousands[texts.notna()].all()
        if decimal.any() and (decimal | whole)[texts.notna()].all() and is_decimal:
            frame[column] = pd.to_numeric(texts.str.replace(",", ".", regex=False)).astype("float64")
            read.append(str(column))
    if not read:
        return frame, []
    return frame, [f"Read commas as decimal points in {quoted(*read)} of {name}."]
