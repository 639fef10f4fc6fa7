"""Data with nothing to find, made awkward: rows whose mean loss is the same at every embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from core.errors import InvalidInput
from core.records import F64, I64, Bool, Embeddings
from research.scoreboard.planted_embeddings import World, check_kind, check_sizes

NullKind = Literal["errors", "heavy tail", "unequal variance", "skewed", "left-skewed", "grouped"]


@dataclass(frozen=True, slots=True, eq=False)
class NullSet:
    """Rows whose mean loss is the same at every embedding, so that every finding among them is false."""

    embeddings: Embeddings
    labels: I64
    losses: F64
    groups: I64 | None
    kind: NullKind
    seed: int
    errors: Bool | None = None


def make_null(kind: NullKind, *, seed: int, n: int = 2000, dimensions: int = 256, n_attributes: int = 16) -> NullSet:
    """Data in which the embedding says nothing about the mean of the loss, made awkward in one way.

    * "errors": 15% of the rows are wrong, whatever their embedding, and the loss is higher where they are;
    * "heavy tail": losses are Pareto with index 2.5 (finite variance, infinite skewness), independent of the embedding;
    * "unequal variance": uniform losses of mean 1 whose standard deviation runs from 0.03 to 0.57 along one direction
      of the embedding. Mean and median are the same everywhere, so what a test finds here it finds because of the
      spread;
    * "skewed", "left-skewed": losses of mean 1 everywhere, uniform on one side of a direction of the embedding; on the
      other exponential, or exponential to the left;
    * "grouped": 60 to 100 groups of unequal size. Each group shifts the embeddings of its rows and, independently,
      their losses: rows are far from independent, groups are.

    Raises:
        InvalidInput: an argument is out of range; "grouped" needs n of at least 300.
    """
    check_kind(kind, get_args(NullKind))
    check_sizes(n, dimensions, n_attributes)
    rng = np.random.default_rng([seed, 3])
    world = World.make(dimensions, n_attributes, rng)
    labels = rng.integers(0, 2, n)
    attributes = rng.random((n, n_attributes)) < world.prevalences
    if kind == "grouped":
        groups = _draw_groups(n, rng)
        n_groups = int(groups.max()) + 1
        shifts = 0.15 * rng.normal(size=(n_groups, dimensions))  # norm 2.4 at d = 256: near that of the background
        effects = 0.6 * rng.normal(size=n_groups)
        embeddings = world.embed(labels, attributes, rng, shifts[groups])
        return NullSet(embeddings, labels, np.exp(effects[groups] + 0.6 * rng.normal(size=n)), groups, kind, seed)
    embeddings = world.embed(labels, attributes, rng)
    if kind == "heavy tail":
        return NullSet(embeddings, labels, rng.pareto(2.5, n), None, kind, seed)
    if kind == "errors":
        wrong = rng.random(n) < 0.15
        return NullSet(embeddings, labels, rng.gamma(1.0, 0.3, n) + 1.5 * wrong, None, kind, seed, wrong)
    along = embeddings.vectors @ world.attribute_directions[0]
    if kind in ("skewed", "left-skewed"):
        tail = rng.exponential(1.0, n)
        tail = tail if kind == "skewed" else 2 - tail
        return NullSet(
            embeddings, labels, np.where(along > np.median(along), tail, rng.uniform(0, 2, n)), None, kind, seed
        )
    deviation = 0.3 * (1 + 0.9 * np.tanh((along - along.mean()) / along.std()))
    losses = 1 + deviation * rng.uniform(-np.sqrt(3), np.sqrt(3), n)
    return NullSet(embeddings, labels, losses, None, kind, seed)


def _draw_groups(n: int, rng: np.random.Generator) -> I64:
    """(n,) group of each row: 60 to 100 groups with at least 3 rows, sizes log-normal beyond that."""
    n_groups = int(rng.integers(60, 101))
    if n < 3 * n_groups:
        raise InvalidInput(
            f"A grouped null needs at least 3 rows for each of up to 100 groups (n >= 300): got n = {n}."
        )
    weights = rng.lognormal(0, 0.8, n_groups)
    sizes = 3 + rng.multinomial(n - 3 * n_groups, weights / weights.sum())
    return np.repeat(np.arange(n_groups), sizes)
