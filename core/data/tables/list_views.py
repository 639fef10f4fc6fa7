"""Convert Arrow's views to plain lists and texts: Arrow casts list views wrongly, and texts to views not at all."""

# pyright: basic
# (pyarrow ships no types, so strict checking would flag every use of it)
from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from core.data.parquet_files import is_list


def type_without_views(kind: Any) -> Any:
    """The type with plain lists and texts instead of views, at every depth."""
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if is_list(kind):
        inner = type_without_views(kind.value_type)
        is_view = pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind)
        if inner == kind.value_type and not is_view:
            return kind
        if _is_large(kind):
            return pa.large_list(inner)
        return pa.list_(inner)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(type_without_views(field.type)) for field in kind])
    return kind


def without_views(batch: Any) -> Any:
    """The batch with plain lists and texts instead of views, at every depth."""
    return pa.RecordBatch.from_arrays([_plain(column) for column in batch.columns], batch.schema.names)


def _plain(column: Any) -> Any:
    kind = column.type
    if type_without_views(kind) == kind:
        return column
    if pa.types.is_string_view(kind):
        return column.cast(pa.large_string())
    if pa.types.is_struct(kind):
        parts = [_plain(part) for part in column.flatten()]
        return pa.StructArray.from_arrays(parts, [field.name for field in kind], mask=column.is_null())
    lengths = pc.call_function("list_value_length", [column]).fill_null(0).to_numpy(zero_copy_only=False)
    ends = [0, *lengths.cumsum().tolist()]
    values = _plain(column.flatten())
    if _is_large(kind):
        return pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), values, mask=column.is_null())
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values, mask=column.is_null())


def _is_large(kind: Any) -> bool:
    return pa.types.is_large_list(kind) or pa.types.is_large_list_view(kind)
