"""Read CSV, TSV, JSON Lines, Parquet or a DataFrame into one DataFrame, with its image columns apart."""

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

from core.data.images.columns import ParquetImages, cell_bytes, frame_images, is_image_type, parquet_images
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
    ".pkl": "Errata does not open pickles: they can run any program. "
    "Write the table with `df.to_parquet(...)` or `df.to_csv(...)`.",
    ".xlsx": "Errata does not read spreadsheets. Save it as CSV.",
    ".zip": "This is an archive. Use it as the images, and add the table separately.",
}
_REFUSED |= dict.fromkeys((".pickle", ".joblib", ".pt", ".pth"), _REFUSED[".pkl"]) | {".xls": _REFUSED[".xlsx"]}


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Table as read: `frame` without the image columns, which are in `images` by name."""

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
        as_text: columns read as written ("007" stays "007"); columns named as ids, files or paths always are.

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
        is_file = path.is_file()
    except (OSError, ValueError) as error:  # a name that no file can have
        raise InvalidInput(f"Cannot open the table {path.name[:60]!r}: {error.args[-1]}. Rename it.") from None
    if path.is_dir():
        raise InvalidInput(f"The table {path.name!r} is a folder. Use a CSV, JSON Lines, or Parquet file.")
    if not is_file:
        raise InvalidInput(f"The table {path.name!r} was not found. Use a CSV, JSON Lines, or Parquet file.")
    if path.stat().st_size == 0:
        raise InvalidInput(f"{path.name!r} is empty. Use a table with one row per sample.")
    readers: dict[str, Callable[[], Table]] = dict.fromkeys(
        (".parquet", ".pq"), lambda: _from_parquet(path, limits, progress)
    )
    readers |= dict.fromkeys((".jsonl", ".ndjson", ".json"), lambda: _from_json(path, limits, progress))
    readers |= dict.fromkeys((".csv", ".tsv", ".txt"), lambda: _from_csv(path, as_text, limits, progress))
    if suffix not in readers:
        raise InvalidInput(
            f"Cannot read {path.name!r}: a table ends in {', '.join(TABLE_SUFFIXES)}. Save it as CSV or Parquet."
        )
    return _checked(readers[suffix](), limits)


def escape_formula(value: str) -> str:
    """Prefix a cell for export with ' where a spreadsheet would run it as a formula.

    Prefixed are cells that begin with a tab, a line break or, after blanks, with = + - @ (also of full width); plain
    numbers like "-1.5e3" stay as they are.
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
        raise InvalidInput(f"{table.name} has column names but no rows. Add one row per sample.")
    return table


def _from_frame(frame: pd.DataFrame) -> Table:
    copy = frame.copy(deep=False)
    names = [str(name) for name in frame.columns]
    for name in names:
        check_text(name, "The table: the name of a column")
    copy.columns = names
    if copy.index.name is not None and str(copy.index.name) not in copy.columns:
        copy = copy.reset_index()  # a named index is a column set aside, most often the id
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
    for value in column:
        if value is None or (isinstance(value, float) and value != value):
            continue
        return isinstance(value, (bytes, bytearray)) or (isinstance(value, dict) and any(map(cell_bytes, column)))
    return False


def _from_parquet(path: Path, limits: Limits, progress: Progress) -> Table:
    """Read everything but the image columns, which stay on disk. A {bytes, path} column that holds only paths becomes
    a column of paths."""
    with readable(path):
        file = open_parquet(path, limits)
        schema = file.schema_arrow
        names = schema.names
        metadata = file.metadata
        if len(set(names)) < len(names):
            return Table(pd.DataFrame(columns=names), path.name)
        stores = {f.name: parquet_images(path, f.name, limits, progress) for f in schema if is_image_type(f.type)}
        pictures = [n for n, store in stores.items() if not (is_bytes(schema.field(n).type) and _holds_texts(store))]
        size = 0
        for group in range(file.num_row_groups):
            for i in range(metadata.num_columns):
                chunk = metadata.row_group(group).column(i)
                if chunk.path_in_schema.split(".")[0] not in pictures:
                    size += chunk.total_uncompressed_size
        if size > limits.max_table_bytes:
            raise InvalidInput(
                f"{path.name}: the columns take {size:,} bytes, the limit is {limits.max_table_bytes:,}. Remove some."
            )
        others = [name for name in names if name not in pictures]
        frame = read_columns(path, others, limits, progress)
        if frame.shape[1] == 0:
            frame = pd.DataFrame(index=range(metadata.num_rows))
        images: dict[str, ItemStore] = {}
        for name in pictures:
            store = stores[name]
            if pa.types.is_struct(schema.field(name).type) and _holds_nothing(store, progress):
                frame[name] = list(store.names)
            else:
                images[name] = store
    return Table(frame.rename(columns=str), path.name, images)


_TEXT_CELLS = 8
"""Filled cells that decide whether a column of bytes holds texts, a convention."""


def _holds_texts(store: ParquetImages) -> bool:
    """Whether the first cells are texts: some programs write these as plain bytes."""
    heads = list(islice((head for _, head in islice(store.heads(), 10 * _TEXT_CELLS) if head), _TEXT_CELLS))
    return bool(heads) and all(b"\0" not in head and _begins_as_text(head) for head in heads)


def _begins_as_text(head: bytes) -> bool:
    """Whether these are the first bytes of a UTF-8 text; its last character may be cut."""
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
        samples = parse_json(text, path.name, instead="Export the data set again.")["samples"]
        records = samples if isinstance(samples, list) else [samples]
    elif _is_one_list(lines, path.name):
        if len(text) > limits.max_document_bytes:
            raise InvalidInput(f"{path.name} is too large for one JSON list. Write JSON Lines: one record per line.")
        records = parse_json(text, path.name, instead="Write one record per line.")
    else:
        records = []
        for _, record in json_lines(lines, path.name, instead="JSON Lines holds one record per line."):
            records.append(record)
            if len(records) % 10_000 == 0:
                progress("read table", 0, 1)
    if not all(isinstance(record, dict) for record in records):
        raise InvalidInput(
            f'{path.name}: each record must be an object like {{"file": "a.jpg", "loss": 0.3}}. Name the values.'
        )
    if is_fiftyone(lines):
        records, notes = records_of(records)
    check_records(records, path.name, path.stat().st_size, limits)
    table = _from_frame(pd.DataFrame(records))
    return Table(table.frame, path.name, table.images, notes)


_MAX_LIST_ROW = 2**16
"""Characters of a first line that is parsed to see whether it is a list by itself."""


def _is_one_list(text: str, name: str) -> bool:
    """Whether a text is one list of records, not a list per line."""
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
        InvalidInput: too many different keys, or too many for the number of records.
    """
    keys = len(set().union(*records))
    check_shape(name, len(records), keys, limits)
    limits.check_memory(name, 64 * keys * len(records), size, "Write records with the same keys.")


def check_shape(name: str, n_rows: int, n_columns: int, limits: Limits) -> None:
    """Refuse a table of too many rows or columns.

    Raises:
        InvalidInput: more than `limits` allows.
    """
    for n, limit, what in ((n_rows, limits.max_rows, "rows"), (n_columns, limits.max_columns, "columns")):
        if n > limit:
            raise InvalidInput(f"{name} has {n:,} {what}, the limit is {limit:,}. Remove some or split it.")
