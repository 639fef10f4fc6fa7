"""A data set in many Parquet files ("shards"): recognize its columns, and read its rows in blocks."""

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
"""Rows of a block with their images, and without."""
HEAD_ROWS = 1_000
"""Rows of the first shard from which columns are recognized."""
_NOTES_KEY = b"errata"
"""Entry of a written file's metadata that records its source."""


@dataclass(frozen=True, slots=True)
class ShardSet:
    """The Parquet files of a folder, one data set with one set of columns."""

    folder: Path
    names: tuple[str, ...]
    """File names, sorted."""
    roles: Roles
    """`id` and `loss`, maybe `label` and `group`, and a row's item: `embedding`, `image` or one of `texts`."""
    more: tuple[tuple[str, str], ...] = ()
    """Other columns and their types ("double", "string", "bool"), which may explain a failure in the sample."""

    def path(self, name: str) -> Path:
        return self.folder / name

    @property
    def item(self) -> str | None:
        """The column of images or texts."""
        return self.roles.image or next(iter(self.roles.texts), None)

    @property
    def modality(self) -> str:
        return "text" if self.roles.texts else "image"

    @property
    def key(self) -> str:
        """The column by which rows are drawn: whole groups where there are groups."""
        return self.roles.group or self.roles.id or ""

    @property
    def light(self) -> tuple[str, ...]:
        """The columns except images, texts and vectors."""
        roles = (self.roles.id, self.roles.loss, self.roles.label, self.roles.group)
        columns = [name for name in roles if name]
        columns += [name for name, _ in self.more]
        return tuple(dict.fromkeys(columns))


def find_shards(folder: Path, roles: Roles) -> ShardSet:
    """Find the shards of a folder, and recognize their columns in the first one.

    Args:
        roles: named columns; the others are recognized by their usual names.

    Raises:
        InvalidInput: the folder has no shards, the first cannot be read, or it lacks ids, losses or items.
    """
    names = tuple(sorted(p.name for p in folder.glob("*.parquet") if p.is_file() and not p.name.startswith(".")))
    if not names:
        raise InvalidInput(
            f"{str(folder)!r} contains no Parquet files. Use a folder of .parquet files with an id, a loss, and an "
            "image, a text or a vector in each row."
        )
    head, image_columns = _head(folder / names[0])
    recognized = recognise(head, roles, image_columns)
    chosen = recognized.roles
    if chosen.image is not None and not roles.texts:
        chosen = replace(chosen, texts=())
    missing = ""
    if not chosen.id:
        missing = "ids (--id)"
    elif not chosen.loss:
        missing = "losses (--loss)"
    elif not (chosen.embedding or chosen.image or chosen.texts):
        missing = "images (--image)"
    if missing:
        raise InvalidInput(
            f"{names[0]}: none of the columns {quoted(*head.columns, *image_columns)} is recognized as {missing}. "
            "Shards need ids, losses, and images, texts or vectors. Add these options."
        )
    taken = {recognized.class_names}
    for columns in chosen.named().values():
        taken |= set(columns)
    more = list[tuple[str, str]]()
    for name in head.columns:
        if name not in taken and not is_model_output(name):
            kind = _kind(head[name])
            if kind:
                more.append((name, kind))
    shard_roles = Roles(
        chosen.id,
        chosen.image,
        chosen.texts[:1],
        chosen.loss,
        chosen.label,
        group=chosen.group,
        embedding=chosen.embedding,
        higher_is_better=roles.higher_is_better,
    )
    return ShardSet(folder, names, shard_roles, tuple(more))


def _head(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """The first rows without their images, and the names of the image columns."""
    with readable(path):
        schema = open_parquet(path, Limits()).schema_arrow
    image_columns = [field.name for field in schema if is_image_type(field.type)]
    light = [field.name for field in schema if field.name not in image_columns]
    first = next(blocks(path, light, HEAD_ROWS), None)
    if first is None:
        raise InvalidInput(f"{path.name}: the first shard must have rows, to recognize the columns. Remove it.")
    return first.to_pandas(), image_columns


def _kind(column: pd.Series[Any]) -> str:
    """A column's type in the sample; "" if it cannot serve as a condition."""
    if pd.api.types.is_bool_dtype(column):
        return "bool"
    if pd.api.types.is_numeric_dtype(column):
        return "double"
    if all(isinstance(value, str) for value in column.dropna().head(HEAD_ROWS)):
        return "string"
    return ""


def blocks(path: Path, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
    """The columns of a Parquet file in order, in blocks of `rows` rows; the last block may have fewer.

    Raises:
        InvalidInput: the file is damaged, or lacks a column.
    """
    with readable(path):
        schema = open_parquet(path, Limits()).schema_arrow
        missing = [name for name in columns if name not in schema.names]
        if missing:
            raise InvalidInput(
                f"{path.name}: lacks the column {quoted(*missing)} of the first shard. Write it again, or remove it."
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
    """A column's cells as texts, None where missing, as `core.data.tables.cells` writes them; [] without a column."""
    if column is None:
        return []
    return [text_of(value) for value in block.column(column).to_pylist()]


def numbers_in(block: pa.Table, column: str, name: str) -> F64:
    """(n,) a column of numbers, nan where missing.

    Raises:
        InvalidInput: the column has other values.
    """
    try:
        return block.column(column).cast(pa.float64()).to_numpy().astype(np.float64)
    except pa.ArrowException as error:
        raise InvalidInput(
            f"{name}: the column {column!r} must have one number in each row ({str(error)[:80]}). Write it again."
        ) from None


def matrix_in(block: pa.Table, column: str, width: int | None = None) -> F32:
    """(n, width) a column of lists of numbers, nan where the list is missing or has another length.

    Args:
        width: None takes the length of the longest list.
    """
    lists = block.column(column).combine_chunks()
    lengths = pc.call_function("list_value_length", [lists]).fill_null(0).to_numpy(zero_copy_only=False)
    if width is None:
        width = int(lengths.max(initial=0))
    good = lengths == width
    out = np.full((len(lengths), width), np.nan, np.float32)
    flat = pc.call_function("list_flatten", [lists.filter(pa.array(good))]).cast(pa.float32())
    out[good] = flat.to_numpy(zero_copy_only=False).reshape(-1, width)
    return out


def vector_contents(vectors: F32) -> U64:
    """(n,) a number for each row, the same for equal rows."""
    digests = (hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in vectors)
    return np.frombuffer(b"".join(digests), "<u8")


def digest_of(path: Path, columns: Sequence[str], item: str | None = None) -> str:
    """SHA-256 over the cells of these columns and of the column of items, if the items are texts or paths.

    For images inside the shard it covers only the sizes in the file's metadata: reading all images again just to see
    whether they changed would take too long.
    """
    digest = hashlib.sha256()
    for block in blocks(path, columns, LIGHT_ROWS):
        for name in columns:
            kind = block.schema.field(name).type
            if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
                digest.update(matrix_in(block, name).tobytes())
            else:
                _add_cells(digest, block, name)
    if item is None:
        return digest.hexdigest()
    metadata = pq.read_metadata(path)
    if not is_image_type(metadata.schema.to_arrow_schema().field(item).type):
        for block in blocks(path, [item], ITEM_ROWS):
            _add_cells(digest, block, item)
        return digest.hexdigest()
    for group in range(metadata.num_row_groups):
        chunks = [metadata.row_group(group).column(i) for i in range(metadata.num_columns)]
        item_chunks = [c for c in chunks if f"{c.path_in_schema}.".startswith(f"{item}.")]
        sizes = [(c.num_values, c.total_compressed_size, c.total_uncompressed_size) for c in item_chunks]
        digest.update(json.dumps(sizes).encode())
    return digest.hexdigest()


def _add_cells(digest: hashlib._Hash, block: pa.Table, name: str) -> None:
    digest.update("\x1f".join(map(str, block.column(name).to_pylist())).encode("utf-8", "surrogatepass"))


def noted(schema: pa.Schema, about: Mapping[str, str]) -> pa.Schema:
    """The schema with a note of the file's source, for `notes_of`."""
    return schema.with_metadata({_NOTES_KEY: json.dumps(about)})


def notes_of(path: Path) -> dict[str, str] | None:
    """The source of a whole file, and its number of rows; None if the file is missing or not whole."""
    try:
        metadata = pq.read_metadata(path)
        return {**stored_json((metadata.metadata or {})[_NOTES_KEY]), "rows": str(metadata.num_rows)}
    except (OSError, pa.ArrowException, KeyError, ValueError):
        return None
