"""CSV and TSV as people write them: the separator, the encoding and decimal commas are found out, and the size that the
table will have is known before it is read."""

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
"""Not "None": it is a usual name of a category."""
_AS_TEXT = re.compile(
    r"(.*_)?(id|ids|uid|uuid|key|file|files|path|image|img|filename|filepath|file_name|name|class_name)"
)
_CELL = 32
_ROW = 64
"""Bytes of memory at most for a cell (its place, its text, its value) and for a row, beside the file's own bytes."""
_HEAD = 2**22  # characters in which the line of column names must end
_CHUNK = 2**22


class _Watched(io.RawIOBase):
    """A file that tells how far it has been read, so that reading can be canceled."""

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
    """The table of a CSV or TSV file, and notes.

    Raises:
        InvalidInput: no table, too large, or of too many columns or cells.
    """
    encoding, lines, found = _survey(path, limits, progress)
    notes = list(found)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        head = file.read(_HEAD)
    separator = "\t" if path.suffix.lower() == ".tsv" else separator_of(head[:65536])
    header = _header(path, head, separator)
    check_names(path.name, [name for name in header if name], limits)
    if len(header) > limits.max_columns:
        raise InvalidInput(
            f"{path.name} has {len(header):,} columns; at most {limits.max_columns:,} are read. Leave some out."
        )
    size = path.stat().st_size
    needed = size + _CELL * lines * len(header) + _ROW * lines
    limits.check_memory(path.name, needed, size, "Leave columns out, or write it as Parquet.")
    text_columns: dict[Any, Any] = {
        name: "string" for name in header if name in as_text or _AS_TEXT.fullmatch(snake_case(name))
    }

    raw = io.BufferedReader(_Watched(path, progress), 2**20)
    with io.TextIOWrapper(raw, encoding, "replace", newline="") as text:
        frame = _parse(path, text, separator, text_columns)
    frame, found = _without_headers(frame, path.name, text_columns)
    notes += found
    frame, found = _with_decimal_points(frame, path.name, text_columns, separator)
    notes += found
    unnamed = [name for name in frame.columns if name.startswith("Unnamed: ")]
    counting = [
        n for n in unnamed if (pd.api.types.is_integer_dtype(frame[n]) and frame[n].is_unique) or frame[n].isna().all()
    ]
    if counting:
        frame = frame.drop(columns=counting)
        notes.append(
            f"{len(counting)} column(s) of {path.name} without a name, only counting rows or empty, were ignored."
        )
    return frame, tuple(notes)


def text_of(path: Path, limits: Limits) -> tuple[str, tuple[str, ...]]:
    """The whole text of a file, and notes on how it was read.

    Raises:
        InvalidInput: it is too large, or holds zero bytes.
    """
    encoding, _, notes = _survey(path, limits)
    return path.read_bytes().decode(encoding, errors="replace"), notes


def check_names(table: str, columns: Sequence[str], limits: Limits) -> None:
    """Refuse names of columns that occur twice, are too long, or hold half of a character."""
    twice = [(name, count) for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise InvalidInput(
            f"{table}: the column {twice[0][0][:100]!r} occurs {twice[0][1]} times. "
            "Column names must differ: rename one."
        )
    for name in columns:
        if len(name) > limits.max_name_length:
            raise InvalidInput(
                f"{table}: a column's name has at most {limits.max_name_length:,} characters: {name[:40]!r}... has "
                f"{len(name):,}. Shorten it."
            )
        check_text(name, f"{table}: the name of a column")


def _survey(path: Path, limits: Limits, progress: Progress = no_progress) -> tuple[str, int, tuple[str, ...]]:
    """(encoding, lines, notes) of a text file, read through once."""
    size = path.stat().st_size
    most = min(limits.max_text_bytes, limits.max_table_bytes)
    if size > most:
        raise InvalidInput(
            f"{path.name!r} is {size:,} bytes; at most {most:,} are read. Use Parquet, or leave columns out."
        )
    decoder = codecs.getincrementaldecoder("utf-8")()
    feeds = returns = done = 0
    wrong: int | None = None
    with path.open("rb") as file:
        wide = file.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff")
        while chunk := file.read(_CHUNK):
            if not wide and (at := chunk.find(b"\0")) >= 0:
                raise InvalidInput(
                    f"{path.name!r} holds zero bytes (line {feeds + chunk.count(10, 0, at) + 1:,}), so it is no text. "
                    "Check that it is what its name says."
                )
            if not wide and wrong is None:
                try:
                    decoder.decode(chunk, final=done + len(chunk) >= size)
                except UnicodeDecodeError as error:
                    wrong = feeds + chunk.count(b"\n", 0, error.start) + 1
            feeds = feeds + chunk.count(b"\n")
            returns = returns + chunk.count(b"\r")
            done = done + len(chunk)
            progress("read table", 0, size)
    lines = max(feeds, returns) + 1
    if wide:
        return "utf-16", lines, ()
    if wrong is None:
        return "utf-8-sig", lines, ()
    return (
        "latin-1",
        lines,
        (
            f"{path.name} is not UTF-8 (line {wrong}): it was read as Latin-1. "
            "Check accented letters, or save it as UTF-8.",
        ),
    )


def _header(path: Path, head: str, separator: str) -> list[str]:
    try:
        # newline="": lines may end in a lone return
        rows = csv.reader(io.StringIO(head, newline=""), delimiter=separator)
        header = next(rows, [])
        first = next((row for row in rows if row), None)
        whole = len(head) < _HEAD or first is not None
    except csv.Error as error:
        raise InvalidInput(
            f"{path.name}: its line of column names cannot be read ({error}). Look for a quote that is not closed."
        ) from None
    if not whole:
        raise InvalidInput(
            f"{path.name}: its line of column names has more than {_HEAD:,} characters. Look for lines that do not end."
        )
    if header and first and any(cell.strip() for cell in first[len(header) :]):
        raise InvalidInput(
            f"{path.name}: its first row has {len(first):,} cells, and there are {len(header):,} column names. Put "
            f"texts that hold {separator!r} in quotes, or name every column."
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
        raise InvalidInput(f"{path.name!r} holds no columns. Give a table with a line of column names.") from None
    except (pd.errors.ParserError, ValueError) as error:
        raise InvalidInput(
            f"{path.name} cannot be read as a table with {separator!r} between columns: "
            f"{str(error)[:160]}. Mend that line."
        ) from None


def separator_of(text: str) -> str:
    """The separator that splits the first lines into the same, largest number of columns."""
    lines = [line for line in text[:65536].splitlines()[:20] if line.strip()]

    def columns(separator: str) -> tuple[bool, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=separator)]
        return len(set(counts[:10])) == 1 and counts[0] > 1, counts[0] if counts else 0

    return max((",", "\t", ";", "|"), key=columns)


def _without_headers(frame: pd.DataFrame, name: str, text_columns: Mapping[Any, Any]) -> tuple[pd.DataFrame, list[str]]:
    """The table without lines that repeat its column names, as of files joined end to end, and what is said of it."""
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
            frame[column] = numbers if numbers.notna().equals(frame[column].notna()) else frame[column]
    return frame, [f"{int(repeats.sum())} line(s) inside {name} repeat the column names and were left out."]


_DECIMAL = r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?"
_WHOLE = r"[+-]?\d+"


def _with_decimal_points(
    frame: pd.DataFrame, name: str, text_columns: Mapping[Any, Any], separator: str
) -> tuple[pd.DataFrame, list[str]]:
    """Columns whose cells write 0,5 for one half read as numbers. Where all have three digits behind the comma, it may
    stand between thousands, and they stay as they are, unless semicolons separate the cells."""
    read = list[str]()
    for column in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[column]) or column in text_columns:
            continue
        known = frame[column].dropna()
        if not len(known) or not re.fullmatch(f"{_DECIMAL}|{_WHOLE}", str(known.iloc[0]).strip()):
            continue  # all cells must be so, and texts are long
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
    return frame, [f"{name} writes 0,5 for one half in {quoted(*read)}: commas were read as decimal points."]
