"""Freeze the findings of a run under one hash before fresh samples are opened."""

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
from core.statistics.groups import groups_at
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
    """The measure of the prediction: the one in which the finding was confirmed. For runs saved before that was stored:
    the error rate if errors are known."""
    predicted: Estimate
    """In that measure, with a 95% interval; corrected for the search that selected the finding."""
    index: int
    """Position in the diagnosis' clusters or insights."""
    cut: float | None = None
    """For a phrase: the lowest score of a matching sample."""
    spread: float = 0.0
    """Standard deviation of the members' errors or losses."""
    likeness: float = 1.0
    """Correlation of errors or losses within a group, 0 to 1; 1 if it cannot be estimated."""
    error_rate: float | None = None
    """Of the members, corrected for the search, in either measure; None if errors are unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """The findings as fixed before fresh samples are opened."""

    findings: tuple[FrozenFinding, ...]
    digest: str
    """SHA-256 over the findings, their rules, measures and predicted intervals, and the data's fingerprint."""


def freeze(diagnosis: Diagnosis, design: Design | None = None) -> Frozen:
    """Fix the confirmed findings and what each predicts, in the measure in which it was confirmed. The same diagnosis
    gives the same hash, saved and loaded or not.

    Args:
        design: the diagnosis' own, if available.
    """
    design = design or design_of(diagnosis)
    findings = [_freeze_finding(diagnosis, design, "cluster", i, c) for i, c in enumerate(diagnosis.clusters)]
    seen: set[tuple[str, str, str]] = set()
    for i, insight in enumerate(diagnosis.insights):
        name = (insight.kind, insight.text, insight.scope)  # the same condition may describe two clusters
        if insight.confirmed and name not in seen:
            findings.append(_freeze_finding(diagnosis, design, insight.kind, i, insight))
        seen.add(name)
    digest = hashlib.sha256(diagnosis.fingerprint.encode())
    for f in findings:
        predicted = [float(f"{v:.9g}") for v in (f.predicted.value, f.predicted.low, f.predicted.high)]
        digest.update(json.dumps([f.kind, f.text, f.scope, f.n, f.measure, *predicted, f.cut]).encode())
        digest.update(np.packbits(members_of(diagnosis, f)).tobytes())
    return Frozen(tuple(findings), digest.hexdigest())


def members_of(diagnosis: Diagnosis, frozen: FrozenFinding) -> Bool:
    """(n,) the diagnosed samples that the finding covers."""
    if frozen.kind == "cluster":
        return _members(diagnosis.clusters[frozen.index])
    return _members(diagnosis.insights[frozen.index])


def _members(finding: FailureCluster | Insight) -> Bool:
    if isinstance(finding, Insight):
        return finding.mask
    return finding.membership >= 0.5


def _freeze_finding(
    diagnosis: Diagnosis, design: Design, kind: Kind, index: int, finding: FailureCluster | Insight
) -> FrozenFinding:
    members = _members(finding)
    rest = scope_rows(diagnosis, finding.scope, design) & ~members
    measure: Measure = "mean loss"
    if in_shares(finding):
        measure = "error rate"
    values = measured(diagnosis.outcomes, measure)

    def corrected(values: F64, difference: Estimate) -> float:
        """The members' mean, minus what the search added to their difference from the others of their scope."""
        centered = centre(values, design.centring_stratum)
        return float(values[members].mean() - (centered[members].mean() - centered[rest].mean()) + difference.value)

    value = corrected(values, tested_effect(finding))
    errors = diagnosis.outcomes.errors
    rate = None
    if errors is not None and finding.error_difference is not None:
        rate = float(np.clip(corrected(errors.astype(np.float64), finding.error_difference), 0, 1))
    text = finding.name if isinstance(finding, FailureCluster) else finding.text
    cut = None
    if isinstance(finding, Insight) and kind == "phrase":
        # half-way between the last sample that matches the phrase and the first that does not
        words = diagnosis.words
        assert words is not None
        assert finding.number is not None
        means = block_means(words.joint.vectors, design.centring_stratum)[design.centring_stratum]
        scores = along(words.joint.vectors, means, words.directions[finding.number])
        rows = scope_rows(diagnosis, finding.scope, design)
        cut = float((scores[finding.mask].min() + scores[rows & ~finding.mask].max()) / 2)
    groups = groups_at(diagnosis.samples.groups, members)
    return FrozenFinding(
        kind=kind,
        text=text,
        scope=finding.scope,
        n=finding.size,
        measure=measure,
        predicted=_predicted(values[members], groups, value, measure),
        index=index,
        cut=cut,
        spread=float(values[members].std()),
        likeness=likeness_within(values[members], groups),
        error_rate=rate,
    )


def _predicted(values: F64, groups: I64 | None, value: float, measure: Measure) -> Estimate:
    """The value, corrected for the search, with an interval that covers two: that of the value and that of the members'
    own mean. The members' mean is too high after a search and the corrected value may be too low; the truth lies
    between.

    Each reaches 1.96 standard errors (group bootstrap) for a loss, and Wilson's limits for an error rate: a few members
    chosen because all of them fail have no spread to bootstrap.

    Args:
        values: of the members, in the measure. groups: of the members.
    """
    spread = bootstrap_mean(values, groups, np.random.default_rng(0), repeats=400)
    error = 0.0
    if np.isfinite(spread.low):
        error = (spread.high - spread.low) / 3.92  # 2 * 1.96: a 95% interval to a standard error
    plain = float(values.mean())
    if measure == "mean loss":
        return Estimate(value, min(value, plain) - 1.96 * error, max(value, plain) + 1.96 * error)
    value = min(max(value, 0.0), 1.0)
    n = _independent(plain, len(values), error, groups)
    (low, high), (plain_low, plain_high) = wilson_limits(value, n), wilson_limits(plain, n)
    return Estimate(value, min(low, plain_low), max(high, plain_high))


def _independent(share: float, n: int, error: float, groups: I64 | None) -> float:
    """Number of independent samples whose standard error equals that of n samples in groups that fail together."""
    if groups is None or len(np.unique(groups)) == n:
        return n
    if error <= 0:
        return len(np.unique(groups))
    return min(n, max(1.0, share * (1 - share) / error**2))


def along(vectors: F32, means: F32, direction: F32) -> F32:
    """(n,) projection of each vector, less its mean, on the direction."""
    return ((vectors - means) @ direction).astype(np.float32)
