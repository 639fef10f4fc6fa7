"""The drawn rows as one ordinary table, and its diagnosis on one machine."""

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

DEFAULT_SAMPLE = 200_000
"""Rows that are searched."""
ENCODER = "embedded"
"""Where none is named."""


@dataclass(frozen=True, slots=True, eq=False)
class SearchedSample:
    """A diagnosis of the drawn rows, and what it takes to try it on the others."""

    diagnosis: Diagnosis
    shards: ShardSet
    drawing: Drawing
    work: Path
    contents: U64
    """Sorted; the same number for equal items: copies of drawn items are not fresh."""
    embedded: int
    """Rows that were embedded in this run, and not in one before."""


def search_shards(
    shards: ShardSet,
    work: Path,
    *,
    most: int = DEFAULT_SAMPLE,
    encoder: str | None = None,
    settings: Settings = DEFAULTS,
    engine: ShardEngine = LOCAL,
    progress: Progress = no_progress,
) -> SearchedSample:
    """Embed all shards, draw a sample of rows and diagnose that as `core.diagnose.diagnose` does.

    Args:
        shards: of `core.systems.shards.files.find_shards`.
        work: folder for vectors and the sample; what is whole there is not made again.
        most: rows of the sample.
        encoder: of images or texts; of shards that hold vectors it finds the words.
        engine: who reads the shards; the search is made in this process.

    Raises:
        InvalidInput: a shard is broken, or the sample cannot be diagnosed; the message says what to do.
        MissingDependency: Ray, or what the encoder needs, is not installed.
    """
    drawing = draw(shards, most, settings.seed, engine=engine, progress=progress)
    name = encoder_for(shards.modality, encoder or ENCODER)
    job = EmbedShards(shards, work, name if shards.roles.embedding is None else None, drawing)
    done = over_shards(job, shards.names, "embed shards", engine=engine, progress=progress)
    table = work / "sample.parquet"
    cache = work / "cache"
    contents = _joined(job, table, cache)
    audit = read_data_set(table, roles=shards.roles, progress=progress)
    if audit.samples.groups is not None and shards.roles.group is None:
        raise InvalidInput(
            f"The rows come in groups, as {audit.samples.group_name!r} says, and the sample was drawn row by row. Name "
            "that column with --group, so that no group is on both sides; or leave it out of the shards."
        )
    if "higher was better" in audit.outcomes.source:
        raise InvalidInput(f"The {audit.outcomes.source}: shards need a loss, larger is worse. Write it as one.")
    diagnosis = diagnose_data_set(audit, EmbeddingSettings(name, cache=cache), settings=settings, progress=progress)
    note = (
        f"These samples were drawn from {drawing.n_rows:,} rows in {len(shards.names):,} shards, by hash of "
        f"{shards.key!r} and seed {settings.seed}; nothing in this run looked at the others but the prediction."
    )
    diagnosis = replace(diagnosis, notes=(note, *diagnosis.notes))
    return SearchedSample(diagnosis, shards, drawing, work, contents, sum(done.values()))


def _joined(job: EmbedShards, table: Path, cache: Path) -> U64:
    """Write the parts of the sample as one table and put their vectors in the cache; returns the items' contents."""
    entries = EmbeddingCache(cache) if job.encoder is not None else None
    schema = part_schema(job.shards, embeds=False)
    contents = list[int]()
    try:
        with replacing(table) as part, pq.ParquetWriter(part, schema) as writer:
            for name in job.shards.names:
                for block in blocks(job.part(name), part_schema(job.shards, entries is not None).names, ITEM_ROWS):
                    writer.write_table(block.select(schema.names).cast(schema))
                    if entries is not None:
                        keys, read = (block.column(column).to_pylist() for column in (KEY, ENTRY))
                        entries.put((k, CachedImage.from_bytes(e)) for k, e in zip(keys, read) if e is not None)
                        contents += [int.from_bytes(key[:8], "little") for key in keys if key is not None]
                    else:
                        contents += vector_contents(matrix_in(block, job.shards.roles.embedding or "")).tolist()
    finally:
        if entries is not None:
            entries.close()
    return np.unique(np.array(contents, np.uint64))
