"""Tables of confusions in which no pair is preferred, or one is: cases of `research.evidence.counterexamples`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import stats

from core.discovery.classes import class_findings
from core.discovery.design import make_design
from core.discovery.settings import MIN_CLASS_ROWS
from core.records import F64, I64, Outcomes, SampleSet
from core.statistics.permutation import holm

ALPHA = 0.05
"""Of the list of pairs alone: `class_findings` gets twice as much, half of which is for the classes."""
PLANTED = (1, 2)


def pairs(
    k: int, errors: float, favored: Sequence[float], *, uneven: float = 0, times: float = 1
) -> Callable[[int], dict[str, Any]]:
    """`k` classes with about `errors` wrong rows each, that draw wrong answers from one list.

    Args:
        k: number of classes.
        errors: wrong rows of a class on average, of twice as many.
        favored: weights of the first answers; the others weigh 1.
        uneven: deviation of the logarithm of each class's errors and of each answer's weight.
        times: the planted pair is this many times as frequent; with 1 every claim is false.
    """

    def run(number: int) -> dict[str, Any]:
        rng = np.random.default_rng([number, 35])
        weights = np.ones(k)
        weights[: len(favored)] = favored
        weights = weights * rng.lognormal(0, uneven, k)
        means = errors * rng.lognormal(0, 0.7 * uneven, k)
        table = np.zeros((k, k), np.int64)
        for true in range(k):
            shares = np.where(np.arange(k) == true, 0, weights)
            table[true] = rng.multinomial(rng.poisson(means[true]), shares / shares.sum())
        true, predicted = PLANTED
        usual = means[true] * weights[predicted] / (weights.sum() - weights[true])
        table[true, predicted] += rng.poisson((times - 1) * usual)
        now = _claimed(table, int(2 * errors))
        before = _by_others(table)
        planted = PLANTED if times > 1 else None
        return {
            "claimed": bool(now) if planted is None else planted in now,
            "claimed before": bool(before) if planted is None else planted in before,
            "false": len(now - {planted}),
            "false before": len(before - {planted}),
        }

    return run


def _claimed(table: I64, right: int) -> set[tuple[int, int]]:
    """The pairs that `class_findings` confirms, of rows with these confusions and as many right rows in each class."""
    k = len(table)
    full = table + right * np.eye(k, dtype=np.int64)
    cells = np.argwhere(full >= 0).repeat(full.ravel(), axis=0)
    labels, predictions = cells.T
    errors = labels != predictions
    names = tuple(f"{c}" for c in range(k))
    samples = SampleSet(tuple(map(str, range(len(labels)))), labels=labels, class_names=names)
    outcomes = Outcomes(
        errors.astype(np.float64), "0/1 error", "error", "given", errors=errors, predictions=predictions
    )
    claimed = set[tuple[int, int]]()
    for finding in class_findings(samples, outcomes, make_design(samples), alpha=2 * ALPHA):
        if finding.kind == "confusion" and finding.confirmed:
            true, predicted = map(int, finding.name.split(" → "))
            claimed.add((true, predicted))
    return claimed


def _by_others(table: I64) -> set[tuple[int, int]]:
    """The pairs confirmed as before: by the share of that answer among the errors of the other classes."""
    errors = table.sum(1)
    answers = table.sum(0)
    enough = (errors >= MIN_CLASS_ROWS)[:, None] & (answers >= MIN_CLASS_ROWS) & ~np.eye(len(table), dtype=bool)
    cells = np.argwhere(enough)
    p: F64 = np.ones(len(cells))
    for number, (true, predicted) in enumerate(cells.tolist()):
        n = int(table[true, predicted])
        if n >= MIN_CLASS_ROWS:
            possible = table.sum() - errors[predicted]
            p[number] = stats.hypergeom.sf(n - 1, possible, answers[predicted], errors[true])
    confirmed = cells[np.asarray(holm(p.tolist())) <= ALPHA] if len(cells) else cells
    return {(true, predicted) for true, predicted in confirmed.tolist()}


PAIR_CASES = {
    "pairs: 10 classes, 200 errors each, no favorite": pairs(10, 200, ()),
    "pairs: 10 classes, 200 errors each, one favorite x 5": pairs(10, 200, (5,)),
    "pairs: 10 classes, 200 errors each, one favorite x 20": pairs(10, 200, (20,)),
    "pairs: 10 classes, 200 errors each, two favorites x 10": pairs(10, 200, (10, 10)),
    "pairs: 10 classes, 60 errors each, one favorite x 20": pairs(10, 60, (20,)),
    "pairs: 3 classes, 60 errors each, one favorite x 5": pairs(3, 60, (5,)),
    "pairs: 5 classes, 60 errors each, one favorite x 3": pairs(5, 60, (3,)),
    "pairs: 30 classes, 100 errors each, one favorite x 30": pairs(30, 100, (30,)),
    "pairs: 100 classes, 100 errors each, one favorite x 100": pairs(100, 100, (100,)),
    "pairs: 10 classes, about 100 errors, uneven": pairs(10, 100, (), uneven=1),
    "pairs: 30 classes, about 100 errors, uneven": pairs(30, 100, (), uneven=1),
    "pairs: 3 classes, 60 errors each, one pair x 1.8": pairs(3, 60, (), times=1.8),
    "pairs: 5 classes, 60 errors each, one pair x 2.5": pairs(5, 60, (), times=2.5),
    "pairs: 10 classes, 60 errors each, one pair x 3.5": pairs(10, 60, (), times=3.5),
    "pairs: 30 classes, 60 errors each, one pair x 8": pairs(30, 60, (), times=8),
    "pairs: 5 classes, 60 errors each, one favorite x 3, one pair x 2.5": pairs(5, 60, (3,), times=2.5),
    "pairs: 10 classes, 60 errors each, one favorite x 5, one pair x 5": pairs(10, 60, (5,), times=5),
    "pairs: 30 classes, 100 errors each, one favorite x 30, one pair x 8": pairs(30, 100, (30,), times=8),
}
