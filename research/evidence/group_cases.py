"""Cases of `counterexamples.py` on what is kept together: groups across classes, and classes of a few rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.discovery.settings import Settings
from core.records import F64, I64, Bool, Column
from research.arrays import diagnose_arrays


def groups_across_classes(
    rates: Sequence[float], effects: Sequence[float], most: int = 4
) -> Callable[[int], dict[str, Any]]:
    """100 groups of 4 rows (or of 1 to `most`) of any class; whether a row fails depends on its class and its group,
    never on its vector.

    Args:
        rates: error rate of each class. effects: of each class, the deviation of its groups on the logit scale.
    """

    def run(number: int) -> dict[str, Any]:
        rng = np.random.default_rng([number, 35])
        k = len(rates)
        groups = np.repeat(np.arange(100), 4 if most == 4 else rng.integers(1, most + 1, 100))
        n = len(groups)
        labels = rng.integers(0, k, len(groups))
        logit = np.log(np.array(rates) / (1 - np.array(rates)))[labels]
        logit += np.array(effects)[labels] * rng.standard_normal(100)[groups]
        wrong = rng.random(n) < 1 / (1 + np.exp(-logit))
        tail = np.where(labels % 2 == 0, np.exp(2 * rng.standard_normal(n)), rng.random(n))
        losses = tail * np.exp(np.array(effects)[labels] * logit / 4)
        return _claimed(number, groups, labels, losses, wrong, rng)

    return run


def errors_go_by_group(number: int) -> dict[str, Any]:
    """60 groups of 8 rows of two classes: errors go by the group, the loss by nothing."""
    rng = np.random.default_rng([number, 37])
    groups = np.repeat(np.arange(60), 8)
    labels = rng.integers(0, 2, 480)
    wrong = rng.random(480) < 1 / (1 + np.exp(1 - 2 * rng.standard_normal(60)[groups]))
    return _claimed(number, groups, labels, rng.exponential(1.0, 480), wrong, rng)


def groups_alike_in_a_place(count: int) -> Callable[[int], dict[str, Any]]:
    """So many groups of 8 rows, a fifth of which fail everywhere. A quarter of the groups lie apart, and a column says
    so: their rows fail together, those of the others each for itself."""

    def run(number: int) -> dict[str, Any]:
        rng = np.random.default_rng([number, 39])
        groups = np.repeat(np.arange(count), 8)
        n = 8 * count
        apart = groups < count // 4
        vectors = rng.normal(size=(n, 16)) + 1.5 * rng.normal(size=(count, 16))[groups]
        vectors[:, 0] += 6 * apart
        wrong = np.where(apart, (rng.random(count) < 0.2)[groups], rng.random(n) < 0.2)
        column = Column("place", "category", np.where(apart, "apart", "other").astype(object))
        settings = Settings(seed=number, map=False, sensitivity=False, n_permutations=199, n_members=2)
        found = diagnose_arrays(
            vectors.astype(np.float32), wrong * 1.0, errors=wrong, groups=groups, columns=(column,), settings=settings
        )
        conditions = any(one.confirmed for one in found.insights)
        return {
            "claimed": bool(found.clusters or conditions or found.estimate.predictability.confirmed),
            "conditions": conditions,
        }

    return run


def outlying_vectors(number: int) -> dict[str, Any]:
    """288 rows whose vectors are nearly one and 12 that lie anywhere, of one mean loss; that of the 12 is ten times as
    wide."""
    rng = np.random.default_rng([number, 41])
    odd = np.arange(300) < 12
    vectors = 0.02 * rng.normal(size=(300, 16)) + (np.arange(16) == 0)
    vectors[odd] = rng.normal(size=(12, 16))
    losses = 1 + np.where(odd, 10.0, 1.0) * rng.normal(size=300)
    settings = Settings(seed=number, map=False, sensitivity=False, n_permutations=199, n_members=2)
    found = diagnose_arrays(vectors.astype(np.float32), losses, settings=settings)
    predictable = bool(found.estimate.predictability.confirmed)
    return {"claimed": bool(found.clusters) or predictable, "predictable": predictable}


def pairs_that_nobody_names(number: int) -> dict[str, Any]:
    """150 pairs of one loss each, whose vectors have a cosine of about 0.8: too far apart to be taken for copies."""
    rng = np.random.default_rng([number, 40])
    vectors = np.tile(rng.normal(size=(150, 32)), (2, 1))
    vectors[150:] += 0.7 * rng.normal(size=(150, 32))
    settings = Settings(seed=number, map=False, sensitivity=False, n_permutations=199, n_members=2)
    found = diagnose_arrays(vectors.astype(np.float32), np.tile(rng.exponential(1.0, 150), 2), settings=settings)
    return {"claimed": bool(found.clusters or found.estimate.predictability.confirmed)}


def groups_nearly_of_a_class(crossing: int) -> Callable[[int], dict[str, Any]]:
    """8 classes of 6 groups of 8 rows, which differ in three of the classes; and so many groups that see all."""

    def run(number: int) -> dict[str, Any]:
        rng = np.random.default_rng([number, 38])
        groups = np.repeat(np.arange(48 + crossing), 8)
        labels = np.where(groups < 48, groups // 6, rng.integers(0, 8, len(groups)))
        level = rng.standard_normal(48 + crossing)[groups] * 2.0 * (labels < 3)
        losses = np.exp(level + 0.5 * rng.standard_normal(len(groups)))
        return _claimed(number, groups, labels, losses, None, rng)

    return run


def _claimed(
    number: int, groups: I64, labels: I64, losses: F64, wrong: Bool | None, rng: np.random.Generator
) -> dict[str, Any]:
    """Of rows whose vectors know their group and their class."""
    n = len(groups)
    k = int(labels.max()) + 1
    vectors = 0.3 * rng.standard_normal((n, 12)) + rng.standard_normal((int(groups.max()) + 1, 12))[groups]
    vectors += 0.5 * rng.standard_normal((k, 12))[labels]
    settings = Settings(seed=number, map=False, n_permutations=199, n_members=2)
    found = diagnose_arrays(
        vectors.astype(np.float32), losses, labels=labels, errors=wrong, groups=groups, settings=settings
    )
    return {"claimed": bool(found.clusters or found.estimate.predictability.confirmed)}


def small_classes(sizes: tuple[int, int], scaled: bool) -> Callable[[int], dict[str, Any]]:
    """45 classes of so many rows (from, to), each with a place and a difficulty of its own; of equal shape and other
    level, or of equal level and other spread."""

    def run(number: int) -> dict[str, Any]:
        rng = np.random.default_rng([number, 36])
        labels = np.repeat(np.arange(45), rng.integers(sizes[0], sizes[1] + 1, 45))
        vectors = rng.standard_normal((len(labels), 12)) + 1.5 * rng.standard_normal((45, 12))[labels]
        own = rng.gamma(0.5, 1.0, 45)[labels]
        noise = rng.standard_normal(len(labels))
        losses = own * np.exp(noise) if scaled else own + 0.3 * rng.random(len(labels))
        settings = Settings(seed=number, map=False, n_permutations=199, n_members=2)
        found = diagnose_arrays(vectors.astype(np.float32), losses, labels=labels, settings=settings)
        return {"claimed": bool(found.clusters or found.estimate.predictability.confirmed)}

    return run
