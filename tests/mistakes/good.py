"""Honest tables that look odd: nothing is wrong with them but perhaps the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tests.mistakes.judging import USUAL, read, right
from tests.mistakes.right import NAMES, Brought, N, World, coco, columns, named, softmax, table, world

ORDINARY = re.compile(
    f"{USUAL.pattern}|Predictions are no better than chance|"
    "'\\w+' is not the most probable class|All [\\d,]+ losses are|'loss' is 57 in|'kl_loss' is hardly larger"
)
"""Notes on how a table was read that an honest one may have; the last two of what may be a mistake elsewhere."""


def _classified(w: World, names: Any = NAMES) -> Brought:
    return table(w, label=named(w.truth, names), prediction=named(w.guess, names), loss=w.loss)


def _scored(w: World, p: Any, **more: Any) -> Brought:
    return table(w, label=named(w.truth), **columns("prob", p), **more)


def _bad(seed: int) -> Brought:
    """Little better than chance, and horses are nearly always called cats."""
    w = world(seed, margins=(0.6, 0.9, 0.3, -2.0))
    z = w.logits + 3.0 * ((w.truth == 3) & (w.rng.random(N) < 0.8))[:, None] * np.eye(4)[1]
    return _classified(World(w.rng, w.truth, z, w.light))


def _many(seed: int, n: int, k: int) -> Brought:
    """As many rows of each class."""
    w = world(seed, k, margins=np.linspace(3, 6, k), truth=np.arange(n) % k)
    return _classified(w, [f"class {c}" for c in range(k)])


def _densities(seed: int) -> Brought:
    """Negative log-densities: a narrow Gaussian's are below 0."""
    w = world(seed)
    target, spread, error = w.rng.normal(70, 12, N), w.rng.uniform(0.1, 0.8, N), w.rng.normal(size=N)
    nll = 0.5 * error**2 + np.log(spread * np.sqrt(2 * np.pi))
    return replace(table(w, target=target, prediction=target + spread * error, nll=nll), options="--loss nll")


def _smoothed(seed: int) -> Brought:
    w = world(seed)
    return _scored(w, w.probabilities, loss=0.9 * w.loss - 0.1 * np.log(w.probabilities).mean(1))


def _focal(seed: int) -> Brought:
    w = world(seed)
    return _scored(w, w.probabilities, loss=(1 - np.exp(-w.loss)) ** 2 * w.loss)


def _ensemble(seed: int) -> Brought:
    """The mean of five models' probabilities, and the class that most of them vote for."""
    w = world(seed)
    members = [softmax(2 * w.logits + w.rng.normal(0, 2.0, w.logits.shape)) for _ in range(5)]
    votes = sum(np.eye(4)[p.argmax(1)] for p in members) + 1e-3 * np.mean(members, 0)
    return _scored(w, np.mean(members, 0), prediction=named(votes.argmax(1)))


def _sorted(seed: int) -> Brought:
    """Written with the worst first, as people look at it."""
    brought = _classified(world(seed))
    assert brought.frame is not None
    return replace(brought, frame=brought.frame.sort_values("loss", ascending=False))


def _hinge(seed: int) -> Brought:
    """A margin loss that is exactly 0 for most rows."""
    w = world(seed)
    of_truth = w.logits[np.arange(N), w.truth]
    others = np.where(np.eye(4, dtype=bool)[w.truth], -np.inf, w.logits).max(1)
    return _classified(w).put(loss=None, hinge_loss=np.maximum(0, 1 - of_truth + others))


def _shrunk(seed: int) -> Brought:
    """Ages in whole years, and predictions that hardly leave the mean."""
    w = world(seed)
    age = np.round(w.rng.uniform(18, 80, N))
    return table(w, target=age, prediction=49 + 0.15 * (age - 49) + w.rng.normal(0, 6, N))


def _rare(seed: int) -> Brought:
    """Four rare labels that the model hardly ever sees."""
    w = world(seed)
    there = (w.rng.random((N, 4)) < 0.05).astype(int)
    p = 1 / (1 + np.exp(3.5 - 1.5 * there + w.rng.normal(0, 0.7, (N, 4))))
    brought = table(w, **columns("true", there), **columns("prob", p))
    return replace(brought, options="--labels true_* --probabilities prob_*")


def _cauchy(seed: int) -> Brought:
    """Predictions that are near in most rows, and now and then anywhere."""
    w = world(seed)
    target = w.rng.normal(70, 12, N)
    return table(w, target=target, prediction=target + 2 * w.rng.standard_t(2, N))


def _distilled(seed: int) -> Brought:
    """The divergence from a teacher of which the model knows its mistakes by heart."""
    w = world(seed)
    teacher = softmax(w.logits + w.rng.normal(0, 0.4, w.logits.shape) + np.eye(4)[w.truth])
    return _classified(w).put(kl_loss=(teacher * np.log(teacher / w.probabilities)).sum(1), loss=None)


GOOD: Mapping[str, Callable[[int], Brought]] = {
    "a really bad model": _bad,
    "one class for all": lambda seed: _scored(w := world(seed), softmax(0.1 * w.logits + np.array([1.5, 0, 0, 0]))),
    "95 of 100 of one class": lambda seed: _classified(world(seed, truth=np.arange(N) % 60 // 57)),
    "60 classes": lambda seed: _many(seed, 480, 60),
    "two rows a class": lambda seed: _many(seed, 160, 80),
    "heavy tails": lambda seed: table(w := world(seed), loss=np.exp(2.2 * w.rng.normal(size=N) + (w.light == "dark"))),
    "negative log-densities of a regression": _densities,
    "label smoothing": _smoothed,
    "focal loss": _focal,
    "an ensemble that votes": _ensemble,
    "digits as names of classes": lambda seed: _classified(world(seed), (1, 3, 7, 9)),
    "all right": lambda seed: _classified(world(seed, margins=(10, 10, 10, 10))),
    "sorted by loss": _sorted,
    "a hinge loss": _hinge,
    "a model that is less sure than it might be": lambda seed: _scored(w := world(seed), softmax(w.logits / 2.5)),
    "a regression toward the mean": _shrunk,
    "rare labels": _rare,
    "weights from 1 to 1,000": lambda seed: _classified(w := world(seed)).put(
        loss=w.loss * np.logspace(0, 3, 4)[w.truth]
    ),
    "edit distances": lambda seed: table(w := world(seed), loss=np.where(np.arange(N) < 2, 57, w.rng.poisson(4, N))),
    "errors with long tails": _cauchy,
    "a distilled model": _distilled,
    "a detector that misses most": lambda seed: coco(world(seed), 0.35),
}
"""Honest tables by name."""


def alarms(name: str, seed: int = 0) -> list[str]:
    """What is said of an honest table, or a right one, beyond how it was read; and why it is refused."""
    reading = read(GOOD[name](seed)) if name in GOOD else right(name, seed)[1]
    return [note for note in reading.notes if reading.rows is None or not ORDINARY.match(note)]
