"""Permutations of rows within strata (the classes) that move whole groups of rows, even across strata."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.records import F64, I64, Bool

MAX_SIZE_RATIO = 2
"""Groups more than this much larger are not exchanged with smaller ones: where large groups vary more, the null would
not reflect it. Without the bound, with 9 groups of 10 among 300 single rows, or 6 of 30 among 60 pairs, a third to a
half of 60 runs claimed; with it 1 and 3 of 40."""
MIN_BIN_GROUPS = 10
"""Groups of similar size in a bin, where sizes allow it: enough exchanges for a null. A convention."""


class Permuter:
    """Draws permutations of rows that exchange only what is exchangeable.

    Args:
        strata: (n,) rows take values of rows of their stratum only (the class, split by the clusters confirmed so far).
        groups: (n,) or None. With groups, a whole group takes the losses of another group.
        values: (n,) or (n, m) values to permute; only needed where groups hold rows of several strata
            (`CrossingGroups`), which are ordered by the first column, then by the next.
        classes: (n,) coarser than the strata; by default the strata. Groups inside one class are exchanged only with
            groups of that class.

    Groups of unequal size cannot be exchanged exactly. They are exchanged within bins of similar size (MIN_BIN_GROUPS a
    bin or more where sizes allow it, none more than MAX_SIZE_RATIO as large as the smallest); a group that receives
    from a smaller one repeats values, from a larger one takes a part, and one that is alone in its bin keeps its
    rows. Departure from an exact test: the spread within the bin (cost: `research/evidence/honesty.py`).

    Raises:
        ValueError: groups cross strata and `values` is None.
    """

    def __init__(
        self, strata: I64, groups: I64 | None = None, values: F64 | None = None, classes: I64 | None = None
    ) -> None:
        self.n = len(strata)
        self.blocks = list[I64]()
        self.bins = list[list[I64]]()
        self.crossing = list[CrossingGroups]()
        self.exchange_schemes: tuple[Permuter, ...] = (self,)
        """Schemes whose nulls must all be passed. Where groups cross strata there is a second one: it keeps exactly
        what a group's rows of one stratum have in common, but not what they share with its rows of other strata."""
        self.grouped = groups is not None and len(np.unique(groups)) < self.n
        if groups is None or not self.grouped:
            self.blocks = [np.flatnonzero(strata == s) for s in np.unique(strata)]
            return
        if classes is None:
            classes = strata
        pure, crossing = _pools(strata, groups, classes)
        for pool in pure:
            self.bins += _binned(pool)
        if not crossing:
            return
        if values is None:
            raise ValueError("Groups cross strata: to exchange them, the values are needed.")
        order = np.unique(values.reshape(self.n, -1), axis=0, return_inverse=True)[1].reshape(-1)
        self.crossing = [CrossingGroups.of(list(_binned(pool)), strata, order) for pool in crossing]
        apart = np.unique(np.stack([groups, strata], 1), axis=0, return_inverse=True)[1].reshape(-1)
        self.exchange_schemes = (self, Permuter(strata, apart))

    def draw(self, count: int, rng: np.random.Generator) -> I64:
        """(n, count) row numbers: `values[draw]` has a permuted copy of `values` in each column."""
        if self.blocks:
            return self._shuffled(count, rng).T
        source = np.empty((self.n, count), dtype=np.int64)
        for groups in self.bins:
            _draw_groups(source, groups, count, rng)
        for pool in self.crossing:
            source[pool.rows] = pool.draw(count, rng)
        return source

    def _shuffled(self, count: int, rng: np.random.Generator) -> I64:
        """(count, n) each block shuffled by itself; blocks are contiguous, so that a draw is one piece of memory."""
        laid = np.empty((count, self.n), np.int64)
        position = np.empty(self.n, np.int64)
        start = 0
        for rows in self.blocks:
            end = start + len(rows)
            block = laid[:, start:end]
            block[:] = rows
            rng.permuted(block, axis=1, out=block)
            position[rows] = np.arange(start, end)
            start = end
        return laid.take(position, axis=1)


def _pools(strata: I64, groups: I64, classes: I64) -> tuple[list[list[I64]], list[list[I64]]]:
    """Groups as lists of rows: first those inside each stratum; then those that cross strata, by class, the ones that
    cross classes together."""
    order = np.argsort(groups, kind="stable")
    pure = dict[int, list[I64]]()
    crossing = dict[int, list[I64]]()
    for rows in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        if (strata[rows] == strata[rows[0]]).all():
            pure.setdefault(int(strata[rows[0]]), []).append(rows)
        else:
            key = -1
            if (classes[rows] == classes[rows[0]]).all():
                key = int(classes[rows[0]])
            crossing.setdefault(key, []).append(rows)
    return [pure[key] for key in sorted(pure)], [crossing[key] for key in sorted(crossing)]


def _binned(groups: Sequence[I64]) -> Iterator[list[I64]]:
    """Groups of similar size, the small ones first."""
    pool = sorted(groups, key=len)
    current = list[I64]()
    for i, rows in enumerate(pool):
        left = len(pool) - i
        enough = len(current) >= MIN_BIN_GROUPS and len(rows) != len(current[-1]) and left >= MIN_BIN_GROUPS
        if enough or (current and len(rows) > MAX_SIZE_RATIO * len(current[0])):
            yield current
            current = []
        current.append(rows)
    yield current


def _draw_groups(source: I64, members: list[I64], count: int, rng: np.random.Generator) -> None:
    """Fill `source` for the rows of `members`: each group takes the rows of another, in order from a random row and
    around."""
    sizes = np.array([len(m) for m in members])
    padded = np.zeros((len(members), sizes.max()), dtype=np.int64)
    for group, rows in enumerate(members):
        padded[group, : len(rows)] = rows
    giver = rng.permuted(np.repeat(np.arange(len(members))[:, None], count, axis=1), axis=0)
    start = rng.integers(0, 1 << 30, giver.shape)
    for position in range(sizes.max()):
        receivers = np.flatnonzero(sizes > position)
        givers = giver[receivers]
        source[padded[receivers, position]] = padded[givers, (position + start[receivers]) % sizes[givers]]


@dataclass(frozen=True, slots=True, eq=False)
class CrossingGroups:
    """Groups of m rows that hold rows of several strata, exchanged so that each stratum keeps exactly the values that
    it has.

    A group passes on the ranks of its rows within their strata, not their values. A row takes the rank of a row of its
    own stratum in the giving group, or of any of its rows where that has none; then the values of a stratum go to its
    rows in the order of the ranks that they took. Ties are broken at random in each draw. So rows of a class in which
    2% are wrong stay wrong in 2%, and rows of one group still fail together. That groups do to the
    ranks of their rows alike in all strata is taken for granted here, and that is not enough: where a class has groups
    nearly of its own, what they have in common is lost among those of others. So the second of
    `Permuter.exchange_schemes` must be passed too.
    Exchanging values (centered and scaled by class) claimed in .120 [.073, .183] of nulls whose two classes are wrong
    in 2 and 50% (`research/evidence/counterexamples.py`, "groups: across two classes").
    """

    rows: I64
    """(m,) row numbers, group by group, those of a stratum side by side."""
    strata: I64
    """(m,) 0, 1, ..."""
    group: I64
    """(m,) number of each row's group."""
    whole: _Runs
    """The rows of each group."""
    parts: _Runs
    """The rows of each group and stratum."""
    bins: tuple[I64, ...]
    """Numbers of the groups that are exchanged with each other."""
    low: F64
    """(m,) share of the stratum's rows that have a smaller value."""
    tied: F64
    """(m,) share of them that have the same value, the row itself among them."""
    by_value: I64
    """(m,) positions of the rows, stratum by stratum, the smallest value first."""

    @classmethod
    def of(cls, bins: Sequence[Sequence[I64]], strata: I64, values: F64 | I64) -> CrossingGroups:
        members: list[I64] = []
        for bin in bins:
            members += [rows[np.argsort(strata[rows], kind="stable")] for rows in bin]
        sizes = np.array([len(rows) for rows in members])
        bounds = np.cumsum([len(bin) for bin in bins])
        rows = np.concatenate(members)
        stratum = np.unique(strata[rows], return_inverse=True)[1]
        at = values[rows]
        by_value = np.lexsort((at, stratum))
        n_of = np.bincount(stratum)
        ordered = stratum[by_value]
        first = np.r_[True, (np.diff(ordered) != 0) | (np.diff(at[by_value]) != 0)]
        run = np.cumsum(first) - 1  # rows of one stratum and one value
        start = np.flatnonzero(first)[run] - (np.cumsum(n_of) - n_of)[ordered]
        low = np.empty(len(rows))
        tied = np.empty(len(rows))
        low[by_value] = start / n_of[ordered]
        tied[by_value] = np.bincount(run)[run] / n_of[ordered]
        group = np.repeat(np.arange(len(members)), sizes)
        return cls(
            rows, stratum, group, _Runs.of(group), _Runs.of(group * len(n_of) + stratum),
            tuple(np.split(np.arange(len(members)), bounds[:-1])), low, tied, by_value,
        )  # fmt: skip

    def draw(self, count: int, rng: np.random.Generator) -> I64:
        """(m, count) row numbers for `rows`."""
        giver = np.empty((int(self.group[-1]) + 1, count), dtype=np.int64)
        for bin in self.bins:
            giver[bin] = rng.permuted(np.repeat(bin[:, None], count, axis=1), axis=0)
        source = self._sources(giver, rng.integers(0, 1 << 30, giver.shape))
        taken = self.low[source] + self.tied[source] * rng.random(source.shape)
        order = np.argsort(np.minimum(taken, 1 - 1e-9) + self.strata[:, None], axis=0)
        drawn = np.empty_like(order)
        np.put_along_axis(drawn, order, np.broadcast_to(self.rows[self.by_value][:, None], order.shape), axis=0)
        return drawn

    def _sources(self, giver: I64, start: I64) -> I64:
        """(m, count) positions of the rows whose rank each row takes, in order from a random row of the giving group
        and around."""
        whole = self.whole
        parts = self.parts
        givers = giver[self.group]
        shift = start[self.group]
        at, has_stratum = parts.find(givers * (int(self.strata.max()) + 1) + self.strata[:, None])
        same_stratum = parts.first[at] + (parts.offset[:, None] + shift) % parts.size[at]
        any_row = whole.first[givers] + (whole.offset[:, None] + shift) % whole.size[givers]
        return np.where(has_stratum, same_stratum, any_row)


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """Runs of equal keys in (m,) ascending keys: the key, first position and size of each run, and the offset of each
    position in its run."""

    keys: I64
    first: I64
    size: I64
    offset: I64

    @classmethod
    def of(cls, ascending: I64) -> _Runs:
        keys, first, run, size = np.unique(ascending, return_index=True, return_inverse=True, return_counts=True)
        return cls(keys, first, size, np.arange(len(ascending)) - first[run])

    def find(self, keys: I64) -> tuple[I64, Bool]:
        """The run of each key, and whether there is one."""
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return at, self.keys[at] == keys
