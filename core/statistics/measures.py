"""The measures of failure: values by sample, a finding's difference in its tested measure, and the order of
findings."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from core.records import F64, Diagnosis, Estimate, FailureCluster, Insight, Measure, Outcomes


def default_measure(outcomes: Outcomes) -> Measure:
    """The measure of findings that were not tested: the error rate, or the mean loss where errors are unknown."""
    return "mean loss" if outcomes.errors is None else "error rate"


def has_wrong(outcomes: Outcomes) -> bool:
    """True if errors are known and there is at least one: else shares of all errors are undefined."""
    return outcomes.errors is not None and bool(outcomes.errors.any())


def measured(outcomes: Outcomes, measure: Measure) -> F64:
    """(n,) 0/1 errors where the measure is the error rate, else the fitted (clipped) losses.

    Raises:
        AssertionError: the measure is the error rate and errors are unknown.
    """
    if measure == "mean loss":
        return outcomes.fitted
    assert outcomes.errors is not None
    return outcomes.errors.astype(np.float64)


def in_shares(finding: FailureCluster | Insight) -> bool:
    """True for a finding of the error rate, False for one of the loss."""
    return finding.measure == "error rate" and finding.error_difference is not None


def tested_effect(finding: FailureCluster | Insight) -> Estimate:
    """The difference from the others of the scope in the tested measure; a confirmed finding's interval excludes 0."""
    if finding.error_difference is not None and in_shares(finding):
        return finding.error_difference
    return finding.effect if isinstance(finding, Insight) else finding.excess_loss


def tested_values(finding: FailureCluster | Insight, outcomes: Outcomes) -> F64:
    """(n,) values whose difference of means is `tested_effect`."""
    return measured(outcomes, "error rate" if in_shares(finding) else "mean loss")


def strongest_first(insights: Iterable[Insight]) -> list[Insight]:
    """Phrases and conditions in the order in which they are shown everywhere.

    Confirmed ones come first: those of the error rate, then those of the loss, as points of error and units of loss
    have no common scale. Each kind is ordered by the lower end of the interval of `tested_effect`; the value itself
    would favor small groups, whose excess is the least certain. Then come those that are not confirmed, by AUROC, since
    their excess is not corrected for the search. Ties keep their order (docs/decisions/strongest-first.md).
    """
    return sorted(insights, key=_rank)


def _rank(insight: Insight) -> tuple[bool, bool, float]:
    if not insight.confirmed:
        return True, True, -(insight.retrieval or 0.0)
    effect = tested_effect(insight)
    return False, not in_shares(insight), -(effect.value if math.isnan(effect.low) else effect.low)


def insights_of(diagnosis: Diagnosis, cluster: int | None, kind: str = "") -> list[Insight]:
    """The insights on a cluster by its id (None: those without a cluster), strongest first; of a kind, if named."""
    return strongest_first(i for i in diagnosis.insights if i.cluster == cluster and kind in ("", i.kind))


def insights_in_order(diagnosis: Diagnosis) -> list[Insight]:
    """Every insight: those on the first cluster, on the second and so on, then those without a cluster."""
    return sorted(strongest_first(diagnosis.insights), key=lambda i: math.inf if i.cluster is None else i.cluster)
