"""Failures planted on purpose, and data with nothing to find: whole data sets of embeddings, for the benchmarks.

`research.evidence.planted_losses` plants into anybody's data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from core.encoders.arithmetic import unit
from core.errors import InvalidInput
from core.language.directions import words_of
from core.records import F32, F64, I64, Bool, Embeddings, Words
from core.systems.peers.engines.rows import EngineRows

PlantedKind = Literal["rare", "correlation", "noisy label", "conjunction", "several", "null"]

ACCURACY = 0.92
"""Outside every planted slice."""
FAILING = 0.45
NOISY = 0.70
"""Accuracy in a slice where the model fails, and where it learnt from labels that are wrong there."""
AGREEMENT = 0.8
"""Share of rows whose first attribute equals the class (with many classes: whether it is class 1), where the two are
correlated."""
RARE_SHARE = (0.05, 0.15)
NOISY_SHARE = (0.15, 0.3)
MEETING_SHARE = (0.35, 0.45)
"""Share of a class that has the attribute of a rare and of a noisy slice, and each attribute of a conjunction: with two
classes, and with more, which are smaller."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a planted model fails: in one class, or in all others, on rows with some attributes and without others."""

    label: int
    having: tuple[int, ...] = ()
    lacking: tuple[int, ...] = ()
    elsewhere: bool = False
    """In every class but `label`."""
    accuracy: float = FAILING

    def of(self, labels: I64, attributes: Bool) -> Bool:
        """(n,) the rows in which the model fails."""
        where = (labels == self.label) != self.elsewhere
        return where & attributes[:, list(self.having)].all(axis=1) & ~attributes[:, list(self.lacking)].any(axis=1)


def failures_of(kind: PlantedKind, n_classes: int = 2) -> tuple[Failure, ...]:
    """What is planted: no, one, two or three failures (see `plant_embeddings`)."""
    second, third = (0, 1) if n_classes == 2 else (2, 3)
    return {
        "rare": (Failure(1, (0,)),),
        "correlation": (Failure(1, lacking=(0,)), Failure(1, (0,), elsewhere=True)),
        "noisy label": (Failure(1, (0,), accuracy=NOISY),),
        "conjunction": (Failure(1, (0, 1)),),
        "several": (Failure(1, (0,)), Failure(second, (1, 2)), Failure(third, (3,), accuracy=NOISY)),
        "null": (),
    }[kind]


def _shares(kind: PlantedKind, n_classes: int) -> dict[int, float]:
    """Attribute -> share of the rows that have it, where the kind says so."""
    many = int(n_classes > 2)
    rare = RARE_SHARE[many]
    noisy = NOISY_SHARE[many]
    meeting = MEETING_SHARE[many]
    return {
        "rare": {0: rare},
        "noisy label": {0: noisy},
        "conjunction": {0: meeting, 1: meeting},
        "several": {0: rare, 1: meeting, 2: meeting, 3: noisy},
    }.get(kind, {})


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """A classifier's results on n rows of known make-up; K attributes, of which the first are planted."""

    embeddings: Embeddings
    labels: I64
    probabilities: F64
    """(n, k) rows sum to 1."""
    losses: F64
    """(n,) cross-entropy in nats."""
    errors: Bool
    slices: tuple[Bool, ...]
    """The planted slices as (n,) masks: none for a null, two for a correlation, three for several."""
    accuracy: F64
    """(n,) chance that the model is right."""
    attributes: Bool
    """(n, K) which attributes each row has."""
    phrases: F32
    """(K, d) unit direction of each attribute: what a perfectly aligned text tower would give for its name."""
    kind: PlantedKind
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """What the audited and the fresh rows have in common."""

    attribute_directions: F64  # (K, d) unit rows
    class_directions: F64  # (k, d): with two classes 0 and a unit row, with more unit rows
    mean: F64  # (d,)
    background: F64  # (d, d) noise of power-law spectrum, by standard normal coordinates
    prevalences: F64  # (K,)

    @classmethod
    def make(cls, dimensions: int, n_attributes: int, rng: np.random.Generator, n_classes: int = 2) -> World:
        directions = rng.normal(size=(n_attributes + 1, dimensions))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        rotation = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))[0]
        spectrum = 1.2 / np.sqrt(1 + np.arange(dimensions))
        mean = 0.3 * rng.normal(size=dimensions)
        prevalences = rng.uniform(0.1, 0.5, n_attributes)
        classes = np.stack([np.zeros(dimensions), directions[-1]])
        if n_classes > 2:
            classes = rng.normal(size=(n_classes, dimensions))
            classes /= np.linalg.norm(classes, axis=1, keepdims=True)
        return cls(directions[:-1], classes, mean, spectrum[:, None] * rotation, prevalences)

    def embed(self, labels: I64, attributes: Bool, rng: np.random.Generator, shift: F64 | float = 0.0) -> Embeddings:
        """Unit rows: mean + attributes + class + background (+ shift), then normalized."""
        n = len(labels)
        d = len(self.mean)
        raw = self.mean + attributes @ self.attribute_directions + self.class_directions[labels]
        raw = raw + rng.normal(size=(n, d)) @ self.background + shift
        raw /= np.linalg.norm(raw, axis=1, keepdims=True)
        return Embeddings(raw.astype(np.float32), "planted", "planted")


def plant_embeddings(
    kind: PlantedKind, *, seed: int, n: int = 2000, dimensions: int = 256, n_attributes: int = 16, n_classes: int = 2
) -> tuple[Planted, Planted]:
    """Two data sets of one world, audited and fresh rows, with a failure of the given kind planted in both.

    Embeddings are normalise(m + A V + y v + background): every attribute and class a direction of unit length, the
    background normal with a power-law spectrum. The model is right in 0.92 of the rows outside the slices, and there in

    * "rare": 0.45 of {class 1, attribute 0}, where 5% of each class have the attribute;
    * "correlation": 0.45 of the two cells in which attribute 0 and the class differ; they agree in 0.8 of the rows;
    * "noisy label": 0.70 of {class 1, attribute 0}, 15% of each class: a model that learnt from labels wrong there.
      The labels of the rows given here are true, as in the published protocol, where only training labels are flipped;
    * "conjunction": 0.45 of {class 1, attributes 0 and 1}, each had by 35% of each class, and not where one of the two
      stands alone;
    * "several": a rare one, a conjunction of other attributes in another class, and a noisy label of a fourth attribute
      at once;
    * "null": 0.92 of all rows.

    With more than two classes, which are smaller, the shares are 15% (rare), 30% (noisy label) and 45%
    (conjunction), "correlation" is with "is class 1", and the three of "several" lie in classes 1, 2 and 3.

    The probability of the true class is Beta(8, 2) where the model is right and Beta(2, 6) where it is wrong, kept in
    [0.02, 0.98] and on the side of 0.5 that it belongs to, so that an error is an error.

    Args:
        kind: see above.
        seed: the same seed gives the same two data sets. By custom 0-99 serve tuning and 100 on are reported.
        n: rows of each data set, at least 20.
        dimensions: at least 2.
        n_attributes: K, at least 1, and as many as the kind plants (4 for several).
        n_classes: k, at least 2.

    Raises:
        InvalidInput: an argument is out of range.

    Source: the slice kinds of Eyuboglu et al. 2022, arXiv 2203.14960; conjunctions after Plumb et al. 2023, arXiv
    2207.04104. The generator and its numbers are ours: it is linear, which favors linear methods.
    """
    check_kind(kind, get_args(PlantedKind))
    check_sizes(n, dimensions, n_attributes, n_classes)
    planted = {a for failure in failures_of(kind, n_classes) for a in (*failure.having, *failure.lacking)}
    if max(planted, default=0) >= n_attributes:
        raise InvalidInput(f'"{kind}" plants {max(planted) + 1} attributes: got n_attributes = {n_attributes}.')
    world = World.make(dimensions, n_attributes, np.random.default_rng([seed, 0]), n_classes)
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


def check_kind(kind: str, known: tuple[str, ...]) -> None:
    if kind not in known:
        raise InvalidInput(f"The kind to plant must be one of {', '.join(known)}: got {kind!r}.")


def check_sizes(n: int, dimensions: int, n_attributes: int, n_classes: int = 2) -> None:
    given = {
        "n": (n, 20),
        "dimensions": (dimensions, 2),
        "n_attributes": (n_attributes, 1),
        "n_classes": (n_classes, 2),
    }
    for name, (value, least) in given.items():
        if value < least:
            raise InvalidInput(f"{name} must be at least {least} to plant anything: got {value}.")


def _draw_planted(kind: PlantedKind, world: World, n: int, seed: int, rng: np.random.Generator) -> Planted:
    n_classes = len(world.class_directions)
    labels = rng.integers(0, n_classes, n)
    attributes = rng.random((n, len(world.prevalences))) < world.prevalences
    for attribute, share in _shares(kind, n_classes).items():
        attributes[:, attribute] = rng.random(n) < share
    if kind == "correlation":
        first = (labels == 1).astype(np.int64)
        attributes[:, 0] = np.where(rng.random(n) < AGREEMENT, first, 1 - first)
    accuracy = np.full(n, ACCURACY)
    planted = failures_of(kind, n_classes)
    slices = tuple(failure.of(labels, attributes) for failure in planted)
    for failure, inside in zip(planted, slices):
        accuracy[inside] = np.minimum(accuracy[inside], failure.accuracy)
    embeddings = world.embed(labels, attributes, rng)
    right = rng.random(n) < accuracy
    truth = _confidence(right, rng)
    probabilities = _probabilities(labels, truth, right, accuracy < ACCURACY, n_classes, rng)
    phrases = world.attribute_directions.astype(np.float32)
    return Planted(
        embeddings,
        labels,
        probabilities,
        -np.log(probabilities[np.arange(n), labels]),
        ~right,
        slices,
        accuracy,
        attributes,
        phrases,
        kind,
        seed,
    )


def _confidence(right: Bool, rng: np.random.Generator) -> F64:
    """(n,) probability of the true class, above 0.5 exactly where the model is right."""
    n = len(right)
    high = np.clip(rng.beta(8, 2, n), 0.501, 0.98)
    low = np.clip(rng.beta(2, 6, n), 0.02, 0.499)
    return np.where(right, high, low)


def _probabilities(labels: I64, truth: F64, right: Bool, failing: Bool, k: int, rng: np.random.Generator) -> F64:
    """(n, k) with `truth` for the true class. Of more than two, one class gets nine tenths of the rest: in a planted
    slice always the one after the true class, else any."""
    n = len(labels)
    rows = np.arange(len(labels))
    if k == 2:
        return np.stack([np.where(labels == c, truth, 1 - truth) for c in (0, 1)], axis=1)
    truth = np.where(right, truth, np.minimum(truth, 0.45))  # so that the other class leads where the model is wrong
    step = np.where(failing, 1, rng.integers(1, k, n))
    found = np.repeat((0.1 * (1 - truth) / (k - 2))[:, None], k, axis=1)
    found[rows, (labels + step) % k] = 0.9 * (1 - truth)
    found[rows, labels] = truth
    return found


def planted_rows(planted: Planted) -> EngineRows:
    """A planted set as engines see it: the slices are left out, and the likeness is to its attributes and as many other
    phrases, both as a text tower would miss them (`plant_words`)."""
    words = plant_words(planted, n_phrases=2 * len(planted.phrases))
    vectors = planted.embeddings.vectors
    return EngineRows(
        vectors,
        planted.labels,
        planted.losses,
        planted.errors,
        planted.probabilities,
        (vectors @ words.directions.T).astype(np.float32),
        words.phrases,
    )
