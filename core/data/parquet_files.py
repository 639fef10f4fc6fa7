"""Open Parquet files within limits, and add up the values of their pages by the page headers: a file's footer may lie.

A page of a few bytes can hold a billion values, which its header shows: the headers are read before any page is
unpacked. They are Thrift structs in the compact protocol (apache/parquet-format, parquet.thrift).
"""

# pyright: basic
# (pyarrow ships no types, so strict checking would flag every use of it)
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import InvalidInput
from core.limits import Limits
from core.received import open_plain

MAX_ROW_GROUPS = 5_000
"""Row groups, which are opened one by one."""
MAX_FOOTER_BYTES = 64 * 2**20
_MAX_STRING_BYTES = 16 * 2**20
"""Of one text in the footer."""
_MAX_LIST_ENTRIES = 1_000_000
"""Of one list in the footer."""
MAX_PAGES = 400_000
"""Of one file; a page has a megabyte or a column's part of a row group."""
# bytes read at first and at most for one header, which may hold the smallest value
_HEADER_BYTES = 2**10
_MAX_HEADER_BYTES = 2**22
_DATA_PAGES = {5: 2, 8: 4}
"""Fields of a page's header that hold a data page of version 1 or 2: the field of the encoding in each."""
_DELTA_ENCODINGS = (6, 7)
"""Encodings of texts as differences: DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY."""


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one column of one row group."""

    n_values: int
    n_pages: int
    largest: int
    """Unpacked bytes of the largest page."""
    differences: bool
    """Whether texts are stored as differences from others, which Arrow cannot read as a dictionary."""


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn Arrow's errors on a damaged file into `InvalidInput`."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError) as error:
        raise InvalidInput(
            f"Cannot read {path.name!r} as Parquet: {str(error)[:120]}. Save or upload it again."
        ) from None


def is_bytes(kind: Any) -> bool:
    """Whether a column holds bytes of any length."""
    return any(is_kind(kind) for is_kind in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view))


def is_list(kind: Any) -> bool:
    """Whether each row of a column holds a list, in any of Arrow's layouts."""
    layouts = ("list", "large_list", "fixed_size_list", "list_view", "large_list_view")
    return any(getattr(pa.types, f"is_{layout}")(kind) for layout in layouts)


def open_parquet(path: Path, limits: Limits, dictionaries: Sequence[str] = ()) -> pq.ParquetFile:
    """Open the file, if its footer keeps within the limits.

    Args:
        dictionaries: leaf columns whose texts are read as a dictionary with indices.

    Raises:
        InvalidInput: damaged, or too many columns, rows or parts, or too long a footer.
    """
    with open_plain(path) as raw:
        raw.seek(max(0, path.stat().st_size - 8))
        end = raw.read(8)
    if len(end) == 8 and end[-4:] == b"PAR1" and int.from_bytes(end[:4], "little") > MAX_FOOTER_BYTES:
        raise InvalidInput(f"{path.name}: the footer exceeds {MAX_FOOTER_BYTES:,} bytes. Save the file again.")
    file = pq.ParquetFile(
        path,
        read_dictionary=list(dictionaries),
        thrift_string_size_limit=_MAX_STRING_BYTES,
        thrift_container_size_limit=_MAX_LIST_ENTRIES,
    )
    metadata = file.metadata
    for n, limit, what in (
        (metadata.num_columns, limits.max_columns, "columns"),
        (metadata.num_rows, limits.max_rows, "rows"),
        (metadata.num_row_groups, MAX_ROW_GROUPS, "row groups"),
        (metadata.num_columns * metadata.num_row_groups, MAX_PAGES, "columns in all row groups"),
    ):
        if not 0 <= n <= limit:
            raise InvalidInput(f"{path.name} has {n:,} {what}, the limit is {limit:,}. Remove some.")
    return file


def column_pages(path: Path, file: pq.ParquetFile, leaf: int, max_bytes: int) -> Iterator[Pages]:
    """The pages of a leaf column in each row group; `max_bytes` bounds an unpacked page."""
    with open_plain(path) as raw:
        for group in range(file.num_row_groups):
            chunk = file.metadata.row_group(group).column(leaf)
            if chunk.num_values == 0:  # Arrow reads none of its pages, and may have written them without an offset
                yield Pages(0, 0, 0, False)
                continue
            first = chunk.data_page_offset
            if chunk.has_dictionary_page and 0 < chunk.dictionary_page_offset < first:
                first = chunk.dictionary_page_offset
            length = min(chunk.total_compressed_size, path.stat().st_size - first)
            yield walk_pages(raw, first, length, max_bytes, path.name)


def walk_pages(file: IO[bytes], start: int, length: int, max_bytes: int, name: str) -> Pages:
    """Read the headers of the pages in `length` bytes from `start` on.

    Args:
        max_bytes: of an unpacked page.

    Raises:
        InvalidInput: damaged page headers, or a page is too large.
    """
    at = start
    values = 0
    pages = 0
    largest = 0
    differences = False
    while at < start + length:
        try:
            fields, size = _page_header(file, at)
            unpacked = fields[(2,)]
            packed = fields[(3,)]
        except (IndexError, KeyError, OverflowError):
            raise InvalidInput(
                f"Cannot read {name!r} as Parquet: a page is damaged. Save or upload it again."
            ) from None
        if min(unpacked, packed) < 0:
            raise InvalidInput(f"Cannot read {name!r} as Parquet: a page has less than 0 bytes. Save it again.")
        if unpacked > max_bytes:
            raise InvalidInput(
                f"{name}: a page has {unpacked:,} bytes unpacked, the limit is {max_bytes:,}. Save it in smaller pages."
            )
        for kind, encoding in _DATA_PAGES.items():
            values += max(0, fields.get((kind, 1), 0))
            differences |= fields.get((kind, encoding)) in _DELTA_ENCODINGS
        pages += 1
        largest = max(largest, unpacked)
        at += size + packed
    return Pages(values, pages, largest, differences)


def _page_header(file: IO[bytes], at: int) -> tuple[dict[tuple[int, ...], int], int]:
    """({path of field ids: whole number}, bytes of the header)."""
    for n_bytes in (_HEADER_BYTES, _MAX_HEADER_BYTES):
        file.seek(at)
        data = file.read(n_bytes)
        try:
            fields: dict[tuple[int, ...], int] = {}
            return fields, _struct(data, 0, (), fields)
        except IndexError:
            if n_bytes == _MAX_HEADER_BYTES or len(data) < n_bytes:
                raise
    raise IndexError


def _struct(data: bytes, at: int, path: tuple[int, ...], fields: dict[tuple[int, ...], int]) -> int:
    """Read a struct's whole numbers into `fields`; returns where it ends."""
    if len(path) > 8:
        raise IndexError
    field = 0
    while data[at] != 0:
        head = data[at]
        at += 1
        if head >> 4:
            field += head >> 4
        else:
            raw, at = _varint(data, at)
            field = (raw >> 1) ^ -(raw & 1)
        at = _value(data, at, head & 15, (*path, field), fields)
    return at + 1


def _value(data: bytes, at: int, kind: int, path: tuple[int, ...], fields: dict[tuple[int, ...], int]) -> int:
    if kind in (1, 2):  # true, false
        return at
    if kind == 3:
        return at + 1
    if kind in (4, 5, 6):  # whole numbers, in zigzag
        raw, at = _varint(data, at)
        fields[path] = (raw >> 1) ^ -(raw & 1)
        return at
    if kind == 7:
        return at + 8
    if kind == 8:  # text
        size, at = _varint(data, at)
        if size > _MAX_HEADER_BYTES:
            raise IndexError
        return at + size
    if kind == 12:
        return _struct(data, at, path, fields)
    raise IndexError  # page headers hold no lists and maps


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        shift += 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise IndexError
