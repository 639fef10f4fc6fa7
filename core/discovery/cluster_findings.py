"""Describes the clusters of the search: effects, coverage, counterexamples and a guess at the cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.discovery.clusters import FoundCluster
from core.discovery.design import Design
from core.discovery.effects import effects_of
from core.records import EVERYTHING, F32, F64, I64, Bool, FailureCluster, Outcomes, SampleSet
from core.statistics.confusion import main_confusion
from core.statistics.local_fdr import local_fdr
from core.statistics.measures import tested_effect, tested_values

MAX_COUNTEREXAMPLES = 24
"""Similar samples that the model gets right, listed for each cluster at most; a convention."""
MIN_SUSPECT_SHARE = 0.2
SUSPECT_RATIO = 3
"""Labels are named as a cluster's likely cause where more than MIN_SUSPECT_SHARE of its labels are suspected, and more
than SUSPECT_RATIO times the share outside. Conventions."""


def describe_clusters(
    searched: Sequence[FoundCluster], samples: SampleSet, outcomes: Outcomes, design: Design, rows: F32, suspects: I64
) -> tuple[tuple[FailureCluster, ...], tuple[FailureCluster, ...], list[int]]:
    """Confirmed clusters in rank order, the candidates in their order, and for each its index into `searched`.

    Clusters rank by the lower end of the tested difference times the size: the least that fixing one is worth. The
    lower end is in standard deviations of its measure, so that clusters of either measure can be ranked together.

    Args:
        rows: (n, r) features, for the nearest counterexamples.
        suspects: rows whose label is suspected.
    """
    described = [_describe(cluster, samples, outcomes, design, rows, suspects) for cluster in searched]
    worth: list[float] = []
    for cluster in described:
        deviation = max(float(tested_values(cluster, outcomes).std()), 1e-12)
        worth.append(cluster.size * (tested_effect(cluster).low / deviation))
    confirmed = sorted((i for i, cluster in enumerate(searched) if cluster.confirmed), key=lambda i: -worth[i])
    candidates = [i for i, cluster in enumerate(searched) if not cluster.confirmed]
    order = confirmed + candidates
    numbered: list[FailureCluster] = []
    for number, i in enumerate(order):
        cluster = described[i]
        title = f"Cluster {number + 1}"
        if not cluster.confirmed:
            title = f"Candidate {number - len(confirmed) + 1}"
        if cluster.scope != EVERYTHING:
            title = f"{title} in {cluster.scope}"
        numbered.append(replace(cluster, id=number, name=title))
    return tuple(numbered[: len(confirmed)]), tuple(numbered[len(confirmed) :]), order


def _describe(
    cluster: FoundCluster, samples: SampleSet, outcomes: Outcomes, design: Design, rows: F32, suspects: I64
) -> FailureCluster:
    scope = cluster.scope
    inside = cluster.members
    statistic = cluster.statistic if cluster.confirmed else None
    everything = np.arange(len(samples))
    effects = effects_of(inside, scope.rows, outcomes, design, cluster.threshold, statistic, of=everything)
    return FailureCluster(
        id=-1,
        name="",
        scope=scope.name,
        membership=cluster.membership,
        size=int(inside.sum()),
        mean_loss=effects.mean_loss.value,
        excess_loss=effects.excess_loss,
        error_rate=effects.error_rate,
        error_outside=effects.error_outside,
        error_difference=effects.error_difference,
        p=cluster.p,
        coverage=effects.coverage,
        counterexamples=_counterexamples(cluster.membership, scope.rows, outcomes, rows),
        cause=_cause(inside, np.isin(everything, scope.rows) & ~inside, samples, outcomes, suspects),
        confirmed=cluster.confirmed,
        measure=cluster.measure,
        chance=cluster.chance,
        local_fdr=None if cluster.chance is None else local_fdr(cluster.chance),
    )


def _counterexamples(membership: F64, scope: I64, outcomes: Outcomes, rows: F32) -> I64:
    """For the worst members in turn, the nearest sample of the scope that the model gets right; no repeats."""
    losses = outcomes.fitted
    members = scope[membership[scope] >= 0.5]
    worst = members[np.argsort(-losses[members], kind="stable")][:MAX_COUNTEREXAMPLES]
    good = scope[(losses[scope] <= np.median(losses[scope])) & (membership[scope] < 0.5)]
    if outcomes.errors is not None:
        good = good[~outcomes.errors[good]]
    if not len(good) or not len(worst):
        return np.zeros(0, np.int64)
    distances = (rows[worst] ** 2).sum(1)[:, None] - 2 * rows[worst] @ rows[good].T + (rows[good] ** 2).sum(1)[None]
    distances = distances.astype(np.float64)
    picked: list[int] = []
    for line in distances:
        nearest = int(line.argmin())
        if not np.isfinite(line[nearest]):
            break
        picked.append(int(good[nearest]))
        distances[:, nearest] = np.inf
    return np.array(picked, dtype=np.int64)


def _cause(inside: Bool, outside: Bool, samples: SampleSet, outcomes: Outcomes, suspects: I64) -> str:
    """A guess only where the data support one; "rare in training" would need the training data."""
    confusion = main_confusion(outcomes, inside, outside, len(samples.class_names))
    if confusion is not None and confusion.stands_out:
        return (
            f"confused with {samples.class_names[confusion.label]}: {confusion.share:.0%} of its errors go there, "
            f"{confusion.elsewhere:.0%} of the other errors."
        )
    suspected = np.zeros(len(samples), bool)
    suspected[suspects] = True
    if suspected[inside].mean() > max(MIN_SUSPECT_SHARE, SUSPECT_RATIO * suspected[outside].mean()):
        return (
            f"unknown. Check {suspected[inside].sum()} of {inside.sum()} labels: they may be wrong, or the model is "
            "confidently wrong."
        )
    return "unknown. Compare with your training set."
