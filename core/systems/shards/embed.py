"""The vectors of a data set in shards: one Parquet file beside each shard, row by row, and the rows of the sample with
their items.

A file is written whole or not at all and says what it was made from, so a run that was stopped goes on with the shards
that are not done.
"""

# pyright: basic
# (pyarrow ships no types, so strict checking would flag every use of it)
from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.data.images.columns import frame_images
from core.data.texts.columns import text_items
from core.embeddings.embed import EncodedItems, encode_images
from core.encoders import Encoder, load_encoder
from core.errors import InvalidInput
from core.files import replacing
from core.records import I64, ItemStore
from core.records.ledger import Ledger
from core.systems.common.picture_files import Files
from core.systems.shards.draw import Drawing, KeyedRows
from core.systems.shards.files import ITEM_ROWS, ShardSet, blocks, digest_of, noted, notes_of, texts_in

KEY = "_errata_key"
ENTRY = "_errata_entry"
"""Columns of the sample's parts: what the cache of embeddings keeps of a row."""
VECTORS = pa.schema(
    [("id", pa.string()), ("vector", pa.list_(pa.float32())), ("content", pa.uint64()), ("why", pa.string())]
)
"""Of a file of vectors: null, and why, where an item could not be read; `content` is the same for equal items."""


@dataclass(frozen=True, slots=True)
class EmbedShards:
    """The job of embedding shards and taking out the rows of the sample; gives the items that could not be read."""

    shards: ShardSet
    work: Path
    """Folder for `vectors/` and `sample/`."""
    encoder: str | None
    """None where the shards hold vectors."""
    drawing: Drawing

    def start(self) -> Callable[[str], int]:
        encoder = None if self.encoder is None else load_encoder(self.encoder)
        return partial(_embed_shard, self, encoder)

    def vectors(self, name: str) -> Path:
        return self.work / "vectors" / name

    def part(self, name: str) -> Path:
        return self.work / "sample" / name


def label_of(encoder: Encoder) -> str:
    """As `core.records.Embeddings.encoder` says it."""
    return f"{encoder.name} {encoder.fingerprint[:12]}"


def _embed_shard(job: EmbedShards, encoder: Encoder | None, name: str) -> int:
    """How many rows were embedded now: none where that was done before."""
    shards = job.shards
    path = job.shards.path(name)
    about = {"shard": digest_of(path, [shards.roles.id or ""], shards.item)}
    if encoder is not None:
        about |= {"encoder": label_of(encoder), "fingerprint": encoder.fingerprint, "space": encoder.finding_space}
    drawn = {
        **about,
        "cells": digest_of(path, [*shards.light, *filter(None, (shards.roles.embedding,))]),
        "below": f"{job.drawing.below} of seed {job.drawing.seed}",
    }
    embeds = encoder is not None and not is_whole(job.vectors(name), about, path)
    takes = not is_whole(job.part(name), drawn)
    if not embeds and not takes:
        return 0
    columns = dict.fromkeys((*shards.light, *filter(None, (shards.item, shards.roles.embedding))))
    n = 0
    with ExitStack() as stack:
        vectors = _writer(stack, job.vectors(name), VECTORS, about) if embeds else None
        part = _writer(stack, job.part(name), part_schema(shards, encoder is not None), drawn) if takes else None
        for block in blocks(path, list(columns), ITEM_ROWS):
            rows = KeyedRows.of(block, shards, job.drawing.seed, name)
            chosen = np.flatnonzero(job.drawing.takes(rows)).astype(np.int64)
            items = None if shards.item is None else _items(block, shards)
            read = None
            if encoder is not None and items is not None:
                seen = np.arange(block.num_rows) if embeds else chosen
                read = _Read(seen, encode_images(items.keep(seen), encoder, modality=shards.modality))
            if vectors is not None and read is not None:
                vectors.write_table(_vectors(rows, read.encoded))
                n += block.num_rows
            if part is not None:
                part.write_table(_taken(name, block, chosen, items, read, job))
    return n


def is_whole(path: Path, about: dict[str, str], shard: Path | None = None) -> bool:
    """Whether the file was made from just that, and has a row for each of the shard's if that is given."""
    found = notes_of(path) or {}
    rows = found.pop("rows", "")
    return found == about and (shard is None or rows == str(pq.read_metadata(shard).num_rows))


def _writer(stack: ExitStack, path: Path, schema: pa.Schema, about: dict[str, str]) -> pq.ParquetWriter:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = stack.enter_context(replacing(path))
    return stack.enter_context(pq.ParquetWriter(part, noted(schema, about), write_page_checksum=True))


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What an encoder made of some rows of a block."""

    rows: I64
    encoded: EncodedItems


def _items(block: pa.Table, shards: ShardSet) -> ItemStore:
    """What the rows of a block show."""
    column = block.column(shards.item or "")
    if shards.modality == "text":
        frame = pd.DataFrame({shards.item: column.to_pylist()})
        return text_items(frame, [shards.item or ""], Ledger(len(frame)))
    cells = column.to_pylist()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return Files(tuple(shards.folder / (cell or "") for cell in cells))
    return frame_images(cells)


def _vectors(rows: KeyedRows, read: EncodedItems) -> pa.Table:
    places = range(len(rows.ids))
    return pa.table(
        {
            "id": rows.ids,
            "vector": [read.entries[i].embedding if i in read.entries else None for i in places],
            "content": [int.from_bytes(read.keys[i][:8], "little") if i in read.keys else None for i in places],
            "why": [read.unreadable.get(i) for i in places],
        },
        VECTORS,
    )


def part_schema(shards: ShardSet, embeds: bool) -> pa.Schema:
    """Of the sample: the same for every shard, however its columns are written."""
    roles = shards.roles
    fields: dict[str, Any] = {name: pa.string() for name in (roles.id, roles.label, roles.group) if name}
    fields |= {roles.loss or "": pa.float64(), **{name: pa.type_for_alias(kind) for name, kind in shards.more}}
    if shards.item is not None:
        fields[shards.item] = pa.string() if shards.modality == "text" else pa.binary()
    if roles.embedding is not None:
        fields[roles.embedding] = pa.list_(pa.float64())
    return pa.schema(list((fields | ({KEY: pa.binary(), ENTRY: pa.binary()} if embeds else {})).items()))


def _taken(
    shard: str, block: pa.Table, chosen: I64, items: ItemStore | None, read: _Read | None, job: EmbedShards
) -> pa.Table:
    """The rows of the sample with their items, whatever files these were in."""
    shards = job.shards
    schema = part_schema(job.shards, read is not None)
    some = block.take(pa.array(chosen))
    texts = {name for name in (shards.roles.id, shards.roles.label, shards.roles.group) if name}
    columns: dict[str, Any] = {name: texts_in(some, name) for name in texts}
    if items is not None:
        columns[shards.item or ""] = (
            some.column(shards.item or "") if shards.modality == "text" else [_bytes_of(items, row) for row in chosen]
        )
    if read is not None:
        place = {int(row): i for i, row in enumerate(read.rows)}
        entries = [read.encoded.entries.get(place[int(row)]) for row in chosen]
        columns[KEY] = [read.encoded.keys.get(place[int(row)]) for row in chosen]
        columns[ENTRY] = [None if entry is None else entry.to_bytes() for entry in entries]
    rest = {name: _cast(some.column(name), schema.field(name), shard) for name in schema.names if name not in columns}
    return pa.table({name: columns.get(name, rest.get(name)) for name in schema.names}, schema)


def _cast(column: pa.ChunkedArray, field: pa.Field, shard: str) -> pa.ChunkedArray:
    """A column in the type that the sample has; whole numbers too long for a float are rounded."""
    try:
        return column.cast(field.type, safe=False)
    except pa.ArrowException as error:
        raise InvalidInput(
            f"{shard}: the column {field.name!r} holds something else than in the first shard ({str(error)[:120]}). "
            "Write it in one type."
        ) from None


def _bytes_of(items: ItemStore, row: int) -> bytes | None:
    """An item's bytes; None where it cannot be read, which the diagnosis then says."""
    try:
        return items.read(int(row))
    except (OSError, ValueError, InvalidInput):  # a path with NUL is a ValueError
        return None
