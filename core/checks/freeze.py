"""What was found, fixed under one hash before fresh samples are opened."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.discovery.called import scope_rows
from core.discovery.design import Design, design_of
from core.discovery.search.family import centre
from core.language.directions import block_means
from core.records import F32, F64, I64, Bool, Diagnosis, Estimate, FailureCluster, Insight, Measure
from core.statistics.intervals import likeness_within, wilson_limits
from core.statistics.measures import in_shares, measured, tested_effect
from core.statistics.redraws import bootstrap_mean

Kind = Literal["cluster", "phrase", "condition"]


@dataclass(frozen=True, slots=True, eq=False)
class FrozenFinding:
    """A confirmed finding with what it predicts."""

    kind: Kind
    text: str
    scope: str
    n: int
    measure: Measure
    """What it predicts: that in which it was found. Of a run from before that was written down, the error rate where
    errors are known."""
    predicted: Estimate
    """In that measure, with a 95% interval; allows for the finding having been searched for."""
    index: int
    """Into the diagnosis' clusters or insights."""
    cut: float | None = None
    """Of a phrase: the least score of a matching sample."""
    spread: float = 0.0
    """Standard deviation of the members' errors or losses."""
    likeness: float = 1.0
    """Correlation of those of one group, 0 to 1; 1 where it cannot be told."""
    error_rate: float | None = None
    """Of the members, corrected for the search, whatever the measure; None where errors are unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """What was found, fixed before fresh samples are opened."""

    findings: tuple[FrozenFinding, ...]
    digest: str
    """SHA-256 over the findings, their rules, measures and predicted intervals, and the data's fingerprint."""


def freeze(diagnosis: Diagnosis, design: Design | None = None) -> Frozen:
    """The confirmed findings with what each predicts, in the measure that it was found in. The same diagnosis gives the
    same hash, saved and loaded or not.

    Args:
        design: the diagnosis' own, if it is at hand.
    """
    design = design or design_of(diagnosis)
    found = [_frozen(diagnosis, design, "cluster", i, c) for i, c in enumerate(diagnosis.clusters)]
    said: set[tuple[str, str, str]] = set()
    for i, insight in enumerate(diagnosis.insights):
        name = (insight.kind, insight.text, insight.scope)  # the same condition may describe two clusters
        if insight.confirmed and name not in said:
            found.append(_frozen(diagnosis, design, insight.kind, i, insight))
        said.add(name)
    digest = hashlib.sha256(diagnosis.fingerprint.encode())
    for f in found:
        predicted = [float(f"{v:.9g}") for v in (f.predicted.value, f.predicted.low, f.predicted.high)]
        digest.update(json.dumps([f.kind, f.text, f.scope, f.n, f.measure, *predicted, f.cut]).encode())
        digest.update(np.packbits(members_of(diagnosis, f)).tobytes())
    return Frozen(tuple(found), digest.hexdigest())


def members_of(diagnosis: Diagnosis, frozen: FrozenFinding) -> Bool:
    """(n,) the diagnosed samples that the finding speaks of."""
    if frozen.kind == "cluster":
        return _members(diagnosis.clusters[frozen.index])
    return _members(diagnosis.insights[frozen.index])


def _members(finding: FailureCluster | Insight) -> Bool:
    return finding.mask if isinstance(finding, Insight) else finding.membership >= 0.5


def _frozen(
    diagnosis: Diagnosis, design: Design, kind: Kind, index: int, finding: FailureCluster | Insight
) -> FrozenFinding:
    members = _members(finding)
    rest = scope_rows(diagnosis, finding.scope, design)
    rest = rest & ~members
    measure: Measure = "error rate" if in_shares(finding) else "mean loss"
    values = measured(diagnosis.outcomes, measure)

    def corrected(values: F64, difference: Estimate) -> float:
        """What the members show, less what the search added to their difference from the rest of their scope."""
        own = centre(values, design.centring_stratum)
        return float(values[members].mean() - (own[members].mean() - own[rest].mean()) + difference.value)

    value = corrected(values, tested_effect(finding))
    errors = diagnosis.outcomes.errors
    rate = None
    if errors is not None and finding.error_difference is not None:
        rate = float(np.clip(corrected(errors.astype(np.float64), finding.error_difference), 0, 1))
    groups = None if diagnosis.samples.groups is None else diagnosis.samples.groups[members]
    return FrozenFinding(
        kind=kind,
        text=finding.text if isinstance(finding, Insight) else finding.name,
        scope=finding.scope,
        n=finding.size,
        measure=measure,
        predicted=_predicted(values[members], groups, value, measure),
        index=index,
        cut=_cut(diagnosis, design, finding) if isinstance(finding, Insight) and kind == "phrase" else None,
        spread=float(values[members].std()),
        likeness=likeness_within(values[members], groups),
        error_rate=rate,
    )


def _predicted(values: F64, groups: I64 | None, value: float, measure: Measure) -> Estimate:
    """The value, which allows for the search, and an interval that reaches from below the lower to above the higher of
    two: the value, and what the members themselves show. The truth lies between them.

    Each reaches 1.96 standard errors (by group bootstrap) where it is a loss, and Wilson's limits where it is an error
    rate: of few members that were chosen because all of them fail, the spread says nothing.

    Args:
        values: of the members, in the measure. groups: of the members.
    """
    spread = bootstrap_mean(values, groups, np.random.default_rng(0), repeats=400)
    error = (spread.high - spread.low) / 3.92 if np.isfinite(spread.low) else 0.0
    plain = float(values.mean())
    if measure == "mean loss":
        return Estimate(value, min(value, plain) - 1.96 * error, max(value, plain) + 1.96 * error)
    value = min(max(value, 0.0), 1.0)
    n = _independent(plain, len(values), error, groups)
    (low, high), (plain_low, plain_high) = wilson_limits(value, n), wilson_limits(plain, n)
    return Estimate(value, min(low, plain_low), max(high, plain_high))


def _independent(share: float, n: int, error: float, groups: I64 | None) -> float:
    """How many independent samples have the standard error that n have whose groups fail together."""
    if groups is None or len(np.unique(groups)) == n:
        return n
    if error <= 0:
        return len(np.unique(groups))
    return min(n, max(1.0, share * (1 - share) / error**2))


def _cut(diagnosis: Diagnosis, design: Design, insight: Insight) -> float:
    """Half-way between the last sample that looks like the phrase and the first that does not."""
    words = diagnosis.words
    assert words is not None
    assert insight.number is not None
    means = block_means(words.joint.vectors, design.centring_stratum)[design.centring_stratum]
    scores = along(words.joint.vectors, means, words.directions[insight.number])
    rows = scope_rows(diagnosis, insight.scope, design)
    return float((scores[insight.mask].min() + scores[rows & ~insight.mask].max()) / 2)


def along(vectors: F32, means: F32, direction: F32) -> F32:
    """(n,) how far each vector lies along the direction from its mean."""
    return ((vectors - means) @ direction).astype(np.float32)
