"""What a frozen diagnosis says of every row of every shard: predicted loss and cluster, and sums of the losses by
cluster over the rows that the search never saw."""

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
"""Of keys, whose sums carry the interval of a mean (`core.systems.shards.jackknife`)."""
NO_VECTOR = "no vector"
DRAWN = "in the sample"
COPY = "a copy of what is in the sample"
ASSIGNED = pa.schema(
    [
        ("id", pa.string()),
        ("predicted", pa.float64()),
        ("spread", pa.float64()),
        ("cluster", pa.int64()),
        ("membership", pa.float64()),
        ("drawn", pa.bool_()),
    ]
)
"""One row for each of a shard's; null where it could not be assigned, and cluster null in none."""


@dataclass(frozen=True, slots=True, eq=False)
class FrozenModel:
    """What workers need of a diagnosis of c clusters and k classes."""

    assigner: Assigner
    class_names: tuple[str, ...]
    scopes: Bool
    """(c, k + 1) whether samples of a class are of a cluster's scope; the last are of no known class."""
    clip: float | None
    measure: Measure
    """Of error rates a loss is 0 or 1."""
    encoder: str

    @classmethod
    def of(cls, diagnosis: Diagnosis) -> FrozenModel:
        names = diagnosis.samples.class_names
        design = design_of(diagnosis)
        labels = np.r_[np.arange(len(names)), -1].astype(np.int64)
        scopes = [in_scope(diagnosis, design, labels, cluster.scope) for cluster in diagnosis.clusters]
        whole = np.array(scopes, bool).reshape(len(scopes), len(labels))
        outcomes = diagnosis.outcomes
        measure = default_measure(outcomes)
        encoder = diagnosis.embeddings.encoder
        return cls(diagnosis.model, names, whole, outcomes.clip, measure, encoder)

    def labels_of(self, texts: list[str | None], n: int) -> I64:
        """(n,) class numbers, -1 for none and for classes that the sample does not have."""
        number = {name: i for i, name in enumerate(self.class_names)}
        return np.array([number.get(text or "", -1) for text in texts] or np.full(n, -1), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Counts and sums of some rows: what adds up over shards. c clusters, b buckets."""

    n_rows: int
    n_fresh: int
    left_out: Counter[str]
    """Why rows are not fresh, or of no use, with their number."""
    n_unknown: int
    """Fresh rows with a label that the sample does not have."""
    sizes: I64
    """(c, 2, b) fresh rows in the cluster, and in the rest of its scope."""
    sums: F64
    """(c, 2, b) their losses, as the diagnosis takes them (clipped)."""

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.n_rows + other.n_rows,
            self.n_fresh + other.n_fresh,
            self.left_out + other.left_out,
            self.n_unknown + other.n_unknown,
            self.sizes + other.sizes,
            self.sums + other.sums,
        )

    @classmethod
    def empty(cls, n_clusters: int) -> Tally:
        shape = (n_clusters, 2, BUCKETS)
        return cls(0, 0, Counter(), 0, np.zeros(shape, np.int64), np.zeros(shape))


@dataclass(frozen=True, slots=True, eq=False)
class AssignShards:
    """The job of assigning shards; gives the tally of each."""

    shards: ShardSet
    work: Path
    drawing: Drawing
    contents: U64 = field(repr=False)
    """Sorted, of the sample's items."""
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
    """(n, d) unit rows, nan where there is none."""
    contents: U64


def _assign_shard(job: AssignShards, name: str) -> Tally:
    tally = Tally.empty(len(job.model.scopes))
    path = job.assigned(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, pq.ParquetWriter(part, ASSIGNED) as writer:
        for block in _blocks(job, name):
            if job.model.measure == "error rate":
                _check_errors(block.rows, name)
            there = np.isfinite(block.vectors[:, 0])
            assigner = job.model.assigner
            n = len(there)
            of_run = Embeddings(block.vectors[there], job.model.encoder, assigner.space)
            labels = block.labels[there] if len(assigner.class_of_label) else None
            found = assigner.assign(of_run, labels=labels)
            confirmed = found.memberships[:, : len(job.model.scopes)]
            drawn = job.drawing.takes(block.rows)
            columns = {
                "predicted": (found.predicted, True),
                "spread": (found.spread, True),
                "cluster": (found.cluster, found.cluster >= 0),
                "membership": (confirmed.max(1, initial=0.0), True),
            }
            spread_out = {key: _at(values, known, there) for key, (values, known) in columns.items()}
            writer.write_table(pa.table({"id": block.rows.ids, **spread_out, "drawn": drawn}, ASSIGNED))
            members = np.zeros((n, len(job.model.scopes)), bool)
            members[there] = confirmed >= 0.5
            tally += _tally(job, block, members, np.where(drawn, DRAWN, np.where(there, "", NO_VECTOR)))
    return tally


def _check_errors(rows: KeyedRows, name: str) -> None:
    loss = rows.loss[rows.why == ""]
    if (other := loss[~np.isin(loss, (0, 1))]).size:
        raise InvalidInput(
            f"{name}: the losses of the sample are errors, each 0 or 1, and this shard has {other[0]:g}. Write errors "
            "in all shards, or name another column as --loss."
        )


def _at(values: F64 | I64, known: Bool | bool, rows: Bool) -> pa.Array:
    """Values of some rows as a column of all, null elsewhere and where they are not known."""
    whole = np.zeros(len(rows), values.dtype)
    mask = np.ones(len(rows), bool)
    whole[rows], mask[rows] = values, ~np.broadcast_to(known, len(values))
    return pa.array(whole, mask=mask)


def _tally(job: AssignShards, block: _Block, members: Bool, why: npt.NDArray[np.str_]) -> Tally:
    copies = np.isin(block.contents, job.contents)
    why = np.where(block.rows.why != "", block.rows.why, np.where((why == "") & copies, COPY, why))
    fresh = why == ""
    model = job.model
    buckets = (block.rows.hashes % BUCKETS).astype(np.int64)  # the last bits: which rows are drawn say the first
    loss = block.rows.loss if model.clip is None else np.minimum(block.rows.loss, model.clip)
    tally = Tally.empty(len(model.scopes))
    for cluster, scope in enumerate(model.scopes):
        inside = fresh & scope[block.labels]  # -1 reads the last
        for side, rows in enumerate((inside & members[:, cluster], inside & ~members[:, cluster])):
            tally.sizes[cluster, side] = np.bincount(buckets[rows], minlength=BUCKETS)
            tally.sums[cluster, side] = np.bincount(buckets[rows], loss[rows], BUCKETS)
    unknown = int((fresh & (block.labels < 0)).sum()) if len(model.assigner.class_of_label) else 0
    return Tally(len(why), int(fresh.sum()), Counter(why[~fresh].tolist()), unknown, tally.sizes, tally.sums)


def _blocks(job: AssignShards, name: str) -> Iterator[_Block]:
    """A shard's rows with their vectors, from its own column or from the file beside it."""
    shards = job.shards
    width = len(job.model.assigner.features.centre)
    own = shards.roles.embedding
    path = shards.path(name)
    beside = job.work / "vectors" / name
    light = blocks(path, [*shards.light, *([own] if own else [])], LIGHT_ROWS)
    if own is None and (notes_of(beside) or {}).get("encoder") != job.model.encoder:
        raise InvalidInput(
            f"{name}: its vectors in {beside.parent} are gone, or of another encoder than the run's. Run the same "
            "command again to compute them."
        )
    other = () if own else blocks(beside, ["id", "vector", "content"], LIGHT_ROWS)
    for block, vectors in zip_longest(light, other):
        rows = KeyedRows.of(block, shards, job.drawing.seed, name)
        labels = job.model.labels_of(texts_in(block, shards.roles.label), len(rows.ids))
        if own is not None:
            given = matrix_in(block, own, width)
            yield _Block(rows, labels, unit_rows(given, Ledger(len(given))), vector_contents(given))
        elif vectors is None or vectors.column("id").to_pylist() != rows.ids:
            raise InvalidInput(
                f"{name}: its rows are no longer those that were embedded. Run the same command again to "
                "compute their vectors."
            )
        else:
            contents = vectors.column("content").fill_null(0).to_numpy()
            yield _Block(rows, labels, matrix_in(vectors, "vector", width), contents)
