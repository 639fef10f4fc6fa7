"""Tables as people keep them: CSV, TSV, JSON Lines, Parquet or a DataFrame, read into one DataFrame with its pictures
apart."""

# pyright: basic
# (pyarrow ships no types, so strict checking would flag every use of it)
from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.data.images.columns import encoded, frame_images, is_image_type, parquet_images
from core.data.tables.roles import snake_case
from core.errors import InvalidInput
from core.limits import Limits
from core.records import ItemStore

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet", ".pq")
_REFUSED = {
    ".pkl": "A pickle can run any program when it is opened, so none is read. "
    "Write it with `df.to_parquet(...)` or `df.to_csv(...)`.",
    ".xlsx": "Spreadsheets are not read. Save it as CSV.",
    ".zip": "This is an archive. Give it as the images, and the table apart.",
}
_REFUSED |= dict.fromkeys((".pickle", ".joblib", ".pt", ".pth"), _REFUSED[".pkl"]) | {".xls": _REFUSED[".xlsx"]}
_MISSING = ["", "NA", "N/A", "#N/A", "NaN", "nan", "-nan", "null", "NULL", "<NA>"]
"""Not "None": it is a usual name of a category."""
_AS_TEXT = re.compile(
    r"(.*_)?(id|ids|uid|uuid|key|file|files|path|image|img|filename|filepath|file_name|name|class_name)"
)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table as read: `frame` without the picture columns, which are in `images` by name."""

    frame: pd.DataFrame
    name: str
    images: Mapping[str, ItemStore] = field(default_factory=dict[str, ItemStore])
    notes: tuple[str, ...] = ()


def read_table(table: str | Path | pd.DataFrame, *, as_text: tuple[str, ...] = (), limits: Limits = Limits()) -> Table:
    """Read a table, whatever its kind; rows keep their order and are numbered from 0.

    Args:
        table: a path (.csv, .tsv, .jsonl, .json, .parquet) or a DataFrame.
        as_text: columns that are read as they are written ("007" stays "007"); columns named as ids, files or paths
            always are.

    Raises:
        InvalidInput: missing, empty, damaged, too large or of a refused kind; a column name occurs twice.
    """
    if isinstance(table, pd.DataFrame):
        return _checked(_from_frame(table))
    path = Path(table)
    suffix = path.suffix.lower()
    if suffix in _REFUSED:
        raise InvalidInput(f"{path.name}: {_REFUSED[suffix]}")
    if not path.is_file():
        raise InvalidInput(
            f"The table {path.name!r} was not found{' (it is a folder)' if path.is_dir() else ''}. "
            "Give a CSV, JSON Lines or Parquet file."
        )
    if path.stat().st_size == 0:
        raise InvalidInput(f"{path.name!r} is empty. Give a table with one row for each sample.")
    readers: dict[str, Callable[[], Table]] = dict.fromkeys((".parquet", ".pq"), lambda: _from_parquet(path, limits))
    readers |= dict.fromkeys((".jsonl", ".ndjson", ".json"), lambda: _from_json(path, limits))
    readers |= dict.fromkeys((".csv", ".tsv", ".txt"), lambda: _from_csv(path, as_text, limits))
    if suffix not in readers:
        raise InvalidInput(
            f"{path.name!r} is no kind of table that is read here ({', '.join(TABLE_SUFFIXES)}). "
            "Save it as CSV or Parquet."
        )
    return _checked(readers[suffix]())


def escape_formula(value: str) -> str:
    """The text of a cell for export, with a leading ' where a spreadsheet would run it as a formula.

    Cells that begin with = + - @, a tab or a carriage return are prefixed; plain numbers such as "-1.5e3" are left
    alone.
    """
    if value[:1] in ("=", "+", "-", "@", "\t", "\r") and not re.fullmatch(
        r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value
    ):
        return "'" + value
    return value


def _checked(table: Table) -> Table:
    _check_names(table.name, [*map(str, table.frame.columns), *table.images])
    if len(table.frame) == 0:
        raise InvalidInput(f"{table.name} has column names but no rows. Give one row for each sample.")
    return table


def _check_names(table: str, columns: list[str]) -> None:
    twice = [(name, count) for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise InvalidInput(
            f"{table}: the column {twice[0][0]!r} occurs {twice[0][1]} times. Column names must differ: rename one."
        )


def _from_frame(frame: pd.DataFrame) -> Table:
    copy = frame.copy(deep=False)
    copy.columns = [str(name) for name in frame.columns]
    if copy.index.name is not None and str(copy.index.name) not in copy.columns:
        copy = copy.reset_index()  # a named index is a column that somebody set aside, most often the id
    copy = copy.reset_index(drop=True)
    if copy.columns.duplicated().any():
        return Table(copy, "the table")
    images = {name: frame_images(copy[name].tolist()) for name in copy.columns if _holds_pictures(copy[name])}
    return Table(copy.drop(columns=list(images)), "the table", images)


def _holds_pictures(column: pd.Series[Any]) -> bool:
    if column.dtype != object:
        return False
    there = (value for value in column if value is not None and not (isinstance(value, float) and value != value))
    first = next(there, None)
    return isinstance(first, (bytes, bytearray)) or (isinstance(first, dict) and any(map(encoded, column)))


def _from_parquet(path: Path, limits: Limits) -> Table:
    """Everything but the picture columns, which stay on disk. A {bytes, path} column with paths alone becomes a column
    of paths."""
    try:
        file = pq.ParquetFile(path)
        names = file.schema_arrow.names
        pictures = [f.name for f in file.schema_arrow if is_image_type(f.type)]
        groups = [file.metadata.row_group(g) for g in range(file.num_row_groups)]
        columns = [group.column(i) for group in groups for i in range(group.num_columns)]
        size = sum(c.total_uncompressed_size for c in columns if c.path_in_schema.split(".")[0] not in pictures)
        if size > limits.max_table_bytes:
            raise InvalidInput(
                f"{path.name}: its columns take {size:,} bytes; "
                f"at most {limits.max_table_bytes:,} are read. Leave some out."
            )
        if len(set(names)) < len(names):
            return Table(pd.DataFrame(columns=names), path.name)
        others = [name for name in names if name not in pictures]
        frame = pq.read_table(path, columns=others).to_pandas(ignore_metadata=True)
        if frame.shape[1] == 0:
            frame = pd.DataFrame(index=range(file.metadata.num_rows))
        images: dict[str, ItemStore] = {}
        for name in pictures:
            column = file.schema_arrow.field(name)
            store = parquet_images(path, name, limits)
            if pa.types.is_struct(column.type) and all(size == 0 for size, _ in store.heads()):
                frame[name] = list(store.names)
            else:
                images[name] = store
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput(
            f"{path.name!r} cannot be read as Parquet ({str(error)[:120]}). Write or upload it again."
        ) from None
    return Table(frame.rename(columns=str), path.name, images)


def _text_of(path: Path, limits: Limits) -> tuple[str, tuple[str, ...]]:
    if path.stat().st_size > limits.max_table_bytes:
        raise InvalidInput(
            f"{path.name!r} is {path.stat().st_size:,} bytes; at most {limits.max_table_bytes:,} are read. "
            "Use Parquet, or leave columns out."
        )
    raw = path.read_bytes()
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace"), ()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return raw.decode("latin-1"), (
            f"{path.name} is not UTF-8 (line {line}): it was read as Latin-1. "
            "Check accented letters, or save it as UTF-8.",
        )
    if "\0" in text[:4096]:
        raise InvalidInput(f"{path.name!r} holds zero bytes, so it is no text. Check that it is what its name says.")
    return text, ()


def _from_json(path: Path, limits: Limits) -> Table:
    text, notes = _text_of(path, limits)
    records: list[Any] = []
    if text.lstrip()[:1] == "[":
        try:
            records = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(
                f"{path.name} is not a JSON list of records ({error}). Write one record a line."
            ) from None
    else:
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                try:
                    records.append(json.loads(line))
                except (ValueError, RecursionError) as error:
                    raise InvalidInput(
                        f"{path.name}, line {number}, is no JSON ({error}). JSON Lines holds one record a line."
                    ) from None
    if not all(isinstance(record, dict) for record in records):
        raise InvalidInput(
            f'{path.name}: each record must be an object such as {{"file": "a.jpg", "loss": 0.3}}. Name the values.'
        )
    table = _from_frame(pd.DataFrame(records))
    return Table(table.frame, path.name, table.images, notes)


def _from_csv(path: Path, as_text: tuple[str, ...], limits: Limits) -> Table:
    text, found = _text_of(path, limits)
    notes = list(found)
    separator = "\t" if path.suffix.lower() == ".tsv" else _separator(text)
    try:
        # newline="": lines may end in a lone return
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    except csv.Error as error:
        raise InvalidInput(
            f"{path.name}: its line of column names cannot be read ({error}). Look for a quote that is not closed."
        ) from None
    _check_names(path.name, [name for name in header if name])
    text_columns: dict[Any, Any] = {
        name: "string" for name in header if name in as_text or _AS_TEXT.fullmatch(snake_case(name))
    }
    frame = _parse(path, text, separator, text_columns, ".")
    if separator == ";" and _has_decimal_commas(frame):
        frame = _parse(path, text, separator, text_columns, ",")
        notes.append(f"{path.name} writes 0,5 for one half: commas were read as decimal points.")
    unnamed = [name for name in frame.columns if name.startswith("Unnamed: ")]
    counting = [
        n for n in unnamed if (pd.api.types.is_integer_dtype(frame[n]) and frame[n].is_unique) or frame[n].isna().all()
    ]
    if counting:
        frame = frame.drop(columns=counting)
        notes.append(
            f"{len(counting)} column(s) of {path.name} without a name, only counting rows or empty, were ignored."
        )
    return Table(frame, path.name, {}, tuple(notes))


def _parse(path: Path, text: str, separator: str, text_columns: dict[Any, Any], decimal: str) -> pd.DataFrame:
    try:
        return pd.read_csv(
            io.StringIO(text),
            sep=separator,
            dtype=text_columns,
            na_values=_MISSING,
            keep_default_na=False,
            decimal=decimal,
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


def _separator(text: str) -> str:
    """The separator that splits the first lines into the same, largest number of columns."""
    lines = [line for line in text[:65536].splitlines()[:20] if line.strip()]

    def columns(separator: str) -> tuple[bool, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=separator)]
        return len(set(counts[:10])) == 1 and counts[0] > 1, counts[0] if counts else 0

    return max((",", "\t", ";", "|"), key=columns)


def _has_decimal_commas(frame: pd.DataFrame) -> bool:
    columns = (frame[name] for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name]))
    texts = (column.dropna().astype(str).head(100) for column in columns)
    return any(len(column) > 0 and column.str.fullmatch(r"-?\d+,\d+").all() for column in texts)
