"""The measures of failure: each sample's value in one, a finding's difference in the one that was tested, and the order
in which findings are shown."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from core.records import F64, Diagnosis, Estimate, FailureCluster, Insight, Measure, Outcomes


def default_measure(outcomes: Outcomes) -> Measure:
    """The error rate, or the mean loss where errors are unknown: of what was tested in neither."""
    return "mean loss" if outcomes.errors is None else "error rate"


def measured(outcomes: Outcomes, measure: Measure) -> F64:
    """(n,) 0/1 errors where the measure is the error rate, else the losses as they are fitted (clipped).

    Raises:
        AssertionError: error rates are asked for and errors are unknown.
    """
    if measure == "mean loss":
        return outcomes.fitted
    assert outcomes.errors is not None
    return outcomes.errors.astype(np.float64)


def in_shares(found: FailureCluster | Insight) -> bool:
    """True where the finding is one of the error rate, False where it is one of the loss."""
    return found.measure == "error rate" and found.error_difference is not None


def tested_effect(found: FailureCluster | Insight) -> Estimate:
    """The difference from the rest of the scope in the measure that was tested: its interval stays off 0."""
    of_loss = found.effect if isinstance(found, Insight) else found.excess_loss
    return found.error_difference if in_shares(found) and found.error_difference is not None else of_loss


def tested_values(found: FailureCluster | Insight, outcomes: Outcomes) -> F64:
    """(n,) what `tested_effect` is a difference of means of."""
    return measured(outcomes, "error rate" if in_shares(found) else "mean loss")


def strongest_first(insights: Iterable[Insight]) -> list[Insight]:
    """Phrases and conditions in the order in which they are shown everywhere.

    Confirmed ones first: those of the error rate, then those of the loss, each by the lower end of the interval of
    `tested_effect`, the least that the search leaves of it. Then exploratory ones, whose excess nothing corrected, by
    how well they retrieve their cluster or selection. Equal ones keep their order.
    """
    return sorted(insights, key=_place)


def _place(insight: Insight) -> tuple[bool, bool, float]:
    if not insight.confirmed:
        return True, True, -(insight.retrieval or 0.0)
    effect = tested_effect(insight)
    return False, not in_shares(insight), -(effect.value if math.isnan(effect.low) else effect.low)


def insights_of(diagnosis: Diagnosis, cluster: int | None, kind: str = "") -> list[Insight]:
    """The insights on a cluster by its id (None: those that stand alone), strongest first; of one kind if named."""
    return strongest_first(i for i in diagnosis.insights if i.cluster == cluster and kind in ("", i.kind))


def insights_in_order(diagnosis: Diagnosis) -> list[Insight]:
    """Every insight: those on the first cluster, on the second and so on, then those that stand alone."""
    return sorted(strongest_first(diagnosis.insights), key=lambda i: math.inf if i.cluster is None else i.cluster)
