"""Images stored in a table's column, as bytes or as {bytes, path} (how Hugging Face data sets write them)."""

# pyright: basic
# (pyarrow ships no types, so strict checking would flag every use of it)
from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.data.images.scratch import Spool, spool_pieces
from core.data.parquet_files import column_pages, is_bytes, open_parquet
from core.errors import InvalidInput
from core.limits import Limits
from core.records import I64, NamedItems, Progress, Reporter, no_progress

_MAX_GROUP_BYTES = 128 * 2**20  # the largest row group that is held in memory
_MAX_GROUPS = 2  # held at once
_BATCH_ROWS = 64


def is_image_type(kind: pa.DataType) -> bool:
    """Whether a Parquet column may hold encoded images: binary, or a struct with a binary field "bytes"."""
    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and _is_binary(kind.field("bytes").type)
    return _is_binary(kind)


def _is_binary(kind: pa.DataType) -> bool:
    return is_bytes(kind) or pa.types.is_fixed_size_binary(kind)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FrameImages(NamedItems):
    """Images that are already in memory (a DataFrame's column)."""

    values: Sequence[Any]

    def read(self, index: int) -> bytes:
        return cell_bytes(self.values[index])


def cell_bytes(value: Any) -> bytes:
    """Return the bytes in a cell that holds bytes, {bytes, path} or nothing; b"" for nothing."""
    if isinstance(value, dict):
        value = value.get("bytes")  # pyright: ignore[reportUnknownMemberType]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    return b""


def frame_images(values: Sequence[Any]) -> FrameImages:
    """Build the store of a DataFrame's column; an image is named by its path, else by its row number."""
    names = list[str]()
    for row, value in enumerate(values):
        path = None
        if isinstance(value, dict):
            path = value.get("path")  # pyright: ignore[reportUnknownMemberType]
        names.append(str(path or row))
    return FrameImages(tuple(names), values)


@dataclass(slots=True, eq=False)
class _ColumnReader:
    """One Parquet column behind a lock: row groups are decoded on request and the last two stay in memory.

    A file with a row group too large to hold is copied once, in order, to a nameless scratch file and read from there.
    """

    path: Path
    column: str
    limits: Limits
    starts: I64
    n_rows: int
    batch_rows: int
    """Cells that are unpacked together."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    held: OrderedDict[int, list[bytes]] = field(default_factory=OrderedDict[int, list[bytes]])
    copied: Spool | None = None

    def read(self, row: int) -> bytes:
        if self.copied is not None:
            return self.copied.read(row)
        group = int(np.searchsorted(self.starts, row, side="right")) - 1
        with self.lock:
            if group not in self.held:
                while len(self.held) >= _MAX_GROUPS:
                    self.held.popitem(last=False)
                cells = self._read_group(group)
                if self.copied is not None:
                    return self.copied.read(row)
                self.held[group] = cells
            self.held.move_to_end(group)
            return self.held[group][row - int(self.starts[group])]

    def _read_group(self, group: int) -> list[bytes]:
        """The cells of a row group. One that repeats images may be larger than its pages: then all is spooled."""
        cells = list[bytes]()
        total = 0
        for blob in _stream(self.path, self.column, [group], self.batch_rows):
            cells.append(blob)
            total += len(blob)
            if total > 2 * _MAX_GROUP_BYTES:
                self.spool()
                return []
        return cells

    def cells(self) -> Iterator[bytes]:
        """All cells in order.

        Raises:
            InvalidInput: together they are larger than a file of this size may hold.
        """
        grown = max(self.limits.max_small_bytes, int(self.limits.max_ratio * self.path.stat().st_size))
        max_bytes = min(self.limits.max_total_bytes, grown)
        total = 0
        for blob in _stream(self.path, self.column, None, self.batch_rows):
            total += len(blob)
            if total > max_bytes:
                raise InvalidInput(
                    f"{self.path.name}: the images in {self.column!r} exceed {max_bytes:,} bytes, the limit for a file "
                    "of this size. Split it, or store each image once."
                )
            yield blob

    def spool(self, progress: Progress = no_progress) -> None:
        """Copy all cells to a scratch file.

        Raises:
            InvalidInput: the cells are too large, or the disk for temporary files is full.
            Cancelled: from `progress`, called as ("unpack images", row, rows).
        """
        self.copied = spool_pieces(self.path.name, self.cells(), Reporter(progress, "unpack images", self.n_rows))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ParquetImages(NamedItems):
    """The images of a Parquet column. Thread-safe; memory is bounded by two row groups of at most 128 MiB."""

    reader: _ColumnReader

    def read(self, index: int) -> bytes:
        return self.reader.read(index)

    def heads(self) -> Iterator[tuple[int, bytes]]:
        """(size in bytes, first 64 bytes) of every row of the file, in one pass."""
        for blob in self.reader.cells():
            yield len(blob), blob[:64]


def parquet_images(path: Path, column: str, limits: Limits, progress: Progress = no_progress) -> ParquetImages:
    """Build the store of a Parquet file's image column; an image is named by its path, else by its row number.

    Raises:
        InvalidInput: the column is larger than `limits.max_total_bytes`, or the disk is too full to unpack it.
        Cancelled: from `progress`.
    """
    file = open_parquet(path, limits)
    groups = [file.metadata.row_group(g) for g in range(file.num_row_groups)]
    starts = np.cumsum([0, *(g.num_rows for g in groups)])[:-1].astype(np.int64)
    sizes = [_column_bytes(group, column) for group in groups]
    if sum(sizes) > limits.max_total_bytes:
        raise InvalidInput(
            f"{path.name}: column {column!r} is {sum(sizes):,} bytes unpacked, above the limit of "
            f"{limits.max_total_bytes:,}. Split the file."
        )
    kind = file.schema_arrow.field(column).type
    n = file.metadata.num_rows
    reader = _ColumnReader(path, column, limits, starts, n, _choose_batch_rows(path, file, column, limits))
    if max(sizes, default=0) > _MAX_GROUP_BYTES:
        reader.spool(progress)
    names = [str(row) for row in range(n)]
    if pa.types.is_struct(kind) and kind.get_field_index("path") >= 0:
        # a nested field alone can be read: the bytes beside it stay on disk
        paths = list[Any]()
        total = 0
        batch_rows = _choose_batch_rows(path, file, f"{column}.path", limits)
        for batch in file.iter_batches(batch_rows, columns=[f"{column}.path"]):
            paths += batch.column(0).to_pylist()
            total += batch.nbytes
            limits.check_memory(path.name, 2 * total, path.stat().st_size, "Shorten the images' paths.")
        for row, cell in enumerate(paths):
            if cell and cell.get("path"):
                names[row] = str(cell["path"])
    return ParquetImages(tuple(names), reader)


def _column_bytes(group: Any, column: str) -> int:
    total = 0
    for i in range(group.num_columns):
        leaf = group.column(i)
        if f"{leaf.path_in_schema}.".startswith(f"{column}."):
            total += leaf.total_uncompressed_size
    return total


def _choose_batch_rows(path: Path, file: pq.ParquetFile, column: str, limits: Limits) -> int:
    """64, or fewer where a page may hold an image that is too large 64 times over."""
    largest = [1]
    for i in range(file.metadata.num_columns):
        if f"{file.schema.column(i).path}.".startswith(f"{column}."):
            largest += [pages.largest for pages in column_pages(path, file, i, limits.max_file_bytes * 2)]
    return max(1, min(_BATCH_ROWS, _MAX_GROUP_BYTES // max(largest)))


def _stream(path: Path, column: str, groups: list[int] | None, rows: int) -> Iterator[bytes]:
    """The column's cells in order, b"" for nothing, `rows` in memory at a time."""
    with pq.ParquetFile(path, buffer_size=2**20) as file:
        if pa.types.is_struct(file.schema_arrow.field(column).type):
            column = f"{column}.bytes"
        for batch in file.iter_batches(batch_size=rows, row_groups=groups, columns=[column], use_threads=False):
            for cell in batch.column(0).to_pylist():
                yield cell_bytes(cell)
