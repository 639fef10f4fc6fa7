"""The smallest effect that would have been found: measured by planting failures into permuted losses."""

from __future__ import annotations

import numpy as np

from core.discovery.design import Design
from core.discovery.family import MIN_CANDIDATE_ROWS, Family, FamilyTest
from core.discovery.regressors import Features
from core.records import F32, F64, I64, Detectable, Outcomes
from core.statistics.permutation import Permuter

SHARES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8)
"""Shares of the planted rows that are made to fail."""
PLANTS = 30
CELLS = 4_000_000
"""Rows times plants that are read at once, which bounds memory."""
POWER = 0.8


def smallest_detectable(
    family: Family,
    features: Features,
    layout: Design,
    outcomes: Outcomes,
    scores: F64,
    reading: FamilyTest,
    permuter: Permuter,
    *,
    alpha: float,
    seed: int,
) -> tuple[Detectable, ...]:
    """For clusters of 10 and 20 % of the typical class (or superclass, where those are searched), and of 5, 10 and 20 %
    of all
    samples: the smallest effect confirmed in 80 % of plants.

    A plant is a random sample with its nearest neighbours in the scope; a share of them takes the loss and error of
    rows that failed. Everything else is permuted, so there is nothing to find but the plant. Each is read by the same
    family against the same threshold, so that what the embedding cannot express is in the figure.
    """
    if not len(reading.null):
        return ()
    rng = np.random.default_rng(seed)
    threshold = reading.threshold(alpha)
    inner = sorted(layout.scopes[1:], key=lambda s: len(s.rows))
    wanted = [(layout.scopes[0], share) for share in (0.2, 0.1, 0.05)] + [
        (inner[len(inner) // 2], share) for share in (0.2, 0.1) if inner
    ]
    plants = {max(MIN_CANDIDATE_ROWS, round(share * len(scope.rows))): scope for scope, share in wanted}
    bases = permuter.draw(PLANTS, rng)
    return tuple(
        _one(family, features.rows[scope.rows], scope.rows, outcomes, scores, bases, threshold, size, rng)
        for size, scope in sorted(plants.items(), key=lambda item: item[0])
    )


def _one(
    family: Family,
    points: F32,
    rows: I64,
    outcomes: Outcomes,
    scores: F64,
    bases: I64,
    threshold: float,
    size: int,
    rng: np.random.Generator,
) -> Detectable:
    failing = (
        outcomes.errors
        if outcomes.errors is not None and outcomes.errors.sum() >= 5
        else outcomes.fitted >= np.quantile(outcomes.fitted, 0.9)
    )
    pool = np.flatnonzero(failing)
    columns = np.empty((family.n, PLANTS * len(SHARES)), dtype=np.float32)
    added_loss, added_error = np.zeros((PLANTS, len(SHARES))), np.zeros((PLANTS, len(SHARES)))
    for plant in range(PLANTS):
        shuffled = bases[:, plant]
        centre = points[rng.integers(len(points))]
        near = rows[np.argsort(((points - centre) ** 2).sum(1), kind="stable")[:size]]
        for j, share in enumerate(SHARES):
            victims = near[rng.random(size) < share]
            source = shuffled.copy()
            source[victims] = rng.choice(pool, len(victims))
            columns[:, plant * len(SHARES) + j] = scores[source]
            added_loss[plant, j] = (outcomes.fitted[source[near]] - outcomes.fitted[shuffled[near]]).mean()
            added_error[plant, j] = (failing[source[near]].astype(float) - failing[shuffled[near]].astype(float)).mean()
    width = max(16, CELLS // family.n)
    parts = [
        family.statistics(columns[:, at : at + width])[~family.is_condition].max(0)
        for at in range(0, columns.shape[1], width)
    ]
    best = np.concatenate(parts).reshape(PLANTS, len(SHARES))
    power = (best >= threshold).mean(0)
    enough = np.flatnonzero(power >= POWER)
    if not len(enough):
        return Detectable(size, None, None, POWER)
    j = int(enough[0])
    return Detectable(
        size,
        float(added_loss[:, j].mean()),
        None if outcomes.errors is None else float(added_error[:, j].mean()),
        POWER,
    )
