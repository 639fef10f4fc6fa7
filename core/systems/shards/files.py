"""A data set in many Parquet files ("shards"): which column plays which part, and the rows a block at a time."""

# pyright: basic
# (pyarrow ships no types, so strict checking would flag every use of it)
from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.data.images.columns import is_image_type
from core.data.parquet_files import open_parquet, readable
from core.data.tables.cells import text_of
from core.data.tables.recognise import recognise
from core.data.tables.roles import Roles, is_model_output
from core.documents import stored_json
from core.errors import InvalidInput, quoted
from core.limits import Limits
from core.records import F32, F64

U64 = npt.NDArray[np.uint64]

ITEM_ROWS = 256
LIGHT_ROWS = 16_384
"""Rows that are held at once: with their images, and without."""
_HEAD = 1_000
"""Rows of the first shard by which columns are recognized."""
_ABOUT = b"errata"
"""Entry of a written file's own notes that says what it was made from."""


@dataclass(frozen=True, slots=True)
class ShardSet:
    """The Parquet files of a folder, one data set with one set of columns."""

    folder: Path
    names: tuple[str, ...]
    """In order of their names."""
    roles: Roles
    """`id` and `loss`, maybe `label` and `group`, and what a row shows: `embedding`, `image` or one of `texts`."""
    more: tuple[tuple[str, str], ...] = ()
    """Other columns and what they hold ("double", "string", "bool"), which may explain a failure in the sample."""

    def path(self, name: str) -> Path:
        return self.folder / name

    @property
    def item(self) -> str | None:
        """The column of images or texts."""
        return self.roles.image or (self.roles.texts[0] if self.roles.texts else None)

    @property
    def modality(self) -> str:
        return "text" if self.roles.texts else "image"

    @property
    def key(self) -> str:
        """The column by which rows are drawn: whole groups where there are groups."""
        return self.roles.group or self.roles.id or ""

    @property
    def light(self) -> tuple[str, ...]:
        """The columns but for images, texts and vectors."""
        own = (self.roles.id, self.roles.loss, self.roles.label, self.roles.group)
        return tuple(dict.fromkeys((*(name for name in own if name), *(name for name, _ in self.more))))


def find_shards(folder: Path, roles: Roles) -> ShardSet:
    """The shards of a folder, their columns recognized by the first of them.

    Args:
        roles: named columns; those left open are recognized by their usual names.

    Raises:
        InvalidInput: there are none, the first cannot be read, or it lacks ids, losses, or anything to look at.
    """
    names = tuple(sorted(p.name for p in folder.glob("*.parquet") if p.is_file() and not p.name.startswith(".")))
    if not names:
        raise InvalidInput(
            f"{str(folder)!r} holds no Parquet files. Name a folder of shards: .parquet files with an id, a loss, and "
            "an image, a text or a vector in each row."
        )
    head, pictures = _head(folder / names[0])
    found = recognise(head, roles, pictures)
    chosen = found.roles
    if chosen.image is not None and not roles.texts:
        chosen = replace(chosen, texts=())
    if not chosen.id or not chosen.loss or not (chosen.embedding or chosen.image or chosen.texts):
        lacking = "ids (--id)" if not chosen.id else "losses (--loss)" if not chosen.loss else "images (--image)"
        raise InvalidInput(
            f"{names[0]}: none of its columns {quoted(*head.columns, *pictures)} was recognized as {lacking}. A row of "
            "a shard needs an id, a loss, and an image, a text or a vector. Name the columns."
        )
    taken = {column for columns in chosen.named().values() for column in columns} | {found.class_names}
    more = [(name, _kind(head[name])) for name in head.columns if name not in taken and not is_model_output(name)]
    own = Roles(chosen.id, chosen.image, chosen.texts[:1], chosen.loss, chosen.label, group=chosen.group)
    own = replace(own, embedding=chosen.embedding, higher_is_better=roles.higher_is_better)
    return ShardSet(folder, names, own, tuple((name, kind) for name, kind in more if kind))


def _head(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """The first rows without their images, and the names of the image columns."""
    with readable(path):
        schema = open_parquet(path, Limits()).schema_arrow
    pictures = [field.name for field in schema if is_image_type(field.type)]
    light = [field.name for field in schema if field.name not in pictures]
    first = next(blocks(path, light, _HEAD), None)
    if first is None:
        raise InvalidInput(f"{path.name}: it has no rows, and the columns are told by the first shard. Remove it.")
    return first.to_pandas(), pictures


def _kind(column: pd.Series[Any]) -> str:
    """What a column of the sample holds; "" where it is of no use as a condition."""
    if pd.api.types.is_bool_dtype(column):
        return "bool"
    if pd.api.types.is_numeric_dtype(column):
        return "double"
    return "string" if all(isinstance(value, str) for value in column.dropna().head(_HEAD)) else ""


def blocks(path: Path, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
    """The columns of a Parquet file in order, `rows` rows at a time, the last fewer.

    Raises:
        InvalidInput: the file is damaged, or lacks a column.
    """
    with readable(path):
        schema = open_parquet(path, Limits()).schema_arrow
        if lacking := [name for name in columns if name not in schema.names]:
            raise InvalidInput(
                f"{path.name}: it has no column {quoted(*lacking)}, and every shard must have those of the first. "
                "Write it again, or take it out of the folder."
            )
        with pq.ParquetFile(path, buffer_size=2**20, page_checksum_verification=True) as file:
            waiting = pa.schema([schema.field(name) for name in columns]).empty_table()
            for batch in file.iter_batches(rows, columns=list(columns), use_threads=False):
                waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch]).select(list(columns))])
                while waiting.num_rows >= rows:
                    yield waiting.slice(0, rows)
                    waiting = waiting.slice(rows)
            if waiting.num_rows:
                yield waiting


def texts_in(block: pa.Table, column: str | None) -> list[str | None]:
    """A column's cells as texts, None where missing, as `core.data.tables.cells` writes them."""
    return [] if column is None else [text_of(value) for value in block.column(column).to_pylist()]


def numbers_in(block: pa.Table, column: str, name: str) -> F64:
    """(n,) a column of numbers, nan where missing.

    Raises:
        InvalidInput: it holds something else.
    """
    try:
        return block.column(column).cast(pa.float64()).to_numpy().astype(np.float64)
    except pa.ArrowException as error:
        raise InvalidInput(
            f"{name}: the column {column!r} must hold one number in each row ({str(error)[:80]}). Write it again."
        ) from None


def matrix_in(block: pa.Table, column: str, width: int | None = None) -> F32:
    """(n, width) a column of lists of numbers, nan where the list is missing or has another length.

    Args:
        width: that of the longest list if it is not given.
    """
    lists = block.column(column).combine_chunks()
    lengths = pc.call_function("list_value_length", [lists]).fill_null(0).to_numpy(zero_copy_only=False)
    width = int(lengths.max(initial=0)) if width is None else width
    good = lengths == width
    out = np.full((len(lengths), width), np.nan, np.float32)
    flat = pc.call_function("list_flatten", [lists.filter(pa.array(good))]).cast(pa.float32())
    out[good] = flat.to_numpy(zero_copy_only=False).reshape(-1, width)
    return out


def vector_contents(vectors: F32) -> U64:
    """(n,) a number for each row, the same for equal ones."""
    digests = (hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in vectors)
    return np.frombuffer(b"".join(digests), "<u8")


def digest_of(path: Path, columns: Sequence[str], item: str | None = None) -> str:
    """SHA-256 over the cells of these columns and of the column of items, if these are texts or paths. Of images
    inside the shard the sizes that the file's summary gives must do: they are too many to be read again only to see
    whether they changed."""
    digest = hashlib.sha256()
    for block in blocks(path, columns, LIGHT_ROWS):
        for name in columns:
            if _holds_lists(block.schema.field(name).type):
                digest.update(matrix_in(block, name).tobytes())
            else:
                _add_cells(digest, block, name)
    found = pq.read_metadata(path)
    if item is not None and not is_image_type(found.schema.to_arrow_schema().field(item).type):
        for block in blocks(path, [item], ITEM_ROWS):
            _add_cells(digest, block, item)
        return digest.hexdigest()
    for group in range(found.num_row_groups if item else 0):
        chunks = [found.row_group(group).column(i) for i in range(found.num_columns)]
        own = [c for c in chunks if f"{c.path_in_schema}.".startswith(f"{item}.")]
        sizes = [(c.num_values, c.total_compressed_size, c.total_uncompressed_size) for c in own]
        digest.update(json.dumps(sizes).encode())
    return digest.hexdigest()


def _add_cells(digest: hashlib._Hash, block: pa.Table, name: str) -> None:
    digest.update("\x1f".join(map(str, block.column(name).to_pylist())).encode("utf-8", "surrogatepass"))


def _holds_lists(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def noted(schema: pa.Schema, about: Mapping[str, str]) -> pa.Schema:
    """The schema with a note of what the file was made from, for `notes_of`."""
    return schema.with_metadata({_ABOUT: json.dumps(about)})


def notes_of(path: Path) -> dict[str, str] | None:
    """What a whole file was made from, and its rows; None where there is no such file."""
    try:
        found = pq.read_metadata(path)
        return {**stored_json((found.metadata or {})[_ABOUT]), "rows": str(found.num_rows)}
    except (OSError, pa.ArrowException, KeyError, ValueError):
        return None
