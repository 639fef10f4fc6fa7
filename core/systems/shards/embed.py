"""Embed a data set in shards: write one Parquet file of vectors for each shard, row by row, and the rows of the sample
with their items.

A file is written whole or not at all and records its source, so a stopped run resumes with the unfinished shards.
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
"""Columns of the sample's parts: a row's key and entry in the cache of embeddings."""
VECTORS_SCHEMA = pa.schema(
    [("id", pa.string()), ("vector", pa.list_(pa.float32())), ("content", pa.uint64()), ("why", pa.string())]
)
"""A file of vectors: `why` gives the reason where an item could not be read and its vector is null; `content` is the
same for equal items."""


@dataclass(frozen=True, slots=True)
class EmbedShards:
    """The job of embedding shards and writing the rows of the sample; its value is each shard's number of rows embedded
    in this run."""

    shards: ShardSet
    work: Path
    """Folder for `vectors/` and `sample/`."""
    encoder: str | None
    """None for shards with a column of vectors."""
    drawing: Drawing

    def start(self) -> Callable[[str], int]:
        encoder = None if self.encoder is None else load_encoder(self.encoder)
        return partial(_embed_shard, self, encoder)

    def vectors(self, name: str) -> Path:
        return self.work / "vectors" / name

    def part(self, name: str) -> Path:
        return self.work / "sample" / name


def label_of(encoder: Encoder) -> str:
    """The encoder's name and fingerprint, as in `core.records.Embeddings.encoder`."""
    return f"{encoder.name} {encoder.fingerprint[:12]}"


def _embed_shard(job: EmbedShards, encoder: Encoder | None, name: str) -> int:
    """The number of rows embedded now; 0 where an earlier run embedded them."""
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
        vectors = None
        part = None
        if embeds:
            vectors = _writer(stack, job.vectors(name), VECTORS_SCHEMA, about)
        if takes:
            part = _writer(stack, job.part(name), part_schema(shards, encoder is not None), drawn)
        for block in blocks(path, list(columns), ITEM_ROWS):
            rows = KeyedRows.of(block, shards, job.drawing.seed, name)
            chosen = np.flatnonzero(job.drawing.takes(rows)).astype(np.int64)
            items = None if shards.item is None else _items(block, shards)
            encoded = None
            if encoder is not None and items is not None:
                seen = np.arange(block.num_rows) if embeds else chosen
                encoded = _EncodedRows(seen, encode_images(items.keep(seen), encoder, modality=shards.modality))
            if vectors is not None and encoded is not None:
                vectors.write_table(_vectors(rows, encoded.items))
                n += block.num_rows
            if part is not None:
                part.write_table(_sample_rows(name, block, chosen, items, encoded, job))
    return n


def is_whole(path: Path, about: dict[str, str], shard: Path | None = None) -> bool:
    """Whether the file was made from `about`, and has as many rows as the shard if one is given."""
    notes = notes_of(path) or {}
    rows = notes.pop("rows", "")
    return notes == about and (shard is None or rows == str(pq.read_metadata(shard).num_rows))


def _writer(stack: ExitStack, path: Path, schema: pa.Schema, about: dict[str, str]) -> pq.ParquetWriter:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = stack.enter_context(replacing(path))
    return stack.enter_context(pq.ParquetWriter(part, noted(schema, about), write_page_checksum=True))


@dataclass(frozen=True, slots=True, eq=False)
class _EncodedRows:
    """The encoded items of some rows of a block."""

    rows: I64
    items: EncodedItems


def _items(block: pa.Table, shards: ShardSet) -> ItemStore:
    """The images or texts of a block's rows."""
    column = block.column(shards.item or "")
    if shards.modality == "text":
        frame = pd.DataFrame({shards.item: column.to_pylist()})
        return text_items(frame, [shards.item or ""], Ledger(len(frame)))
    cells = column.to_pylist()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return Files(tuple(shards.folder / (cell or "") for cell in cells))
    return frame_images(cells)


def _vectors(rows: KeyedRows, items: EncodedItems) -> pa.Table:
    vectors = list[Any]()
    contents = list[int | None]()
    for i in range(len(rows.ids)):
        vectors.append(items.entries[i].embedding if i in items.entries else None)
        contents.append(int.from_bytes(items.keys[i][:8], "little") if i in items.keys else None)
    why = [items.unreadable.get(i) for i in range(len(rows.ids))]
    return pa.table({"id": rows.ids, "vector": vectors, "content": contents, "why": why}, VECTORS_SCHEMA)


def part_schema(shards: ShardSet, embeds: bool) -> pa.Schema:
    """The sample's schema, the same for every shard whatever the types of its columns."""
    roles = shards.roles
    fields: dict[str, Any] = {name: pa.string() for name in (roles.id, roles.label, roles.group) if name}
    fields[roles.loss or ""] = pa.float64()
    for name, kind in shards.more:
        fields[name] = pa.type_for_alias(kind)
    if shards.item is not None:
        fields[shards.item] = pa.string() if shards.modality == "text" else pa.binary()
    if roles.embedding is not None:
        fields[roles.embedding] = pa.list_(pa.float64())
    if embeds:
        fields |= {KEY: pa.binary(), ENTRY: pa.binary()}
    return pa.schema(list(fields.items()))


def _sample_rows(
    shard: str, block: pa.Table, chosen: I64, items: ItemStore | None, encoded: _EncodedRows | None, job: EmbedShards
) -> pa.Table:
    """The rows of the sample with the contents of their items, which may be in files of their own."""
    shards = job.shards
    schema = part_schema(job.shards, encoded is not None)
    part = block.take(pa.array(chosen))
    texts = {name for name in (shards.roles.id, shards.roles.label, shards.roles.group) if name}
    columns: dict[str, Any] = {name: texts_in(part, name) for name in texts}
    if items is not None and shards.modality == "text":
        columns[shards.item or ""] = part.column(shards.item or "")
    elif items is not None:
        contents: list[bytes | None] = []
        for row in chosen.tolist():
            try:
                contents.append(items.read(row))
            except (OSError, ValueError, InvalidInput):  # a path with NUL is a ValueError
                contents.append(None)  # the diagnosis reports it
        columns[shards.item or ""] = contents
    if encoded is not None:
        index = {int(row): i for i, row in enumerate(encoded.rows)}
        entries = [encoded.items.entries.get(index[int(row)]) for row in chosen]
        columns[KEY] = [encoded.items.keys.get(index[int(row)]) for row in chosen]
        columns[ENTRY] = [None if entry is None else entry.to_bytes() for entry in entries]
    for name in schema.names:
        if name not in columns:
            columns[name] = _cast(part.column(name), schema.field(name), shard)
    return pa.table({name: columns[name] for name in schema.names}, schema)


def _cast(column: pa.ChunkedArray, field: pa.Field, shard: str) -> pa.ChunkedArray:
    """A column in the sample's type; rounds integers that are too long for a float."""
    try:
        return column.cast(field.type, safe=False)
    except pa.ArrowException as error:
        raise InvalidInput(
            f"{shard}: the column {field.name!r} has another type than in the first shard ({str(error)[:120]}). Write "
            "it in one type."
        ) from None
