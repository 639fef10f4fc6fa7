"""Assign every row of every shard by a frozen diagnosis: its predicted loss and cluster, and sums of the losses by
cluster over the rows outside the sample."""

# pyright: basic
# (pyarrow ships no types, so strict checking would flag every use of it)
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from core.checks.fresh_samples import in_scope
from core.data.tables.vectors import unit_rows
from core.discovery.assigner import Assigner
from core.discovery.design import design_of
from core.errors import InvalidInput
from core.files import replacing
from core.records import F32, F64, I64, Bool, Diagnosis, Embeddings, Measure
from core.records.ledger import Ledger
from core.statistics.measures import default_measure
from core.systems.shards.draw import Drawing, KeyedRows
from core.systems.shards.files import LIGHT_ROWS, U64, ShardSet, blocks, matrix_in, notes_of, texts_in, vector_contents

BUCKETS = 1024
"""Buckets of keys, whose sums give the interval of a mean (`core.systems.shards.jackknife`). A convention: with all in
use Student's 95% quantile is 1.962, the normal one 1.960."""
NO_VECTOR = "no vector"
DRAWN = "in the sample"
COPY = "a copy of an item in the sample"
ASSIGNED_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("predicted", pa.float64()),
        ("spread", pa.float64()),
        ("cluster", pa.int64()),
        ("membership", pa.float64()),
        ("drawn", pa.bool_()),
    ]
)
"""One row for each row of a shard: nulls where it could not be assigned, and a null cluster outside all clusters."""


@dataclass(frozen=True, slots=True, eq=False)
class FrozenModel:
    """The parts of a diagnosis of c clusters and k classes that workers need."""

    assigner: Assigner
    class_names: tuple[str, ...]
    scopes: Bool
    """(c, k + 1) whether a class is in a cluster's scope; the last column is for rows without a known class."""
    clip: float | None
    measure: Measure
    """With error rates a loss is 0 or 1."""
    encoder: str

    @classmethod
    def of(cls, diagnosis: Diagnosis) -> FrozenModel:
        names = diagnosis.samples.class_names
        design = design_of(diagnosis)
        labels = np.r_[np.arange(len(names)), -1].astype(np.int64)
        scopes = [in_scope(diagnosis, design, labels, cluster.scope) for cluster in diagnosis.clusters]
        outcomes = diagnosis.outcomes
        return cls(
            diagnosis.model,
            names,
            np.array(scopes, bool).reshape(len(scopes), len(labels)),
            outcomes.clip,
            default_measure(outcomes),
            diagnosis.embeddings.encoder,
        )

    def labels_of(self, texts: list[str | None], n: int) -> I64:
        """(n,) class numbers; -1 without a label and for classes that the sample does not have."""
        if not texts:
            return np.full(n, -1, np.int64)
        number = {name: i for i, name in enumerate(self.class_names)}
        return np.array([number.get(text or "", -1) for text in texts], np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Counts and sums of rows, which add up over shards. c clusters, b buckets."""

    n_rows: int
    n_fresh: int
    """Usable rows outside the sample."""
    left_out: Counter[str]
    """Why rows are not fresh, or unusable -> their number."""
    n_unknown: int
    """Fresh rows with a label that the sample does not have."""
    sizes: I64
    """(c, 2, b) fresh rows in the cluster, and in the rest of its scope."""
    sums: F64
    """(c, 2, b) sums of their losses, clipped as in the diagnosis."""

    def __add__(self, tally: Tally) -> Tally:
        return Tally(
            self.n_rows + tally.n_rows,
            self.n_fresh + tally.n_fresh,
            self.left_out + tally.left_out,
            self.n_unknown + tally.n_unknown,
            self.sizes + tally.sizes,
            self.sums + tally.sums,
        )

    @classmethod
    def empty(cls, n_clusters: int) -> Tally:
        shape = (n_clusters, 2, BUCKETS)
        return cls(0, 0, Counter(), 0, np.zeros(shape, np.int64), np.zeros(shape))


@dataclass(frozen=True, slots=True, eq=False)
class AssignShards:
    """The job of assigning shards; its value is each shard's tally."""

    shards: ShardSet
    work: Path
    drawing: Drawing
    contents: U64 = field(repr=False)
    """Content numbers of the sample's items, sorted."""
    model: FrozenModel = field(repr=False)

    def start(self) -> Callable[[str], Tally]:
        return partial(_assign_shard, self)

    def assigned(self, name: str) -> Path:
        return self.work / "assigned" / name


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    rows: KeyedRows
    labels: I64
    vectors: F32
    """(n, d) unit rows, nan without a vector."""
    contents: U64


def _assign_shard(job: AssignShards, name: str) -> Tally:
    tally = Tally.empty(len(job.model.scopes))
    path = job.assigned(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, pq.ParquetWriter(part, ASSIGNED_SCHEMA) as writer:
        for block in _blocks(job, name):
            if job.model.measure == "error rate":
                loss = block.rows.loss[block.rows.why == ""]
                wrong = loss[~np.isin(loss, (0, 1))]
                if wrong.size:
                    raise InvalidInput(
                        f"{name}: the sample's losses are errors, each 0 or 1, but this shard has {wrong[0]:g}. Write "
                        "errors in all shards, or use another --loss column."
                    )
            there = np.isfinite(block.vectors[:, 0])
            assigner = job.model.assigner
            embeddings = Embeddings(block.vectors[there], job.model.encoder, assigner.space)
            labels = block.labels[there] if len(assigner.class_of_label) else None
            assignment = assigner.assign(embeddings, labels=labels)
            memberships = assignment.memberships[:, : len(job.model.scopes)]
            drawn = job.drawing.takes(block.rows)
            columns = {
                "id": block.rows.ids,
                "predicted": _column(assignment.predicted, there),
                "spread": _column(assignment.spread, there),
                "cluster": _column(assignment.cluster, there, known=assignment.cluster >= 0),
                "membership": _column(memberships.max(1, initial=0.0), there),
                "drawn": drawn,
            }
            writer.write_table(pa.table(columns, ASSIGNED_SCHEMA))
            members = np.zeros((len(there), len(job.model.scopes)), bool)
            members[there] = memberships >= 0.5
            tally += _tally(job, block, members, np.where(drawn, DRAWN, np.where(there, "", NO_VECTOR)))
    return tally


def _column(values: F64 | I64, rows: Bool, known: Bool | bool = True) -> pa.Array:
    """A column with the values at `rows`, null at other rows and where values are not known."""
    column = np.zeros(len(rows), values.dtype)
    column[rows] = values
    mask = np.ones(len(rows), bool)
    mask[rows] = ~np.broadcast_to(known, len(values))
    return pa.array(column, mask=mask)


def _tally(job: AssignShards, block: _Block, members: Bool, why: npt.NDArray[np.str_]) -> Tally:
    """Count and sum a block's fresh rows.

    Args:
        members: (n, c) whether a row is in a cluster.
        why: (n,) why a row is not fresh, as far as the sample and its vector say; "" if fresh.
    """
    copies = np.isin(block.contents, job.contents)
    why = np.where(block.rows.why != "", block.rows.why, np.where((why == "") & copies, COPY, why))
    fresh = why == ""
    model = job.model
    # buckets take the hash's last bits, since its first ones decide which rows are in the sample
    buckets = (block.rows.hashes % BUCKETS).astype(np.int64)
    loss = block.rows.loss
    if model.clip is not None:
        loss = np.minimum(loss, model.clip)
    tally = Tally.empty(len(model.scopes))
    for cluster, scope in enumerate(model.scopes):
        inside = fresh & scope[block.labels]  # label -1 reads the last column
        for side, rows in enumerate((inside & members[:, cluster], inside & ~members[:, cluster])):
            tally.sizes[cluster, side] = np.bincount(buckets[rows], minlength=BUCKETS)
            tally.sums[cluster, side] = np.bincount(buckets[rows], loss[rows], BUCKETS)
    n_unknown = 0
    if len(model.assigner.class_of_label):
        n_unknown = int((fresh & (block.labels < 0)).sum())
    return Tally(len(why), int(fresh.sum()), Counter(why[~fresh].tolist()), n_unknown, tally.sizes, tally.sums)


def _blocks(job: AssignShards, name: str) -> Iterator[_Block]:
    """A shard's rows with their vectors, from its column of vectors or from the file beside it."""
    shards = job.shards
    roles = shards.roles
    width = len(job.model.assigner.features.centre)
    path = shards.path(name)
    if roles.embedding is not None:
        for block in blocks(path, [*shards.light, roles.embedding], LIGHT_ROWS):
            rows = KeyedRows.of(block, shards, job.drawing.seed, name)
            labels = job.model.labels_of(texts_in(block, roles.label), len(rows.ids))
            vectors = matrix_in(block, roles.embedding, width)
            yield _Block(rows, labels, unit_rows(vectors, Ledger(len(vectors))), vector_contents(vectors))
        return
    beside = job.work / "vectors" / name
    if (notes_of(beside) or {}).get("encoder") != job.model.encoder:
        raise InvalidInput(
            f"{name}: its vectors in {beside.parent} are missing, or not of the run's encoder. Run the same command "
            "again."
        )
    light = blocks(path, shards.light, LIGHT_ROWS)
    embedded = blocks(beside, ["id", "vector", "content"], LIGHT_ROWS)
    for block, vectors in zip_longest(light, embedded):
        rows = KeyedRows.of(block, shards, job.drawing.seed, name)
        labels = job.model.labels_of(texts_in(block, roles.label), len(rows.ids))
        if vectors is None or vectors.column("id").to_pylist() != rows.ids:
            raise InvalidInput(f"{name}: its rows changed after they were embedded. Run the same command again.")
        contents = vectors.column("content").fill_null(0).to_numpy()
        yield _Block(rows, labels, matrix_in(vectors, "vector", width), contents)
