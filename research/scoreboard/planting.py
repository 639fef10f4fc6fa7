"""A failure planted in what a small model is taught, and the world that the model's real mistakes make.

The labels that are audited are true; only training is spoilt. A slice is one where the model is really worse; a world
counts where it has such a slice, and two of "several".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import get_args

import numpy as np
from scipy.stats import fisher_exact

from core.records import F64, I64, Bool
from core.systems.peers.engines.rows import EngineRows
from research.scoreboard.methods import NULL
from research.scoreboard.planted_embeddings import Failure, PlantedKind
from research.scoreboard.pool import PicturePool
from research.scoreboard.worlds import FailureWorld

KINDS: tuple[str, ...] = get_args(PlantedKind)
KEPT = 0.05
FLIPPED = 0.7
"""Of a correlation's odd cells that share is taught; of a noisy slice's labels that share is wrong in training."""
MIN_SLICE = 25
"""Rows that a slice must have in the audited part."""
LEAST_DROP = 0.10
MOST_P = 0.01
"""A slice fails where accuracy is that much below the rest of its class, by Fisher's exact test."""
MAX_LOSS = 4.6
TRAIN = 0.34
AUDIT = 0.33
"""Shares of the pool; the rest is fresh."""

Victim = Callable[[I64, I64, I64], F64]
"""(rows taught, the labels taught, rows asked) -> (m, k) probabilities."""


def plant_in_training(
    kind: str, pool: PicturePool, victim: Victim, seed: int, *, tier: int, tries: int = 8
) -> FailureWorld:
    """The world of a kind and seed: which attributes are planted, the parts of the pool and the model depend on it.

    Of several draws the first counts in which the model really fails as planned. Where nothing is planted the model's
    outcomes are shuffled over all rows: whatever it fails at of itself, a class too, is gone.

    Args:
        tier: a number of the tier, so that two tiers of one seed do not draw alike.
        tries: draws of attributes and models until the world is left out.
    """
    rng = np.random.default_rng([seed, 9, tier])
    world: FailureWorld | None = None
    for _ in range(tries):
        world = _draw(kind, pool, victim, rng)
        if not world.left_out:
            return world
    assert world is not None
    return replace(world, left_out=f"{world.left_out} That was the last of {tries} draws.")


def _draw(kind: str, pool: PicturePool, victim: Victim, rng: np.random.Generator) -> FailureWorld:
    order = rng.permutation(len(pool.labels))
    taught, audited, fresh = np.split(order, np.cumsum([int(TRAIN * len(order)), int(AUDIT * len(order))]))
    failures = () if kind == NULL else choose_failures(kind, pool, audited, rng)
    if failures is None:
        unknown = np.full((len(order), int(pool.labels.max()) + 1), 0.5)
        return _world(pool, audited, fresh, unknown, (), "No attributes meet often enough.")
    rows, labels = spoil(kind, failures, pool, taught, rng)
    asked = np.concatenate([audited, fresh])
    probabilities = np.zeros((len(order), int(pool.labels.max()) + 1))
    probabilities[asked] = victim(rows, labels, asked)
    if kind == NULL:
        for part in (audited, fresh):
            probabilities[part] = _shuffled(probabilities[part], pool.labels[part], rng)
        return _world(pool, audited, fresh, probabilities, (), "")
    wrong = probabilities.argmax(1) != pool.labels
    real = real_failures(failures, pool, asked, wrong)
    enough = len(real) >= (2 if kind == "several" else 1)
    why = "" if enough else f"The model fails as planned in {len(real)} of {len(failures)} slices."
    return _world(pool, audited, fresh, probabilities, real, why)


def _shuffled(probabilities: F64, labels: I64, rng: np.random.Generator) -> F64:
    """The probability of the true class of another row, and as much for each other class."""
    truth = rng.permutation(probabilities[np.arange(len(labels)), labels])
    others = (1 - truth) / (probabilities.shape[1] - 1)
    return np.where(labels[:, None] == np.arange(probabilities.shape[1]), truth[:, None], others[:, None])


def choose_failures(kind: str, pool: PicturePool, audited: I64, rng: np.random.Generator) -> tuple[Failure, ...] | None:
    """What is planted: attributes and classes drawn among those that leave every slice enough audited rows; None if
    there are none."""
    labels = pool.labels[audited]
    attributes = pool.attributes[audited]
    classes = rng.permutation(int(pool.labels.max()) + 1)
    one = int(classes[0])
    other = int(classes[1])
    shape: tuple[Failure, ...] = {
        "rare": (Failure(one, (0,)),),
        "correlation": (Failure(one, lacking=(0,)), Failure(one, (0,), elsewhere=True)),
        "noisy label": (Failure(one, (0,)),),
        "conjunction": (Failure(one, (0, 1)),),
        "several": (Failure(one, (0,)), Failure(other, (1, 2)), Failure(one, (3,))),
    }[kind]
    needed = 1 + max(a for failure in shape for a in (*failure.having, *failure.lacking))
    tried = 0
    for chosen in permutations(rng.permutation(len(pool.names)).tolist(), needed):
        tried += 1
        if tried > 5000:
            return None
        if len({pool.names[a].factor for a in chosen}) < needed:
            continue
        failures = tuple(
            replace(f, having=tuple(chosen[a] for a in f.having), lacking=tuple(chosen[a] for a in f.lacking))
            for f in shape
        )
        sizes = [int(f.of(labels, attributes).sum()) for f in failures]
        of_class = [int((labels == f.label).sum()) for f in failures if not f.elsewhere and f.having]
        small = [s for f, s in zip(failures, sizes) if not f.elsewhere and f.having]
        if min(sizes) >= MIN_SLICE and all(2 * s <= n for s, n in zip(small, of_class)):
            return failures
    return None


def spoil(
    kind: str, failures: tuple[Failure, ...], pool: PicturePool, taught: I64, rng: np.random.Generator
) -> tuple[I64, I64]:
    """(rows, labels) that the model is taught: a rare slice left out, odd cells of a correlation nearly so, labels of a
    noisy slice mostly and of a conjunction all wrong."""
    labels = pool.labels[taught].copy()
    keep = np.ones(len(taught), dtype=bool)
    k = int(pool.labels.max()) + 1
    ways = {"several": ("rare", "conjunction", "noisy label")}.get(kind, (kind,) * len(failures))
    for way, failure in zip(ways, failures):
        inside = failure.of(pool.labels[taught], pool.attributes[taught])
        if way in ("rare", "correlation"):
            keep &= ~inside | (rng.random(len(taught)) < (KEPT if way == "correlation" else 0))
        else:
            flipped = inside & (rng.random(len(taught)) < (FLIPPED if way == "noisy label" else 1))
            labels = np.where(flipped, (labels + 1) % k, labels)
    return taught[keep], labels[keep]


def real_failures(failures: tuple[Failure, ...], pool: PicturePool, asked: I64, wrong: Bool) -> tuple[Failure, ...]:
    """Those in whose slice the model is worse than in the rest of the class, outside all slices."""
    labels = pool.labels[asked]
    attributes = pool.attributes[asked]
    missed = wrong[asked]
    masks = [failure.of(labels, attributes) for failure in failures]
    anywhere = np.any(masks, axis=0) if masks else np.zeros(len(asked), dtype=bool)
    return tuple(
        failure
        for failure, inside in zip(failures, masks)
        if _fails(missed, inside, ~anywhere & ((labels == failure.label) != failure.elsewhere))
    )


def _fails(missed: Bool, inside: Bool, rest: Bool) -> bool:
    if not inside.any() or not rest.any() or missed[inside].mean() - missed[rest].mean() < LEAST_DROP:
        return False
    table = [[int((missed & part).sum()), int((~missed & part).sum())] for part in (inside, rest)]
    p: float = fisher_exact(table, alternative="greater")[1]  # pyright: ignore[reportAssignmentType]
    return p <= MOST_P


def _world(
    pool: PicturePool, audited: I64, fresh: I64, probabilities: F64, failures: tuple[Failure, ...], why: str
) -> FailureWorld:
    def rows(at: I64) -> EngineRows:
        labels = pool.labels[at]
        given = probabilities[at]
        losses = np.minimum(-np.log(np.maximum(given[np.arange(len(at)), labels], 1e-12)), MAX_LOSS)
        wrong = given.argmax(1) != labels
        return EngineRows(pool.vectors[at], labels, losses, wrong, given, pool.likeness[at], pool.phrases)

    slices = tuple(failure.of(pool.labels[fresh], pool.attributes[fresh]) for failure in failures)
    return FailureWorld(rows(audited), rows(fresh), slices, why, own_failures=bool(failures))
