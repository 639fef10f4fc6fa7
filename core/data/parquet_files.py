"""Parquet files opened within limits, and what their pages hold by their own headers: a file's summary may lie.

A page of a few bytes can stand for a thousand million values, and its header says so: the headers are walked before
any page is unpacked. They are Thrift structs in the compact protocol (apache/parquet-format, parquet.thrift).
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

MAX_GROUPS = 5_000
"""Row groups, each of which is opened by itself."""
MAX_FOOTER_BYTES = 64 * 2**20
# of the footer: bytes of a text, entries of a list
_MAX_STRING = 16 * 2**20
_MAX_PARTS = 1_000_000
MAX_PAGES = 400_000
"""Of one file; a page has a megabyte or a column's part of a row group."""
# bytes read at first and at most for one header, which may hold the smallest value
_HEAD = 2**10
_LONGEST = 2**22
# fields of a page's header; encodings of texts by what they share
_DATA_PAGES = (5, 8)
_DIFFERENCES = (6, 7)


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one column of one row group."""

    n_values: int
    n_pages: int
    largest: int
    """Unpacked bytes of the largest."""
    differences: bool
    """Texts are written as differences from others, which Arrow cannot read as a dictionary."""


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """What Arrow raises for a damaged file, as a message."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError) as error:
        raise InvalidInput(
            f"{path.name!r} cannot be read as Parquet ({str(error)[:120]}). Write or upload it again."
        ) from None


def is_bytes(kind: Any) -> bool:
    """Whether a column holds bytes of any length."""
    return any(is_kind(kind) for is_kind in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view))


def is_list(kind: Any) -> bool:
    """Whether each row of a column holds a list, of one length or of any, in any of Arrow's layouts."""
    layouts = ("list", "large_list", "fixed_size_list", "list_view", "large_list_view")
    return any(getattr(pa.types, f"is_{layout}")(kind) for layout in layouts)


def open_parquet(path: Path, limits: Limits, dictionaries: Sequence[str] = ()) -> pq.ParquetFile:
    """The file, once its own summary keeps within the limits.

    Args:
        dictionaries: leaf columns whose texts are to be read as a dictionary and places in it.

    Raises:
        InvalidInput: damaged, or it has too many columns, rows or parts, or too long a summary.
    """
    with open_plain(path) as raw:
        raw.seek(max(0, path.stat().st_size - 8))
        end = raw.read(8)
    if len(end) == 8 and end[-4:] == b"PAR1" and int.from_bytes(end[:4], "little") > MAX_FOOTER_BYTES:
        raise InvalidInput(f"{path.name}: its summary has more than {MAX_FOOTER_BYTES:,} bytes. Write it again.")
    file = pq.ParquetFile(
        path,
        read_dictionary=list(dictionaries),
        thrift_string_size_limit=_MAX_STRING,
        thrift_container_size_limit=_MAX_PARTS,
    )
    found = file.metadata
    for n, most, what in (
        (found.num_columns, limits.max_columns, "columns"),
        (found.num_rows, limits.max_rows, "rows"),
        (found.num_row_groups, MAX_GROUPS, "row groups"),
        (found.num_columns * found.num_row_groups, MAX_PAGES, "columns in all its row groups"),
    ):
        if not 0 <= n <= most:
            raise InvalidInput(f"{path.name} has {n:,} {what}; at most {most:,} are read. Leave some out.")
    return file


def column_pages(path: Path, file: pq.ParquetFile, leaf: int, most: int) -> Iterator[Pages]:
    """The pages of a leaf column in each row group; `most` is how many bytes one may have unpacked."""
    with open_plain(path) as raw:
        for group in range(file.num_row_groups):
            chunk = file.metadata.row_group(group).column(leaf)
            if chunk.num_values == 0:  # Arrow reads none of its pages, and may have written them without a place
                yield Pages(0, 0, 0, False)
                continue
            first = chunk.data_page_offset
            if chunk.has_dictionary_page and 0 < chunk.dictionary_page_offset < first:
                first = chunk.dictionary_page_offset
            length = min(chunk.total_compressed_size, path.stat().st_size - first)
            yield walk_pages(raw, first, length, most, path.name)


def walk_pages(file: IO[bytes], start: int, length: int, most: int, name: str) -> Pages:
    """Read the headers of the pages that lie in `length` bytes from `start` on.

    Args:
        most: bytes that a page may have unpacked.

    Raises:
        InvalidInput: they are no page headers, or a page is too large.
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
                f"{name!r} cannot be read as Parquet (a damaged page). Write or upload it again."
            ) from None
        if min(unpacked, packed) < 0:
            raise InvalidInput(f"{name!r} cannot be read as Parquet (a page of less than 0 bytes). Write it again.")
        if unpacked > most:
            raise InvalidInput(
                f"{name}: one of its pages has {unpacked:,} bytes unpacked; at most {most:,} are read. "
                "Write it in smaller pages."
            )
        for kind in _DATA_PAGES:
            values += max(0, fields.get((kind, 1), 0))
            differences |= fields.get((kind, 2 if kind == 5 else 4)) in _DIFFERENCES
        pages = pages + 1
        largest = max(largest, unpacked)
        at += size + packed
    return Pages(values, pages, largest, differences)


def _page_header(file: IO[bytes], at: int) -> tuple[dict[tuple[int, ...], int], int]:
    """({path of field ids: whole number}, bytes of the header)."""
    for most in (_HEAD, _LONGEST):
        file.seek(at)
        data = file.read(most)
        try:
            fields: dict[tuple[int, ...], int] = {}
            return fields, _struct(data, 0, (), fields)
        except IndexError:
            if most == _LONGEST or len(data) < most:
                raise
    raise IndexError


def _struct(data: bytes, at: int, path: tuple[int, ...], fields: dict[tuple[int, ...], int]) -> int:
    """Read a struct's whole numbers into `fields`; returns where it ends."""
    if len(path) > 8:
        raise IndexError
    field = 0
    while (head := data[at]) != 0:
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
        if size > _LONGEST:
            raise IndexError
        return at + size
    if kind == 12:
        return _struct(data, at, path, fields)
    raise IndexError  # lists and maps stand in no page header


def _varint(data: bytes, at: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        byte = data[at]
        found |= (byte & 127) << shift
        at = at + 1
        shift = shift + 7
        if byte < 128:
            return found, at
        if shift > 63:
            raise IndexError
