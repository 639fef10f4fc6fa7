"""Failures planted on purpose, and data with nothing to find: whole data sets of embeddings, for the benchmarks.

`planted_losses` plants into anybody's data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from core.encoders.arithmetic import unit
from core.errors import InvalidInput
from core.language.directions import words_of
from core.records import F32, F64, I64, Bool, Embeddings, Words

PlantedKind = Literal["rare", "correlation", "noisy label", "null"]
NullKind = Literal["heavy tail", "unequal variance", "grouped"]

ACCURACY = 0.92
"""Outside every planted slice."""
SLICE_ACCURACY = {"rare": 0.45, "correlation": 0.45, "noisy label": 0.70, "null": ACCURACY}
RARE_SHARE = 0.05
AGREEMENT = 0.8
"""Share of rows whose first attribute equals the class, where the two are correlated."""
NOISY_SHARE = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """A binary classifier's results on n rows of known make-up; K attributes, of which the first is the planted one."""

    embeddings: Embeddings
    labels: I64
    probabilities: F64
    """(n, 2) rows sum to 1."""
    losses: F64
    """(n,) cross-entropy in nats."""
    errors: Bool
    slices: tuple[Bool, ...]
    """The planted slices as (n,) masks: two for a correlation, none for a null."""
    attributes: Bool
    """(n, K) which attributes each row has."""
    phrases: F32
    """(K, d) unit direction of each attribute: what a perfectly aligned text tower would give for its name."""
    kind: PlantedKind
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class NullSet:
    """Rows whose mean loss is the same at every embedding, so that every finding among them is false."""

    embeddings: Embeddings
    labels: I64
    losses: F64
    groups: I64 | None
    kind: NullKind
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class _World:
    """What the audited and the fresh rows have in common."""

    attribute_directions: F64  # (K, d) unit rows
    class_direction: F64  # (d,) unit
    mean: F64  # (d,)
    background: F64  # (d, d) noise of power-law spectrum, by standard normal coordinates
    prevalences: F64  # (K,)

    @classmethod
    def make(cls, dimensions: int, n_attributes: int, rng: np.random.Generator) -> _World:
        directions = rng.normal(size=(n_attributes + 1, dimensions))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        rotation = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))[0]
        spectrum = 1.2 / np.sqrt(1 + np.arange(dimensions))
        mean = 0.3 * rng.normal(size=dimensions)
        return cls(
            directions[:-1], directions[-1], mean, spectrum[:, None] * rotation, rng.uniform(0.1, 0.5, n_attributes)
        )

    def embed(self, labels: I64, attributes: Bool, rng: np.random.Generator, shift: F64 | float = 0.0) -> Embeddings:
        """Unit rows: mean + attributes + class + background (+ shift), then normalised."""
        n, d = len(labels), len(self.mean)
        raw = self.mean + attributes @ self.attribute_directions + labels[:, None] * self.class_direction
        raw = raw + rng.normal(size=(n, d)) @ self.background + shift
        raw /= np.linalg.norm(raw, axis=1, keepdims=True)
        return Embeddings(raw.astype(np.float32), "planted", "planted")


def plant_embeddings(
    kind: PlantedKind, *, seed: int, n: int = 2000, dimensions: int = 256, n_attributes: int = 16
) -> tuple[Planted, Planted]:
    """Two data sets of one world, audited and fresh rows, with a failure of the given kind planted in both.

    Embeddings are normalise(m + A V + y v + background): every attribute and the class a direction of unit length, the
    background normal with a power-law spectrum. The model is right in 0.92 of the rows outside the slices, and there in

    * "rare": 0.45 of {class 1, attribute 0}, where 5 % of each class have the attribute;
    * "correlation": 0.45 of the two cells in which attribute 0 and the class differ; they agree in 0.8 of the rows;
    * "noisy label": 0.70 of {class 1, attribute 0}, 15 % of each class: a model that learnt from labels wrong there.
      The labels of the rows given here are true, as in the published protocol, where only training labels are flipped;
    * "null": 0.92 of all rows.

    Its probability of the true class is Beta(8, 2) where it is right and Beta(2, 6) where it is wrong, kept in [0.02,
    0.98] and on the side of 0.5 that it belongs to, so that an error is an error.

    Args:
        kind: see above.
        seed: the same seed gives the same two data sets. By custom 0-99 serve tuning and 100 on are reported.
        n: rows of each data set, at least 20.
        dimensions: at least 2.
        n_attributes: K, at least 1.

    Raises:
        InvalidInput: an argument is out of range.

    Source: the slice kinds of Eyuboglu et al. 2022, arXiv 2203.14960. The generator and its numbers are ours: it is
    linear, which favours linear methods.
    """
    _check_kind(kind, get_args(PlantedKind))
    _check_sizes(n, dimensions, n_attributes)
    world = _World.make(dimensions, n_attributes, np.random.default_rng([seed, 0]))
    audit, fresh = (_draw_planted(kind, world, n, seed, np.random.default_rng([seed, part])) for part in (1, 2))
    return audit, fresh


def plant_words(planted: Planted, *, n_phrases: int = 200, noise: float = 0.6, n_prompts: int = 8) -> Words:
    """The planted rows with a vocabulary of `n_phrases`: the attributes' directions first, then random ones, all as a
    text tower would miss them.

    Args:
        noise: length of the error of one prompt's vector beside a direction of length 1; `n_prompts` such errors are
            averaged.

    Raises:
        InvalidInput: there are fewer phrases than attributes.
    """
    n_attributes, dimensions = planted.phrases.shape
    if n_phrases < n_attributes:
        raise InvalidInput(f"n_phrases must be at least {n_attributes}, one for each attribute: got {n_phrases}.")
    rng = np.random.default_rng([planted.seed, 3])
    others = rng.normal(size=(n_phrases - n_attributes, dimensions))
    true = np.concatenate([planted.phrases, others / np.linalg.norm(others, axis=1, keepdims=True)])
    missed = rng.normal(size=(n_prompts, *true.shape)).mean(0) * noise / np.sqrt(dimensions)
    names = tuple(f"attribute {i}" if i < n_attributes else f"other {i}" for i in range(n_phrases))
    return words_of(planted.embeddings, unit((true + missed).astype(np.float32)), names)


def _check_kind(kind: str, known: tuple[str, ...]) -> None:
    if kind not in known:
        raise InvalidInput(f"The kind to plant must be one of {', '.join(known)}: got {kind!r}.")


def _check_sizes(n: int, dimensions: int, n_attributes: int) -> None:
    for name, value, least in (("n", n, 20), ("dimensions", dimensions, 2), ("n_attributes", n_attributes, 1)):
        if value < least:
            raise InvalidInput(f"{name} must be at least {least} to plant anything: got {value}.")


def _draw_planted(kind: PlantedKind, world: _World, n: int, seed: int, rng: np.random.Generator) -> Planted:
    labels = rng.integers(0, 2, n)
    attributes = rng.random((n, len(world.prevalences))) < world.prevalences
    if kind == "rare":
        attributes[:, 0] = rng.random(n) < RARE_SHARE
    elif kind == "correlation":
        attributes[:, 0] = np.where(rng.random(n) < AGREEMENT, labels, 1 - labels)
    elif kind == "noisy label":
        attributes[:, 0] = rng.random(n) < NOISY_SHARE
    has = attributes[:, 0]
    slices: tuple[Bool, ...] = ()
    if kind == "correlation":
        slices = ((labels == 1) & ~has, (labels == 0) & has)
    elif kind != "null":
        slices = ((labels == 1) & has,)
    inside = np.any(slices, axis=0) if slices else np.zeros(n, dtype=bool)
    embeddings = world.embed(labels, attributes, rng)
    right = rng.random(n) < np.where(inside, SLICE_ACCURACY[kind], ACCURACY)
    truth = _confidence(right, rng)
    probabilities = np.stack([np.where(labels == 0, truth, 1 - truth), np.where(labels == 1, truth, 1 - truth)], axis=1)
    phrases = world.attribute_directions.astype(np.float32)
    return Planted(embeddings, labels, probabilities, -np.log(truth), ~right, slices, attributes, phrases, kind, seed)


def _confidence(right: Bool, rng: np.random.Generator) -> F64:
    """(n,) probability of the true class, above 0.5 exactly where the model is right."""
    n = len(right)
    high = np.clip(rng.beta(8, 2, n), 0.501, 0.98)
    low = np.clip(rng.beta(2, 6, n), 0.02, 0.499)
    return np.where(right, high, low)


def make_null(kind: NullKind, *, seed: int, n: int = 2000, dimensions: int = 256, n_attributes: int = 16) -> NullSet:
    """Data in which the embedding says nothing about the mean of the loss, made awkward in one way.

    * "heavy tail": losses are Pareto with index 2.5 (finite variance, infinite skewness), independent of the embedding;
    * "unequal variance": uniform losses of mean 1 whose standard deviation runs from 0.03 to 0.57 along one direction
      of the embedding. Mean and median are the same everywhere, so what a test finds here it finds because of the
      spread;
    * "grouped": 60 to 100 groups of unequal size. Each group shifts the embeddings of its rows and, independently,
      their losses: rows are far from independent, groups are.

    Raises:
        InvalidInput: an argument is out of range; "grouped" needs n of at least 300.
    """
    _check_kind(kind, get_args(NullKind))
    _check_sizes(n, dimensions, n_attributes)
    rng = np.random.default_rng([seed, 3])
    world = _World.make(dimensions, n_attributes, rng)
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
    along = embeddings.vectors @ world.attribute_directions[0]
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


def expected_precision_at(k: int, scores: F64, truth: Bool) -> float:
    """Share of true rows among the k of highest score, in exact expectation over random order of ties.

    Args:
        k: at least 1 and at most n.
        scores: (n,) larger is better; may be infinite, not nan.
        truth: (n,).

    Raises:
        InvalidInput: k is out of range, or a score is nan.

    Example:
        >>> expected_precision_at(2, np.array([3.0, 1.0, 1.0]), np.array([True, True, False]))
        0.75
    """
    if not 1 <= k <= len(scores):
        raise InvalidInput(f"k must be between 1 and {len(scores)} (the number of rows): got {k}.")
    if np.isnan(scores).any():
        raise InvalidInput(
            f"Scores must not be nan: {int(np.isnan(scores).sum())} of {len(scores)} are. "
            "Give such rows the lowest score."
        )
    cutoff = np.partition(scores, len(scores) - k)[len(scores) - k]
    above, tied = scores > cutoff, scores == cutoff
    return float((truth[above].sum() + (k - above.sum()) * truth[tied].mean()) / k)
