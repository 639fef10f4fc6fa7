"""A simple random sample of the rows of all shards: those whose key has one of the smallest hashes.

Which rows it holds depends on the keys and the seed alone, so neither the order of rows nor how they are cut into
shards changes it, and every worker knows without asking which of its rows are in it. The key is the group where there
are groups, so that none is part in the sample and part outside.
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
"""Why a row is neither in the sample nor beside it."""


def hashes_of(keys: Sequence[str | None], seed: int) -> U64:
    """(n,) a number for each key, uniform over all keys; the same key and seed give the same."""
    salt = seed.to_bytes(8, "little")
    digests = (hashlib.blake2b((key or "").encode("utf-8", "surrogatepass"), digest_size=8, key=salt) for key in keys)
    return np.frombuffer(b"".join(digest.digest() for digest in digests), "<u8")


@dataclass(frozen=True, slots=True, eq=False)
class KeyedRows:
    """The rows of a block as far as drawing goes."""

    ids: list[str | None]
    hashes: U64
    loss: F64
    why: npt.NDArray[np.str_]
    """(n,) why a row cannot be used; "" where it can."""

    @classmethod
    def of(cls, block: pa.Table, shards: ShardSet, seed: int, name: str) -> KeyedRows:
        """Of a block with the columns of `shards.light`, from the shard of that name."""
        roles = shards.roles
        ids = texts_in(block, roles.id)
        loss = numbers_in(block, roles.loss or "", name)
        keys = texts_in(block, roles.group) if roles.group else ids
        no_id, no_key = (np.array([key is None for key in each], bool) for each in (ids, keys))
        why = np.select([no_id, no_key, ~np.isfinite(loss)], [NO_ID, NO_GROUP, NO_LOSS], "")
        return cls(ids, hashes_of(keys, seed), loss, why)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Which rows are in the sample."""

    below: int
    """Those whose hash is below it."""
    seed: int
    n_sample: int
    n_rows: int
    """Of all shards."""
    left_out: tuple[tuple[str, int], ...] = ()
    """(why, rows) that can be used by nobody."""

    def takes(self, rows: KeyedRows) -> Bool:
        """(n,) whether each is in the sample."""
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
    """The smallest of them, one more than may be drawn."""
    return hashes if len(hashes) <= most + 1 else np.partition(hashes, most)[: most + 1]


def draw(
    shards: ShardSet, most: int, seed: int = 0, *, engine: ShardEngine = LOCAL, progress: Progress = no_progress
) -> Drawing:
    """Which at most so many rows are in the sample.

    Raises:
        InvalidInput: a shard is broken, all rows would be in the sample, or too few.
    """
    if most < MIN_SAMPLES:
        raise InvalidInput(
            f"A sample needs at least {MIN_SAMPLES} rows to test anything: got {most}. Usual is 200,000."
        )
    counted = over_shards(
        _CountRows(shards, most, seed), shards.names, "count shards", engine=engine, progress=progress
    )
    lowest = np.zeros(0, np.uint64)
    left_out = Counter[str]()
    for found in counted.values():
        lowest = _lowest(np.concatenate([lowest, found.lowest]), most)
        left_out += found.left_out
    n_rows = sum(found.n_rows for found in counted.values())
    usable = n_rows - left_out.total()
    if usable <= most:
        raise InvalidInput(
            f"All {usable:,} rows that can be used would be in the sample of {most:,}, and none would be left to try "
            "the findings on. Make the sample smaller (--sample), or diagnose the rows as one table."
        )
    below = int(lowest.max())  # of the first key that is left out: so a group is in whole or not at all
    drawn = int((lowest < below).sum())
    if drawn < MIN_SAMPLES:
        raise InvalidInput(
            f"Only {drawn:,} rows are in the sample, since groups are drawn whole, and at least {MIN_SAMPLES} are "
            "needed. Make it larger (--sample), or name another column as --group."
        )
    return Drawing(below, seed, drawn, n_rows, tuple(sorted(left_out.items())))
