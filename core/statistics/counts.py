"""Counts and means that views show beside a test: of the samples as they are, corrected for nothing."""

from __future__ import annotations

import math

import numpy as np

from core.records import EVERYTHING, F64, I64, Bool, ClassFinding, Diagnosis, FailureCluster, Insight
from core.statistics.measures import has_wrong, tested_effect, tested_values


def n_wrong(diagnosis: Diagnosis, rows: Bool) -> int:
    """Errors among the rows of a mask (n,), in a run whose errors are known."""
    errors = diagnosis.outcomes.errors
    assert errors is not None
    return int(errors[rows].sum())


def rows_of_scope(diagnosis: Diagnosis, scope: str) -> Bool | None:
    """(n,) the rows of a class, or all; None where no class is called so, as of a superclass."""
    samples = diagnosis.samples
    if scope == EVERYTHING:
        return np.ones(len(samples), dtype=np.bool_)
    if samples.labels is not None and scope in samples.class_names:
        return samples.labels == samples.class_names.index(scope)
    return None


def mean_losses(diagnosis: Diagnosis, members: Bool, scope_name: str) -> tuple[float, float | None]:
    """Mean loss, capped as it was fitted, of the members and of the others of the scope; None where the scope's rows
    are unknown.

    Args:
        members: (n,) rows of a finding.
        scope_name: "all samples" or a class.
    """
    scope = rows_of_scope(diagnosis, scope_name)
    inside, others = means_of_rows(diagnosis.outcomes.fitted, np.flatnonzero(members), scope)
    if scope is None:
        return inside, None
    return inside, others


def means_of_rows(values: F64 | Bool, rows: I64, within: Bool | None = None) -> tuple[float, float | None]:
    """Mean of the rows, each counted once, nan without any; and of the others, None without any.

    Args:
        values: (n,) losses or errors.
        rows: row numbers.
        within: (n,) the rows that count as others; all by default.
    """
    others = np.ones(len(values), bool)
    if within is not None:
        others = within.copy()
    others[rows] = False
    inside = math.nan
    if len(rows):
        inside = float(values[np.unique(rows)].mean())
    if not others.any():
        return inside, None
    return inside, float(values[others].mean())


def mean_of_other_classes(diagnosis: Diagnosis, finding: ClassFinding) -> float:
    """Error rate of the samples of all other classes, or their mean loss where errors are unknown; nan without
    other classes."""
    outcomes = diagnosis.outcomes
    values = outcomes.loss
    if outcomes.errors is not None:
        values = outcomes.errors
    n_others = len(values) - finding.size
    if not n_others:
        return math.nan
    class_mean = finding.mean_loss
    if finding.error_rate is not None:
        class_mean = finding.error_rate
    return (float(values.sum()) - class_mean.value * finding.size) / n_others


def share_of_failures(diagnosis: Diagnosis) -> float:
    """Share of all errors that lie in any confirmed cluster, each counted at the cluster's corrected error rate; of all
    loss above the mean where errors are unknown, or there are none. nan where all losses are equal."""
    cluster_of = diagnosis.cluster_of()[0]
    loss = diagnosis.outcomes.loss
    errors = diagnosis.outcomes.errors
    if errors is not None and has_wrong(diagnosis.outcomes):
        weight = errors.astype(np.float64)
    else:
        errors = None
        weight = np.maximum(loss - loss.mean(), 0)
    for cluster in diagnosis.clusters:
        observed = float(weight[cluster.membership >= 0.5].mean())
        if errors is not None and cluster.error_rate is not None and observed > 0:
            weight[cluster_of == cluster.id] *= cluster.error_rate.value / observed
    total = float(weight.sum())
    if total <= 0:
        return math.nan
    return float(weight[cluster_of >= 0].sum()) / total


def share_inside(cluster: FailureCluster, insight: Insight) -> float:
    """Share of the cluster's members that meet the condition."""
    return float(insight.mask[cluster.membership >= 0.5].mean())


def top_members(diagnosis: Diagnosis, cluster: FailureCluster, most: int) -> I64:
    """Row numbers of at most `most` members, the highest membership first and among equals the higher loss."""
    members = np.flatnonzero(cluster.membership >= 0.5)
    order = np.lexsort((-diagnosis.outcomes.loss[members], -cluster.membership[members]))
    return members[order][:most].astype(np.int64)


def wrong_members(diagnosis: Diagnosis, cluster: FailureCluster, most: int) -> I64:
    """Row numbers of at most `most` members that are wrong and central: wrong ones by membership, then the others.

    The highest losses are often the oddest samples; these show what the members share. Where errors are unknown, a
    member with a loss above the mean of the members counts as wrong.
    """
    members = np.flatnonzero(cluster.membership >= 0.5)
    wrong = diagnosis.outcomes.errors
    if wrong is None:
        wrong = diagnosis.outcomes.loss > diagnosis.outcomes.loss[members].mean()
    order = np.lexsort((-diagnosis.outcomes.loss[members], -cluster.membership[members], ~wrong[members]))
    return members[order][:most].astype(np.int64)


def sample_weights(diagnosis: Diagnosis) -> F64:
    """(n,) how much more often to draw each sample in training, mean 1.

    A sample outside every confirmed cluster weighs 1 before scaling; a member of a cluster weighs 1 + membership times
    the lower bound of the excess in the measure that was tested, over its mean: the error rate, or the loss as it was
    fitted. Nothing confirmed: all weigh 1.
    """
    weights = np.ones(len(diagnosis.samples))
    for cluster in diagnosis.clusters:
        low = tested_effect(cluster).low
        mean = float(tested_values(cluster, diagnosis.outcomes).mean())
        if mean > 0 and math.isfinite(low) and low > 0:
            members = cluster.membership >= 0.5
            weights[members] = np.maximum(weights[members], 1 + cluster.membership[members] * low / mean)
    return weights / weights.mean()
