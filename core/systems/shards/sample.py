"""Write the drawn rows as one ordinary table, and diagnose it on one machine."""

# pyright: basic
# (pyarrow ships no types, so strict checking would flag every use of it)
from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from core.data.samples import read_data_set
from core.diagnose import diagnose_data_set
from core.discovery.settings import DEFAULTS, EmbeddingSettings, Settings
from core.embeddings.cache import CachedImage, EmbeddingCache
from core.encoders import encoder_for
from core.errors import InvalidInput
from core.files import replacing
from core.records import Diagnosis, Progress, no_progress
from core.systems.shards.draw import Drawing, draw
from core.systems.shards.embed import ENTRY, KEY, EmbedShards, part_schema
from core.systems.shards.engines import LOCAL, ShardEngine, over_shards
from core.systems.shards.files import ITEM_ROWS, U64, ShardSet, blocks, matrix_in, vector_contents

DEFAULT_SAMPLE_ROWS = 200_000
"""Rows of the search."""
DEFAULT_ENCODER = "embedded"


@dataclass(frozen=True, slots=True, eq=False)
class SearchedSample:
    """A diagnosis of the drawn rows, with what is needed to check it on the others."""

    diagnosis: Diagnosis
    shards: ShardSet
    drawing: Drawing
    work: Path
    contents: U64
    """Sorted numbers, the same for equal items: copies of drawn items are not fresh."""
    embedded: int
    """Rows embedded in this run, not in an earlier one."""


def search_shards(
    shards: ShardSet,
    work: Path,
    *,
    most: int = DEFAULT_SAMPLE_ROWS,
    encoder: str | None = None,
    settings: Settings = DEFAULTS,
    engine: ShardEngine = LOCAL,
    progress: Progress = no_progress,
) -> SearchedSample:
    """Embed all shards, draw a sample of rows and diagnose it as `core.diagnose.diagnose` does.

    Args:
        shards: from `core.systems.shards.files.find_shards`.
        work: folder for vectors and the sample; whole files there are used again.
        most: rows of the sample.
        encoder: encoder of images or texts; for shards with vectors, the encoder for words.
        engine: reads the shards; the search runs in this process.

    Raises:
        InvalidInput: a shard is broken, or the sample cannot be diagnosed.
        MissingDependency: Ray, or a package of the encoder, is not installed.
    """
    drawing = draw(shards, most, settings.seed, engine=engine, progress=progress)
    name = encoder_for(shards.modality, encoder or DEFAULT_ENCODER)
    job = EmbedShards(shards, work, name if shards.roles.embedding is None else None, drawing)
    n_embedded = over_shards(job, shards.names, "Embedding shards", engine=engine, progress=progress)
    table = work / "sample.parquet"
    cache = work / "cache"
    contents = _join_parts(job, table, cache)
    data = read_data_set(table, roles=shards.roles, progress=progress)
    if data.samples.groups is not None and shards.roles.group is None:
        raise InvalidInput(
            f"The column {data.samples.group_name!r} groups related rows, but rows were drawn one by one. Use it as "
            "--group, or remove it from the shards."
        )
    if "higher was better" in data.outcomes.source:
        raise InvalidInput(f"The {data.outcomes.source}: shards need a loss, larger is worse. Write it as a loss.")
    diagnosis = diagnose_data_set(data, EmbeddingSettings(name, cache=cache), settings=settings, progress=progress)
    note = (
        f"Drew these samples from {drawing.n_rows:,} rows in {len(shards.names):,} shards, by hash of {shards.key!r} "
        f"and seed {settings.seed}. Only the check on new data used the other rows."
    )
    diagnosis = replace(diagnosis, notes=(note, *diagnosis.notes))
    return SearchedSample(diagnosis, shards, drawing, work, contents, sum(n_embedded.values()))


def _join_parts(job: EmbedShards, table: Path, cache: Path) -> U64:
    """Write the parts of the sample as one table and put their vectors in the cache; returns the items' contents."""
    vectors = EmbeddingCache(cache) if job.encoder is not None else None
    schema = part_schema(job.shards, embeds=False)
    columns = part_schema(job.shards, vectors is not None).names
    contents = list[int]()
    try:
        with replacing(table) as part, pq.ParquetWriter(part, schema) as writer:
            for name in job.shards.names:
                for block in blocks(job.part(name), columns, ITEM_ROWS):
                    writer.write_table(block.select(schema.names).cast(schema))
                    if vectors is None:
                        contents += vector_contents(matrix_in(block, job.shards.roles.embedding or "")).tolist()
                        continue
                    keys = block.column(KEY).to_pylist()
                    entries = block.column(ENTRY).to_pylist()
                    vectors.put((k, CachedImage.from_bytes(e)) for k, e in zip(keys, entries) if e is not None)
                    contents += [int.from_bytes(key[:8], "little") for key in keys if key is not None]
    finally:
        if vectors is not None:
            vectors.close()
    return np.unique(np.array(contents, np.uint64))
