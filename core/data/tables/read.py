"""Tables as people keep them: CSV, TSV, JSON Lines, Parquet or a DataFrame, read into one DataFrame with its images
apart."""

# pyright: basic
# (pyarrow ships no types, so strict checking would flag every use of it)
from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from core.data.images.columns import ParquetImages, encoded, frame_images, is_image_type, parquet_images
from core.data.parquet_files import is_bytes, open_parquet, readable
from core.data.tables.delimited import check_names, read_delimited, text_of
from core.data.tables.fiftyone_samples import is_fiftyone, records_of
from core.data.tables.parquet import read_columns
from core.documents import json_lines, parse_json
from core.errors import InvalidInput
from core.limits import Limits
from core.options import check_text
from core.records import ItemStore, Progress, Reporter, no_progress

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet", ".pq")
_REFUSED = {
    ".pkl": "A pickle can run any program when it is opened, so none is read. "
    "Write it with `df.to_parquet(...)` or `df.to_csv(...)`.",
    ".xlsx": "Spreadsheets are not read. Save it as CSV.",
    ".zip": "This is an archive. Give it as the images, and the table apart.",
}
_REFUSED |= dict.fromkeys((".pickle", ".joblib", ".pt", ".pth"), _REFUSED[".pkl"]) | {".xls": _REFUSED[".xlsx"]}


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table as read: `frame` without the image columns, which are in `images` by name."""

    frame: pd.DataFrame
    name: str
    images: Mapping[str, ItemStore] = field(default_factory=dict[str, ItemStore])
    notes: tuple[str, ...] = ()


def read_table(
    table: str | Path | pd.DataFrame,
    *,
    as_text: tuple[str, ...] = (),
    limits: Limits = Limits(),
    progress: Progress = no_progress,
) -> Table:
    """Read a table, whatever its kind; rows keep their order and are numbered from 0.

    Args:
        table: a path (.csv, .tsv, .jsonl, .json, .parquet) or a DataFrame.
        as_text: columns that are read as they are written ("007" stays "007"); columns named as ids, files or paths
            always are.

    Raises:
        InvalidInput: missing, empty, damaged, too large or of a refused kind; a column name occurs twice.
    """
    if isinstance(table, pd.DataFrame):
        return _checked(_from_frame(table), limits)
    path = Path(table)
    suffix = path.suffix.lower()
    if suffix in _REFUSED:
        raise InvalidInput(f"{path.name}: {_REFUSED[suffix]}")
    try:
        found = path.is_file()
    except (OSError, ValueError) as error:  # a name that no file can have
        raise InvalidInput(f"The table {path.name[:60]!r} cannot be opened: {error.args[-1]}. Rename it.") from None
    if not found:
        raise InvalidInput(
            f"The table {path.name!r} was not found{' (it is a folder)' if path.is_dir() else ''}. "
            "Give a CSV, JSON Lines or Parquet file."
        )
    if path.stat().st_size == 0:
        raise InvalidInput(f"{path.name!r} is empty. Give a table with one row for each sample.")
    readers: dict[str, Callable[[], Table]] = dict.fromkeys(
        (".parquet", ".pq"), lambda: _from_parquet(path, limits, progress)
    )
    readers |= dict.fromkeys((".jsonl", ".ndjson", ".json"), lambda: _from_json(path, limits, progress))
    readers |= dict.fromkeys((".csv", ".tsv", ".txt"), lambda: _from_csv(path, as_text, limits, progress))
    if suffix not in readers:
        raise InvalidInput(
            f"{path.name!r} is no kind of table that is read here ({', '.join(TABLE_SUFFIXES)}). "
            "Save it as CSV or Parquet."
        )
    return _checked(readers[suffix](), limits)


def escape_formula(value: str) -> str:
    """The text of a cell for export, with a leading ' where a spreadsheet would run it as a formula.

    Cells that begin with a tab, a line break or, after blanks, with = + - @ (also of full width) are prefixed; plain
    numbers such as "-1.5e3" are left alone.
    """
    runs = value[:1] in ("\t", "\r", "\n") or value.lstrip("\ufeff \u00a0\u3000")[:1] in tuple("=+-@＝＋－＠")
    if value and runs and not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value):
        return "'" + value
    return value


def _from_csv(path: Path, as_text: tuple[str, ...], limits: Limits, progress: Progress) -> Table:
    frame, notes = read_delimited(path, as_text, limits, progress)
    return Table(frame, path.name, {}, notes)


def _checked(table: Table, limits: Limits) -> Table:
    names = [*map(str, table.frame.columns), *table.images]
    check_names(table.name, names, limits)
    check_shape(table.name, len(table.frame), len(names), limits)
    if len(table.frame) == 0:
        raise InvalidInput(f"{table.name} has column names but no rows. Give one row for each sample.")
    return table


def _from_frame(frame: pd.DataFrame) -> Table:
    copy = frame.copy(deep=False)
    names = [str(name) for name in frame.columns]
    for name in names:
        check_text(name, "The table: the name of a column")
    copy.columns = names
    if copy.index.name is not None and str(copy.index.name) not in copy.columns:
        copy = copy.reset_index()  # a named index is a column that somebody set aside, most often the id
    copy = copy.reset_index(drop=True)
    if copy.columns.duplicated().any():
        return Table(copy, "the table")
    for name in copy.columns:
        if copy[name].dtype == object:
            for row, value in enumerate(copy[name]):
                if isinstance(value, str):
                    check_text(value, f"The table, row {row:,}, {name!r}")
    images = {name: frame_images(copy[name].tolist()) for name in copy.columns if _holds_pictures(copy[name])}
    return Table(copy.drop(columns=list(images)), "the table", images)


def _holds_pictures(column: pd.Series[Any]) -> bool:
    if column.dtype != object:
        return False
    there = (value for value in column if value is not None and not (isinstance(value, float) and value != value))
    first = next(there, None)
    return isinstance(first, (bytes, bytearray)) or (isinstance(first, dict) and any(map(encoded, column)))


def _from_parquet(path: Path, limits: Limits, progress: Progress) -> Table:
    """Everything but the image columns, which stay on disk. A {bytes, path} column with paths alone becomes a column
    of paths."""
    with readable(path):
        file = open_parquet(path, limits)
        schema = file.schema_arrow
        names = schema.names
        found = file.metadata
        if len(set(names)) < len(names):
            return Table(pd.DataFrame(columns=names), path.name)
        stores = {f.name: parquet_images(path, f.name, limits, progress) for f in schema if is_image_type(f.type)}
        pictures = [n for n, store in stores.items() if not (is_bytes(schema.field(n).type) and _holds_texts(store))]
        columns = [found.row_group(g).column(i) for g in range(file.num_row_groups) for i in range(found.num_columns)]
        size = sum(c.total_uncompressed_size for c in columns if c.path_in_schema.split(".")[0] not in pictures)
        if size > limits.max_table_bytes:
            raise InvalidInput(
                f"{path.name}: its columns take {size:,} bytes; "
                f"at most {limits.max_table_bytes:,} are read. Leave some out."
            )
        others = [name for name in names if name not in pictures]
        frame = read_columns(path, others, limits, progress)
        if frame.shape[1] == 0:
            frame = pd.DataFrame(index=range(found.num_rows))
        images: dict[str, ItemStore] = {}
        for name in pictures:
            store = stores[name]
            if pa.types.is_struct(schema.field(name).type) and _holds_nothing(store, progress):
                frame[name] = list(store.names)
            else:
                images[name] = store
    return Table(frame.rename(columns=str), path.name, images)


_LOOKED_AT = 8
"""Cells by which it is told whether bytes are texts."""


def _holds_texts(store: ParquetImages) -> bool:
    """Whether the first cells are texts: some programs write these as plain bytes."""
    heads = list(islice((head for _, head in islice(store.heads(), 10 * _LOOKED_AT) if head), _LOOKED_AT))
    return bool(heads) and all(b"\0" not in head and _begins_as_text(head) for head in heads)


def _begins_as_text(head: bytes) -> bool:
    """Whether these are the first bytes of a text in UTF-8, whose last sign may be cut."""
    try:
        getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _holds_nothing(store: ParquetImages, progress: Progress) -> bool:
    report = Reporter(progress, "read table", len(store))
    for row, (size, _) in enumerate(store.heads()):
        report(row)
        if size:
            return False
    return True


def _from_json(path: Path, limits: Limits, progress: Progress) -> Table:
    text, notes = text_of(path, limits)
    lines = text if "\n" in text else text.replace("\r", "\n")
    records: list[Any]
    if is_fiftyone(lines):
        held = parse_json(text, path.name, instead="Export the data set again.")["samples"]
        records = held if isinstance(held, list) else [held]
    elif _is_one_list(lines, path.name):
        if len(text) > limits.max_document_bytes:
            raise InvalidInput(f"{path.name} is too large for one JSON list. Write JSON Lines: one record a line.")
        records = parse_json(text, path.name, instead="Write one record a line.")
    else:
        records = []
        for _, one in json_lines(lines, path.name, instead="JSON Lines holds one record a line."):
            records.append(one)
            if len(records) % 10_000 == 0:
                progress("read table", 0, 1)
    if not all(isinstance(record, dict) for record in records):
        raise InvalidInput(
            f'{path.name}: each record must be an object such as {{"file": "a.jpg", "loss": 0.3}}. Name the values.'
        )
    if is_fiftyone(lines):
        records, notes = records_of(records)
    check_records(records, path.name, path.stat().st_size, limits)
    table = _from_frame(pd.DataFrame(records))
    return Table(table.frame, path.name, table.images, notes)


_MAX_LIST_ROW = 2**16
"""Characters of a first line that is looked at as a list of its own."""


def _is_one_list(text: str, name: str) -> bool:
    """Whether a text is one list of records, and not lines that are lists each."""
    first, _, rest = text.lstrip().partition("\n")
    if first[:1] != "[" or len(first) > _MAX_LIST_ROW or not rest.strip():
        return first[:1] == "["
    try:
        parse_json(first, name)
    except InvalidInput:  # the list goes on in the next line
        return True
    return False


def check_records(records: Sequence[Mapping[str, Any]], name: str, size: int, limits: Limits) -> None:
    """Refuse records that would make a table of far more cells than they have values.

    Raises:
        InvalidInput: they have too many different keys, or too many for their number.
    """
    keys = len({key for record in records for key in record})
    check_shape(name, len(records), keys, limits)
    limits.check_memory(name, 64 * keys * len(records), size, "Write records that have the same keys.")


def check_shape(name: str, n_rows: int, n_columns: int, limits: Limits) -> None:
    """Refuse a table of too many rows or columns.

    Raises:
        InvalidInput: it has more than may be read.
    """
    for n, most, what in ((n_rows, limits.max_rows, "rows"), (n_columns, limits.max_columns, "columns")):
        if n > most:
            raise InvalidInput(f"{name} has {n:,} {what}; at most {most:,} are read. Leave some out, or split it.")
