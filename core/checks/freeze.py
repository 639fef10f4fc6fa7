"""What was found, fixed under one hash before fresh samples are opened."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.discovery.design import design_of, scope_rows
from core.discovery.effects import clipped
from core.discovery.family import centre
from core.language.directions import block_means
from core.records import F32, F64, Bool, Diagnosis, Estimate, FailureCluster, Insight, Measure, Outcomes
from core.statistics.intervals import bootstrap

Kind = Literal["cluster", "phrase", "condition"]


@dataclass(frozen=True, slots=True, eq=False)
class FrozenFinding:
    """A confirmed finding with what it predicts."""

    kind: Kind
    text: str
    scope: str
    n: int
    predicted: Estimate
    """Error rate, or mean loss where errors are unknown, with a 95 % interval; allows for the finding having been
    searched for."""
    index: int
    """Into the diagnosis' clusters or insights."""
    cut: float | None = None
    """Of a phrase: the least score of a matching sample."""
    spread: float = 0.0
    """Standard deviation of the members' errors or losses."""


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """What was found, fixed before fresh samples are opened."""

    findings: tuple[FrozenFinding, ...]
    digest: str
    """SHA-256 over the findings, their rules and predicted intervals, and the data's fingerprint."""


def freeze(diagnosis: Diagnosis) -> Frozen:
    """The confirmed findings with the error rate that each predicts. The same diagnosis gives the same hash, saved and
    loaded or not."""
    found = [_frozen_cluster(diagnosis, i, c) for i, c in enumerate(diagnosis.clusters)]
    said: set[tuple[str, str, str]] = set()
    for i, insight in enumerate(diagnosis.insights):
        name = (insight.kind, insight.text, insight.scope)  # the same condition may describe two clusters
        if insight.confirmed and name not in said:
            found.append(_frozen_insight(diagnosis, i, insight))
        said.add(name)
    digest = hashlib.sha256(diagnosis.fingerprint.encode())
    for f in found:
        predicted = [float(f"{v:.9g}") for v in (f.predicted.value, f.predicted.low, f.predicted.high)]
        digest.update(json.dumps([f.kind, f.text, f.scope, f.n, *predicted, f.cut]).encode())
        digest.update(np.packbits(members_of(diagnosis, f)).tobytes())
    return Frozen(tuple(found), digest.hexdigest())


def members_of(diagnosis: Diagnosis, frozen: FrozenFinding) -> Bool:
    """(n,) the diagnosed samples that the finding speaks of."""
    if frozen.kind == "cluster":
        return diagnosis.clusters[frozen.index].membership >= 0.5
    return diagnosis.insights[frozen.index].mask


def _frozen_cluster(diagnosis: Diagnosis, index: int, cluster: FailureCluster) -> FrozenFinding:
    members = cluster.membership >= 0.5
    difference = cluster.error_difference or cluster.excess_loss
    value = _corrected(diagnosis, members, cluster.scope, difference.value, cluster.measure)
    predicted, spread = _predicted(diagnosis, members, value), _spread(diagnosis, members)
    return FrozenFinding("cluster", cluster.name, cluster.scope, cluster.size, predicted, index, None, spread)


def _frozen_insight(diagnosis: Diagnosis, index: int, insight: Insight) -> FrozenFinding:
    difference = insight.error_difference or insight.effect
    value = _corrected(diagnosis, insight.mask, insight.scope, difference.value, insight.measure)
    cut = _cut(diagnosis, insight) if insight.kind == "phrase" else None
    predicted, spread = _predicted(diagnosis, insight.mask, value), _spread(diagnosis, insight.mask)
    return FrozenFinding(insight.kind, insight.text, insight.scope, insight.size, predicted, index, cut, spread)


def _corrected(diagnosis: Diagnosis, members: Bool, scope: str, difference: float, measure: Measure | None) -> float:
    """What the members show, less what the search added to their difference from the rest of their scope."""
    values, rest = measured(diagnosis.outcomes), scope_rows(diagnosis, scope) & ~members
    # runs of before the measure was written down did not take out class means
    own = values if measure is None else centre(values, design_of(diagnosis).centre_of_row)
    return float(values[members].mean() - (own[members].mean() - own[rest].mean()) + difference)


def _predicted(diagnosis: Diagnosis, members: Bool, value: float) -> Estimate:
    """The value, and an interval from 1.96 standard errors (by group bootstrap) below the lower to as many above the
    higher of two: the value, which allows for the search, and what the members themselves show. The truth lies between
    them."""
    values = measured(diagnosis.outcomes)[members]
    groups = None if diagnosis.samples.groups is None else diagnosis.samples.groups[members]
    spread = bootstrap(lambda i: float(values[i].mean()), len(values), groups, np.random.default_rng(0), repeats=400)
    error = (spread.high - spread.low) / 3.92 if np.isfinite(spread.low) else 0.0
    if diagnosis.outcomes.errors is not None:  # no failure, or nothing but failures, is no certainty
        error = max(error, float(np.sqrt(0.25 / (len(values) + 4) * (4 / (len(values) + 4)))))
    plain = float(values.mean())
    return bounded(
        Estimate(value, min(value, plain) - 1.96 * error, max(value, plain) + 1.96 * error), diagnosis.outcomes
    )


def _spread(diagnosis: Diagnosis, members: Bool) -> float:
    return float(measured(diagnosis.outcomes)[members].std())


def measured(outcomes: Outcomes) -> F64:
    """(n,) 0/1 errors, or losses where errors are unknown."""
    return outcomes.fitted if outcomes.errors is None else outcomes.errors.astype(np.float64)


def bounded(estimate: Estimate, outcomes: Outcomes) -> Estimate:
    """The estimate within [0, 1] where it is an error rate."""
    return estimate if outcomes.errors is None else clipped(estimate, 0.0)


def _cut(diagnosis: Diagnosis, insight: Insight) -> float:
    """Half-way between the last sample that looks like the phrase and the first that does not."""
    words, design = diagnosis.words, design_of(diagnosis)
    assert words is not None
    assert insight.number is not None
    means = block_means(words.joint.vectors, design.centre_of_row)[design.centre_of_row]
    scores = along(words.joint.vectors, means, words.directions[insight.number])
    rows = scope_rows(diagnosis, insight.scope)
    return float((scores[insight.mask].min() + scores[rows & ~insight.mask].max()) / 2)


def along(vectors: F32, means: F32, direction: F32) -> F32:
    """(n,) how far each vector lies along the direction from its mean."""
    return ((vectors - means) @ direction).astype(np.float32)
