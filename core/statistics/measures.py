"""The measures of failure: each sample's value in one, and a finding's difference in the one that was tested."""

from __future__ import annotations

import numpy as np

from core.records import F64, Estimate, FailureCluster, Insight, Measure, Outcomes


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
