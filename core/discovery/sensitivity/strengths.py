"""How a planted pattern fails: its samples take outcomes of the user's own rows, more of the bad ones the stronger it
is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from core.discovery.design import Design
from core.discovery.ridge.heads import split_by_block
from core.records import F64, I64, Bool, Measure, Outcomes

ERROR_RATES = (0.2, 0.35, 0.5, 0.75, 1.0)
"""Error rates inside a pattern; those above the overall rate by `MIN_RATE_GAP` are planted. Rates that people have a
feeling for, for example "half fail"; conventions, like the factors and deviations below."""
MIN_RATE_GAP = 0.08
LOSS_FACTORS = (1.5, 2.0, 3.0, 5.0)
"""Mean losses inside a pattern, as multiples of the class's mean."""
LOSS_DEVIATIONS = (0.5, 1.0, 2.0)
"""Mean losses in standard deviations above the class's mean, where losses may be negative or leave no room for a
factor."""
MAX_REACH_SHARE = 0.8
"""Share of the way from the mean loss to the largest one: hardly any mixture of the user's losses has a mean beyond it.
A convention."""
MIN_POOL_ROWS = 5
"""A class with fewer failing (or passing) rows borrows those of all classes. A convention."""

Unit = Literal["error rate", "times the mean loss", "deviations of the loss"]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Rows of one kind, those of each class side by side; a class with fewer than MIN_POOL_ROWS takes those of all."""

    rows: I64
    starts: I64
    counts: I64

    @classmethod
    def of(cls, kind: Bool, members: Sequence[I64]) -> Pool:
        """Of the rows where `kind` is True; members: the rows of each class."""
        every = np.flatnonzero(kind)
        pools: list[I64] = []
        for class_rows in members:
            pool = class_rows[kind[class_rows]]
            if len(pool) < MIN_POOL_ROWS:
                pool = every
            pools.append(pool)
        counts = np.array([len(pool) for pool in pools])
        return cls(np.concatenate(pools), np.cumsum(counts) - counts, counts)

    def draw(self, blocks: I64, uniform: F64) -> I64:
        """(s,) a row of the class of each, by (s,) uniform draws."""
        return self.rows[self.starts[blocks] + (uniform * self.counts[blocks]).astype(np.int64)]


@dataclass(frozen=True, slots=True, eq=False)
class ErrorRates:
    """A share of the pattern fails: those samples take the outcomes of failing rows, of their class if it has some."""

    errors: Bool
    blocks: I64
    pools: tuple[Pool, Pool]
    """Passing and failing rows."""
    values: tuple[float, ...]
    base: float
    unit: Unit = "error rate"

    @classmethod
    def of(cls, errors: Bool, blocks: I64) -> ErrorRates:
        base = float(errors.mean())
        members = split_by_block(np.arange(len(errors)), blocks, int(blocks.max()) + 1)
        pools = Pool.of(~errors, members), Pool.of(errors, members)
        values = tuple(rate for rate in ERROR_RATES if rate >= base + MIN_RATE_GAP) or (1.0,)
        return cls(errors, blocks, pools, values, base)

    def sources(self, rows: I64, shuffled: I64, draws: F64, strength: float) -> I64:
        """(s,) the row whose outcome each planted row takes.

        Args:
            rows: (s,) the planted rows. shuffled: (s,) the rows whose outcomes they have without the plant.
            draws: (2, s) uniform; with the same draws and a greater strength no row does better.
        """
        fails = draws[0] < strength
        source = shuffled.copy()
        for kind, pool in enumerate(self.pools):
            at = np.flatnonzero((fails == kind) & (self.errors[shuffled] != kind))
            source[at] = pool.draw(self.blocks[rows[at]], draws[1, at])
        return source


@dataclass(frozen=True, slots=True, eq=False)
class MeanLosses:
    """The pattern's losses are drawn from those of its class, tilted to a higher mean.

    The tilt is exponential: of all ways to weigh the given losses to a mean it departs least from them (Kullback &
    Leibler; Efron 1981, Can. J. Stat. 9(2)). It scales gamma losses, shifts Gaussian ones and raises the rate of 0/1
    ones.
    """

    losses: F64
    blocks: I64
    members: tuple[I64, ...]
    """Of each class its rows, the lowest loss first."""
    values: tuple[float, ...]
    base: float
    unit: Unit
    known: dict[tuple[int, float], F64] = field(default_factory=dict[tuple[int, float], F64])
    """Cumulative weights of a class at a strength."""

    @classmethod
    def of(cls, losses: F64, blocks: I64, unit: Unit | None = None) -> MeanLosses:
        """Strengths of the given unit, or of one that suits the losses."""
        split = split_by_block(np.arange(len(losses)), blocks, int(blocks.max()) + 1)
        members = tuple(rows[np.argsort(losses[rows], kind="stable")] for rows in split)
        base = float(losses.mean())
        spread = float(losses.std())
        room = MAX_REACH_SHARE * float(losses.max() - losses.mean())
        factors: tuple[float, ...] = ()
        if losses.min() >= 0 < base:
            factors = tuple(f for f in LOSS_FACTORS if (f - 1) * base <= room)
        if unit is None and factors:
            unit = "times the mean loss"
        if unit == "times the mean loss":
            return cls(losses, blocks, members, factors, base, unit)
        deviations = tuple(d for d in LOSS_DEVIATIONS if d * spread <= room) or (room / spread,)
        return cls(losses, blocks, members, deviations, base, "deviations of the loss")

    def sources(self, rows: I64, shuffled: I64, draws: F64, strength: float) -> I64:
        """As of `ErrorRates`."""
        source = shuffled.copy()
        for block in np.unique(self.blocks[rows]):
            inside = self.blocks[rows] == block
            at = np.searchsorted(self._cumulated(int(block), strength), draws[0, inside], side="right")
            source[inside] = self.members[block][np.minimum(at, len(self.members[block]) - 1)]
        return source

    def _cumulated(self, block: int, strength: float) -> F64:
        if (block, strength) not in self.known:
            losses = self.losses[self.members[block]]
            lift = strength * losses.std()
            if self.unit == "times the mean loss":
                lift = (strength - 1) * losses.mean()
            target = losses.mean() + min(float(lift), 0.95 * float(losses.max() - losses.mean()))
            self.known[block, strength] = np.cumsum(tilted(losses, target))
        return self.known[block, strength]


Strengths = ErrorRates | MeanLosses
"""Strengths of patterns and the outcomes that make them."""


def strengths_of(outcomes: Outcomes, design: Design, names: tuple[Measure, ...]) -> Strengths:
    """Error rates where they are tested, else mean losses."""
    if outcomes.errors is not None and "error rate" in names:
        return ErrorRates.of(outcomes.errors, design.blocks)
    return MeanLosses.of(outcomes.fitted, design.blocks)


def tilted(values: F64, target: float) -> F64:
    """(n,) weights that add up to 1 and are proportional to exp(t x), with which the mean of the values is `target`,
    which lies from their mean to below their maximum."""
    spread = float(values.std())
    if spread <= 0 or target <= values.mean():
        return np.full(len(values), 1 / len(values))
    x = (values - values.max()) / spread  # at most 0, so that nothing overflows
    low = 0.0
    high = 1.0
    aim = (target - values.max()) / spread

    def weights(t: float) -> F64:
        w = np.exp(t * x)
        return w / w.sum()

    while weights(high) @ x < aim and high < 1e9:
        low = high
        high = 2 * high
    for _ in range(50):
        middle = (low + high) / 2
        if weights(middle) @ x < aim:
            low = middle
        else:
            high = middle
    return weights(high)
