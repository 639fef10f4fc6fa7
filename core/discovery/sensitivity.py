"""The smallest effect that would have been found: measured by planting failures into permuted losses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from core.discovery.family import MIN_CANDIDATE_ROWS, Family
from core.discovery.family_test import FamilyTest
from core.discovery.proposals import Proposals
from core.records import F32, I64, Bool, Detectable, Outcomes

SHARES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8)
"""Shares of the planted rows that are made to fail."""
PLANTS = 30
CELLS = 4_000_000
"""Rows times plants that are read at once, which bounds memory."""
POWER = 0.8


def smallest_detectable(
    proposals: Proposals, test: FamilyTest, outcomes: Outcomes, *, seed: int
) -> tuple[Detectable, ...]:
    """For clusters of 10 and 20 % of the typical class (or superclass, where those are searched), and of 5, 10 and 20 %
    of all samples: the smallest effect confirmed in 80 % of plants.

    A plant is a random sample with its nearest neighbours in the scope; a share of them takes the loss and error of
    rows that failed. Everything else is permuted, so there is nothing to find but the plant. Each is read by the same
    family against the same threshold, so that what the embedding cannot express is in the figure.
    """
    if not test.is_permuted:
        return ()
    rng, design, features = np.random.default_rng(seed), proposals.design, proposals.features.rows
    inner = sorted(design.scopes[1:], key=lambda s: len(s.rows))
    wanted = [(design.scopes[0], share) for share in (0.2, 0.1, 0.05)]
    wanted += [(inner[len(inner) // 2], share) for share in (0.2, 0.1) if inner]
    scope_of_size = {max(MIN_CANDIDATE_ROWS, round(share * len(scope.rows))): scope for scope, share in wanted}
    bases, failing = design.permuter.draw(PLANTS, rng), _failing(outcomes)
    made: list[Detectable] = []
    for size, scope in sorted(scope_of_size.items(), key=lambda item: item[0]):
        plants = _plants(features[scope.rows], scope.rows, size, bases, np.flatnonzero(failing), rng)
        made.append(_detectable(proposals.family, test, outcomes, failing, plants, size))
    return tuple(made)


def _failing(outcomes: Outcomes) -> Bool:
    """(n,) rows that the model fails on: the errors, or where there are few or none known the worst tenth."""
    if outcomes.errors is not None and outcomes.errors.sum() >= 5:
        return outcomes.errors
    return outcomes.fitted >= np.quantile(outcomes.fitted, 0.9)


def _plants(
    points: F32, rows: I64, size: int, bases: I64, pool: I64, rng: np.random.Generator
) -> Iterator[tuple[I64, I64, I64]]:
    """PLANTS times SHARES plants of `size` rows: the planted rows, and for every row of the data set the row whose
    outcome it takes without the plant and with it.

    Args:
        points: (m, r) features of the scope's `rows`.
        bases: (n, PLANTS) permutations.
        pool: rows that fail.
    """
    for plant in range(PLANTS):
        shuffled = bases[:, plant]
        centre = points[rng.integers(len(points))]
        near = rows[np.argsort(((points - centre) ** 2).sum(1), kind="stable")[:size]]
        for share in SHARES:
            victims = near[rng.random(size) < share]
            source = shuffled.copy()
            source[victims] = rng.choice(pool, len(victims))
            yield near, shuffled, source


def _detectable(
    family: Family,
    test: FamilyTest,
    outcomes: Outcomes,
    failing: Bool,
    plants: Iterable[tuple[I64, I64, I64]],
    size: int,
) -> Detectable:
    """The mean effect of the plants of the smallest share that passes the threshold often enough."""
    n_measures = test.scores.shape[1]
    columns = np.empty((family.n, PLANTS * len(SHARES), n_measures), dtype=np.float32)
    added_loss, added_error = np.zeros((2, PLANTS * len(SHARES)))
    for at, (near, shuffled, source) in enumerate(plants):
        columns[:, at] = test.scores[source]
        added_loss[at] = (outcomes.fitted[source[near]] - outcomes.fitted[shuffled[near]]).mean()
        added_error[at] = (failing[source[near]].astype(float) - failing[shuffled[near]].astype(float)).mean()
    width = max(16, CELLS // columns[:, 0].size)
    parts = [
        family.statistics(columns[:, at : at + width].reshape(family.n, -1))[~family.is_condition].max(0)
        for at in range(0, columns.shape[1], width)
    ]
    power = (np.concatenate(parts).reshape(PLANTS, len(SHARES), n_measures).max(2) >= test.threshold).mean(0)
    enough = np.flatnonzero(power >= POWER)
    if not len(enough):
        return Detectable(size, None, None, POWER)
    loss, error = (float(added.reshape(PLANTS, -1)[:, int(enough[0])].mean()) for added in (added_loss, added_error))
    return Detectable(size, loss, None if outcomes.errors is None else error, POWER)
