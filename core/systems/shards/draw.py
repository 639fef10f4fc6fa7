"""Draw a simple random sample of the rows of all shards: those whose keys have the smallest hashes.

The sample depends only on the keys and the seed. So neither the order of rows nor their division into shards changes
it, and every worker knows which of its rows are in it. The key is the group where there are groups, so that no group
is split between the sample and the other rows.
"""

# pyright: basic
# (pyarrow ships no types, so strict checking would flag every use of it)
from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.errors import InvalidInput
from core.limits import MIN_SAMPLES
from core.records import F64, Bool, Progress, no_progress
from core.systems.shards.engines import LOCAL, ShardEngine, over_shards
from core.systems.shards.files import LIGHT_ROWS, U64, ShardSet, blocks, numbers_in, texts_in

NO_ID = "no id"
NO_GROUP = "no group"
NO_LOSS = "no finite loss"
"""Why a row is unusable, in the sample and outside."""


def hashes_of(keys: Sequence[str | None], seed: int) -> U64:
    """(n,) a number for each key, uniform over all keys; the same key and seed give the same number."""
    salt = seed.to_bytes(8, "little")
    digests = list[bytes]()
    for key in keys:
        content = (key or "").encode("utf-8", "surrogatepass")
        digests.append(hashlib.blake2b(content, digest_size=8, key=salt).digest())
    return np.frombuffer(b"".join(digests), "<u8")


@dataclass(frozen=True, slots=True, eq=False)
class KeyedRows:
    """The rows of a block with the values that drawing needs."""

    ids: list[str | None]
    hashes: U64
    loss: F64
    why: npt.NDArray[np.str_]
    """(n,) why a row is unusable; "" for usable rows."""

    @classmethod
    def of(cls, block: pa.Table, shards: ShardSet, seed: int, name: str) -> KeyedRows:
        """Read a block with the columns of `shards.light`, from the shard of that name."""
        roles = shards.roles
        ids = texts_in(block, roles.id)
        loss = numbers_in(block, roles.loss or "", name)
        keys = texts_in(block, roles.group) if roles.group else ids
        no_id = np.array([row_id is None for row_id in ids], bool)
        no_key = np.array([key is None for key in keys], bool)
        why = np.select([no_id, no_key, ~np.isfinite(loss)], [NO_ID, NO_GROUP, NO_LOSS], "")
        return cls(ids, hashes_of(keys, seed), loss, why)


@dataclass(frozen=True, slots=True)
class Drawing:
    """The rule that puts rows in the sample."""

    below: int
    """Rows with a smaller hash are in the sample."""
    seed: int
    n_sample: int
    n_rows: int
    """Rows of all shards."""
    left_out: tuple[tuple[str, int], ...] = ()
    """(why, number) of unusable rows."""

    def takes(self, rows: KeyedRows) -> Bool:
        """(n,) whether each row is in the sample."""
        return (rows.why == "") & (rows.hashes < np.uint64(self.below))


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    n_rows: int
    lowest: U64
    left_out: Counter[str] = field(default_factory=Counter[str])


@dataclass(frozen=True, slots=True)
class _CountRows:
    shards: ShardSet
    most: int
    seed: int

    def start(self) -> Callable[[str], _Counted]:
        return partial(_count, self)


def _count(job: _CountRows, name: str) -> _Counted:
    n = 0
    why = Counter[str]()
    lowest = np.zeros(0, np.uint64)
    for block in blocks(job.shards.path(name), job.shards.light, LIGHT_ROWS):
        rows = KeyedRows.of(block, job.shards, job.seed, name)
        n += len(rows.ids)
        why.update(reason for reason in rows.why.tolist() if reason)
        lowest = _lowest(np.concatenate([lowest, rows.hashes[rows.why == ""]]), job.most)
    return _Counted(n, lowest, why)


def _lowest(hashes: U64, most: int) -> U64:
    """The `most` + 1 smallest hashes, one more than may be drawn."""
    if len(hashes) <= most + 1:
        return hashes
    return np.partition(hashes, most)[: most + 1]


def draw(
    shards: ShardSet, most: int, seed: int = 0, *, engine: ShardEngine = LOCAL, progress: Progress = no_progress
) -> Drawing:
    """Draw a sample of at most `most` rows.

    Raises:
        InvalidInput: a shard is broken, or the sample would have all rows or too few.
    """
    if most < MIN_SAMPLES:
        raise InvalidInput(f"The sample needs at least {MIN_SAMPLES} rows: got {most}. Use --sample 200000.")
    counted = over_shards(
        _CountRows(shards, most, seed), shards.names, "Counting shards", engine=engine, progress=progress
    )
    n_rows = 0
    lowest = np.zeros(0, np.uint64)
    left_out = Counter[str]()
    for shard in counted.values():
        n_rows += shard.n_rows
        lowest = _lowest(np.concatenate([lowest, shard.lowest]), most)
        left_out += shard.left_out
    usable = n_rows - left_out.total()
    if usable <= most:
        raise InvalidInput(
            f"A sample of {most:,} would take all {usable:,} usable rows and leave none to check the findings. Lower "
            "--sample, or diagnose the rows as one table."
        )
    # the bound is the hash of the first key outside, so a group is drawn whole or not at all
    below = int(lowest.max())
    drawn = int((lowest < below).sum())
    if drawn < MIN_SAMPLES:
        raise InvalidInput(
            f"The sample has {drawn:,} rows, because groups are drawn whole, and needs at least {MIN_SAMPLES}. Raise "
            "--sample, or use another --group column."
        )
    return Drawing(below, seed, drawn, n_rows, tuple(sorted(left_out.items())))
