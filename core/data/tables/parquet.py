"""Tables in Parquet, bounded by what they become: a few kilobytes can say "this megabyte of text, a million times"."""

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
_NUMBER = 16
_ROW_OF_NUMBERS = 130
_OBJECT = 200
"""Bytes of memory for a number (in Arrow and in pandas), for a row's array of numbers, and for a value that becomes a
Python object."""


def read_columns(path: Path, columns: Sequence[str], limits: Limits, progress: Progress = no_progress) -> pd.DataFrame:
    """The columns as pandas has them, read batch by batch.

    Args:
        columns: of texts, numbers and lists; bytes must be text in UTF-8.

    Raises:
        InvalidInput: damaged, or they would take too much memory; also where that shows only while they are unpacked.
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
        for group in range(file.num_row_groups):  # one by one: nested texts of two have no common dictionary
            for given in file.iter_batches(rows, row_groups=[group], columns=list(columns)):
                try:
                    given.validate(full=True)
                    batch = without_views(given)
                    needed += 2 * sum(map(_unpacked_bytes, batch.columns))
                    limits.check_memory(path.name, needed, size, "Leave columns out.")
                    batches.append(_unpacked(batch, schema))
                except pa.ArrowInvalid:
                    _refuse_bytes(path.name, without_views(given), schema, n_read)
                    raise
                n_read += given.num_rows
                progress("read table", group, file.num_row_groups)
        return pa.Table.from_batches(batches, schema).to_pandas(ignore_metadata=True)


def _as_kept(field: Any) -> Any:
    """The field in a type that texts are unpacked into: views have no dictionary, and bytes that are read are text."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    texts = is_bytes(kind) or pa.types.is_string_view(kind)
    return field.with_type(pa.large_string() if texts else type_without_views(field.type))


def _refuse_bytes(name: str, batch: Any, schema: Any, before: int) -> None:
    """Say which cell of a batch is no text, if one is; `before` rows of the file precede it.

    Raises:
        InvalidInput: one is.
    """
    for column, field in zip(batch.columns, schema, strict=True):
        # a bad cell is among these rows, if there is one
        low = 0
        high = len(column)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if _holds_other_bytes(column, field, low, middle) else (middle, high)
        if high > low and _holds_other_bytes(column, field, low, high):
            raise InvalidInput(
                f"{name}: column {field.name[:60]!r}, row {before + low + 1:,}: its bytes are no text in UTF-8. "
                "Write the column in UTF-8, or leave it out."
            )


def _holds_other_bytes(column: Any, field: Any, start: int, end: int) -> bool:
    """Whether the cells of some rows cannot be read as the field's texts."""
    try:
        _plain(column.take(pa.array(range(start, end)))).cast(field.type).validate(full=True)
    except pa.ArrowInvalid as error:
        return "UTF8" in str(error)
    return False


def _check_pages(path: Path, file: pq.ParquetFile, wanted: Sequence[int], limits: Limits) -> tuple[int, frozenset[int]]:
    """How many rows to read at once, and the leaves whose texts are differences, having added up what the columns'
    pages say they hold."""
    found = file.metadata
    size = path.stat().st_size
    needed = pages = 0
    largest: dict[int, int] = {}
    for i in wanted:
        number, row = _weights(file, i)
        nested = _leaf(file, i).max_repetition_level > 0
        for group, walked in enumerate(column_pages(path, file, i, limits.max_small_bytes)):
            values = max(walked.n_values, found.row_group(group).column(i).num_values)
            needed += number * values + row * found.row_group(group).num_rows
            if walked.differences:
                largest[i] = max(walked.largest, largest.get(i, 1))
                needed += walked.largest * (values if nested else 0)  # no batch of rows bounds a row's list
            pages += walked.n_pages
            limits.check_memory(path.name, needed, size, "Leave columns out.")
            if pages > MAX_PAGES:
                raise InvalidInput(f"{path.name} has more than {MAX_PAGES:,} pages. Write it in larger ones.")
    rows = min(_BATCH_ROWS, _BATCH_CELLS // max(1, len(wanted)))
    return max(1, min([rows, *(_BATCH_BYTES // bytes_of for bytes_of in largest.values())])), frozenset(largest)


def _leaf(file: pq.ParquetFile, i: int) -> Any:
    return file.schema.column(i)


def _top(file: pq.ParquetFile, i: int) -> str:
    """The name of the column that a leaf belongs to; a name itself may hold dots."""
    path = _leaf(file, i).path
    names = file.schema_arrow.names
    return path if path in names else next((n for n in names if path.startswith(f"{n}.")), path)


def _weights(file: pq.ParquetFile, i: int) -> tuple[int, int]:
    """Bytes of memory for each value of a leaf, and for each row of it."""
    leaf = _leaf(file, i)
    kind = file.schema_arrow.field(_top(file, i)).type
    while is_list(kind):
        kind = kind.value_type
    width = max(0, leaf.length) if leaf.physical_type == "FIXED_LEN_BYTE_ARRAY" else 0
    if pa.types.is_nested(kind) or pa.types.is_decimal(kind) or pa.types.is_date(kind) or pa.types.is_time(kind):
        return _OBJECT + width, 0
    nested = leaf.max_repetition_level > 0
    if leaf.physical_type == "BYTE_ARRAY" and nested:
        return _OBJECT, _ROW_OF_NUMBERS
    return _NUMBER + width, _ROW_OF_NUMBERS if nested else 0


def _unpacked_bytes(column: Any) -> int:
    """Bytes of the texts of a column once each stands in its own place."""
    if pa.types.is_dictionary(column.type):
        if not _is_text(column.type.value_type):
            return column.nbytes
        lengths = pc.call_function("binary_length", [column.dictionary]).fill_null(0).to_numpy(zero_copy_only=False)
        places = column.indices.drop_null().to_numpy(zero_copy_only=False)
        return int(lengths[places].sum(dtype=np.int64)) if len(places) else 0
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type) or pa.types.is_map(column.type):
        return _unpacked_bytes(column.values)
    if pa.types.is_fixed_size_list(column.type):
        return _unpacked_bytes(column.flatten())
    if pa.types.is_struct(column.type):
        return sum(map(_unpacked_bytes, column.flatten()))
    return column.nbytes if _is_text(column.type) else 0


def _is_text(kind: Any) -> bool:
    views = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return is_bytes(kind) or any(is_kind(kind) for is_kind in views)


def _unpacked(batch: Any, schema: Any) -> Any:
    """The batch in the types that the file says: texts that were read as dictionaries unpacked."""
    columns = [
        column if column.type == field.type else _plain(column).cast(field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _plain(column: Any) -> Any:
    """A dictionary of bytes cannot be cast to texts as it is."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
