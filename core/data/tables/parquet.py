"""Read Parquet tables within a bound on their unpacked size: a few kilobytes can unpack to terabytes of text."""

# pyright: basic
# (pyarrow ships no types, so strict checking would flag every use of it)
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.data.parquet_files import MAX_PAGES, column_pages, is_bytes, is_list, open_parquet, readable
from core.data.tables.list_views import type_without_views, without_views
from core.errors import InvalidInput
from core.limits import Limits
from core.records import Progress, no_progress

_BATCH_ROWS = 2**16
_BATCH_CELLS = 2**22
_BATCH_BYTES = 2**28
_NUMBER_BYTES = 16
_ARRAY_BYTES = 130
_OBJECT_BYTES = 200
"""Bytes of memory for a number (in Arrow and in pandas), for a row's array of numbers, and for a value that becomes a
Python object."""


def read_columns(path: Path, columns: Sequence[str], limits: Limits, progress: Progress = no_progress) -> pd.DataFrame:
    """Read columns into pandas, batch by batch.

    Args:
        columns: of texts, numbers and lists; bytes must be text in UTF-8.

    Raises:
        InvalidInput: damaged, or the columns take too much memory, which may show only while they are unpacked.
    """
    with readable(path):
        file = open_parquet(path, limits)
        wanted = [i for i in range(file.metadata.num_columns) if _top(file, i) in columns]
        rows, differences = _check_pages(path, file, wanted, limits)
        texts = [_leaf(file, i) for i in wanted if i not in differences]
        texts = [leaf.path for leaf in texts if leaf.physical_type == "BYTE_ARRAY"]
        schema = pa.schema([_as_kept(file.schema_arrow.field(name)) for name in columns])
        file = open_parquet(path, limits, texts)
        size = path.stat().st_size
        needed = 0
        n_read = 0
        batches = []
        for group in range(file.num_row_groups):  # one by one: nested texts of two groups share no dictionary
            for raw_batch in file.iter_batches(rows, row_groups=[group], columns=list(columns)):
                try:
                    raw_batch.validate(full=True)
                    batch = without_views(raw_batch)
                    needed += 2 * sum(map(_unpacked_bytes, batch.columns))
                    limits.check_memory(path.name, needed, size, "Remove columns.")
                    batches.append(_unpacked(batch, schema))
                except pa.ArrowInvalid:
                    _refuse_bytes(path.name, without_views(raw_batch), schema, n_read)
                    raise
                n_read += raw_batch.num_rows
                progress("read table", group, file.num_row_groups)
        return pa.Table.from_batches(batches, schema).to_pandas(ignore_metadata=True)


def _as_kept(field: Any) -> Any:
    """The field in the type that texts are unpacked into: views have no dictionary, and bytes must be text."""
    kind = field.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if is_bytes(kind) or pa.types.is_string_view(kind):
        return field.with_type(pa.large_string())
    return field.with_type(type_without_views(field.type))


def _refuse_bytes(name: str, batch: Any, schema: Any, before: int) -> None:
    """Name the first cell of a batch that is not text; `before` rows of the file precede the batch.

    Raises:
        InvalidInput: a cell is not text.
    """
    for column, field in zip(batch.columns, schema, strict=True):
        # bisection: if the column has a bad cell, the first is among the rows low to high
        low = 0
        high = len(column)
        while high - low > 1:
            middle = (low + high) // 2
            if _holds_other_bytes(column, field, low, middle):
                high = middle
            else:
                low = middle
        if high > low and _holds_other_bytes(column, field, low, high):
            raise InvalidInput(
                f"{name}, row {before + low + 1:,}: column {field.name[:60]!r} is not valid UTF-8. "
                "Re-save it as UTF-8 or remove it."
            )


def _holds_other_bytes(column: Any, field: Any, start: int, end: int) -> bool:
    """Whether the cells of the rows start to end cannot be read as the field's texts."""
    try:
        _plain(column.take(pa.array(range(start, end)))).cast(field.type).validate(full=True)
    except pa.ArrowInvalid as error:
        return "UTF8" in str(error)
    return False


def _check_pages(path: Path, file: pq.ParquetFile, wanted: Sequence[int], limits: Limits) -> tuple[int, frozenset[int]]:
    """Add up what the columns' pages hold; return the rows to read at once, and the leaves whose texts are stored as
    differences."""
    metadata = file.metadata
    size = path.stat().st_size
    needed = 0
    pages = 0
    largest: dict[int, int] = {}
    for i in wanted:
        number, row = _weights(file, i)
        nested = _leaf(file, i).max_repetition_level > 0
        for group, walked in enumerate(column_pages(path, file, i, limits.max_small_bytes)):
            values = max(walked.n_values, metadata.row_group(group).column(i).num_values)
            needed += number * values + row * metadata.row_group(group).num_rows
            if walked.differences:
                largest[i] = max(walked.largest, largest.get(i, 1))
                if nested:  # no batch of rows bounds a row's list
                    needed += walked.largest * values
            pages += walked.n_pages
            limits.check_memory(path.name, needed, size, "Remove columns.")
            if pages > MAX_PAGES:
                raise InvalidInput(f"{path.name} has more than {MAX_PAGES:,} pages. Save it with larger pages.")
    rows = min(_BATCH_ROWS, _BATCH_CELLS // max(1, len(wanted)))
    return max(1, min([rows, *(_BATCH_BYTES // bytes_of for bytes_of in largest.values())])), frozenset(largest)


def _leaf(file: pq.ParquetFile, i: int) -> Any:
    return file.schema.column(i)


def _top(file: pq.ParquetFile, i: int) -> str:
    """The name of the column that a leaf belongs to; a name itself may hold dots."""
    path = _leaf(file, i).path
    names = file.schema_arrow.names
    if path in names:
        return path
    return next((name for name in names if path.startswith(f"{name}.")), path)


def _weights(file: pq.ParquetFile, i: int) -> tuple[int, int]:
    """Bytes of memory for each value of a leaf, and for each of its rows."""
    leaf = _leaf(file, i)
    kind = file.schema_arrow.field(_top(file, i)).type
    while is_list(kind):
        kind = kind.value_type
    width = 0
    if leaf.physical_type == "FIXED_LEN_BYTE_ARRAY":
        width = max(0, leaf.length)
    if pa.types.is_nested(kind) or pa.types.is_decimal(kind) or pa.types.is_date(kind) or pa.types.is_time(kind):
        return _OBJECT_BYTES + width, 0
    if leaf.max_repetition_level == 0:
        return _NUMBER_BYTES + width, 0
    if leaf.physical_type == "BYTE_ARRAY":
        return _OBJECT_BYTES, _ARRAY_BYTES
    return _NUMBER_BYTES + width, _ARRAY_BYTES


def _unpacked_bytes(column: Any) -> int:
    """Bytes of a column's texts once each cell holds a copy."""
    if pa.types.is_dictionary(column.type):
        if not _is_text(column.type.value_type):
            return column.nbytes
        lengths = pc.call_function("binary_length", [column.dictionary]).fill_null(0).to_numpy(zero_copy_only=False)
        indices = column.indices.drop_null().to_numpy(zero_copy_only=False)
        if not len(indices):
            return 0
        return int(lengths[indices].sum(dtype=np.int64))
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type) or pa.types.is_map(column.type):
        return _unpacked_bytes(column.values)
    if pa.types.is_fixed_size_list(column.type):
        return _unpacked_bytes(column.flatten())
    if pa.types.is_struct(column.type):
        return sum(map(_unpacked_bytes, column.flatten()))
    if _is_text(column.type):
        return column.nbytes
    return 0


def _is_text(kind: Any) -> bool:
    views = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return is_bytes(kind) or any(is_kind(kind) for is_kind in views)


def _unpacked(batch: Any, schema: Any) -> Any:
    """The batch in the schema's types: texts that were read as dictionaries unpacked."""
    columns = list[Any]()
    for column, field in zip(batch.columns, schema, strict=True):
        if column.type != field.type:
            column = _plain(column).cast(field.type)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _plain(column: Any) -> Any:
    """The column with its dictionary unpacked, since a dictionary of bytes cannot be cast to texts."""
    if pa.types.is_dictionary(column.type):
        return column.dictionary_decode()
    return column
