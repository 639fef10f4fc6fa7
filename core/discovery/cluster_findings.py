"""From what the search found to what is shown: effects, coverage, counter-examples and a guess at the cause."""

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

COUNTEREXAMPLES = 24


def describe_clusters(
    found: Sequence[FoundCluster], samples: SampleSet, outcomes: Outcomes, design: Design, rows: F32, suspects: I64
) -> tuple[tuple[FailureCluster, ...], tuple[FailureCluster, ...], list[int]]:
    """Confirmed clusters in rank order, the candidates in the order given, and the index into `found` of each in that
    order.

    Ranked by the lower end of what was tested times the size: what fixing the cluster is at least worth.

    Args:
        rows: (n, r) features, for the nearest counter-examples.
        suspects: rows whose label is suspected.
    """
    made = [_describe(f, samples, outcomes, design, rows, suspects) for f in found]
    # a lower end in deviations of its measure, so that clusters of either measure can be ranked together
    worth = [cluster.size * _least(cluster, outcomes) for cluster in made]
    confirmed = sorted((i for i, f in enumerate(found) if f.confirmed), key=lambda i: -worth[i])
    others = [i for i, f in enumerate(found) if not f.confirmed]
    order = confirmed + others
    numbered = [
        _with_id(made[i], place, place - (0 if made[i].confirmed else len(confirmed))) for place, i in enumerate(order)
    ]
    return tuple(numbered[: len(confirmed)]), tuple(numbered[len(confirmed) :]), order


def _least(cluster: FailureCluster, outcomes: Outcomes) -> float:
    """The lower end of the difference in the tested measure, in its standard deviations."""
    return tested_effect(cluster).low / max(float(tested_values(cluster, outcomes).std()), 1e-12)


def _describe(
    found: FoundCluster, samples: SampleSet, outcomes: Outcomes, design: Design, rows: F32, suspects: I64
) -> FailureCluster:
    scope = found.scope
    inside = found.members
    statistic = found.statistic if found.confirmed else None
    everything = np.arange(len(samples))
    effects = effects_of(inside, scope.rows, outcomes, design, found.threshold, statistic, of=everything)
    return FailureCluster(
        id=-1,
        name="",
        scope=scope.name,
        membership=found.membership,
        size=int(inside.sum()),
        mean_loss=effects.mean_loss.value,
        excess_loss=effects.excess_loss,
        error_rate=effects.error_rate,
        error_outside=effects.error_outside,
        error_difference=effects.error_difference,
        p=found.p,
        coverage=effects.coverage,
        counterexamples=_counterexamples(found.membership, scope.rows, outcomes, rows),
        cause=_cause(inside, np.isin(everything, scope.rows) & ~inside, samples, outcomes, suspects),
        confirmed=found.confirmed,
        measure=found.measure,
        chance=found.chance,
        local_fdr=None if found.chance is None else local_fdr(found.chance),
    )


def _with_id(cluster: FailureCluster, place: int, in_list: int) -> FailureCluster:
    """The cluster with its place among all as its id, and a name by its place in its own list."""
    where = "" if cluster.scope == EVERYTHING else f" in {cluster.scope}"
    return replace(cluster, id=place, name=f"{'Cluster' if cluster.confirmed else 'Candidate'} {in_list + 1}{where}")


def _counterexamples(membership: F64, scope: I64, outcomes: Outcomes, rows: F32) -> I64:
    """For the worst members in turn, the nearest sample of the scope that the model does well on; no repeats."""
    losses = outcomes.fitted
    members = scope[membership[scope] >= 0.5]
    worst = members[np.argsort(-losses[members], kind="stable")][:COUNTEREXAMPLES]
    good = scope[(losses[scope] <= np.median(losses[scope])) & (membership[scope] < 0.5)]
    if outcomes.errors is not None:
        good = good[~outcomes.errors[good]]
    if not len(good) or not len(worst):
        return np.zeros(0, np.int64)
    distances = (
        (rows[worst] ** 2).sum(1)[:, None] - 2 * rows[worst] @ rows[good].T + (rows[good] ** 2).sum(1)[None]
    ).astype(np.float64)
    picked: list[int] = []
    for line in distances:
        nearest = int(line.argmin())
        if not np.isfinite(line[nearest]):
            break
        picked.append(int(good[nearest]))
        distances[:, nearest] = np.inf
    return np.array(picked, dtype=np.int64)


def _cause(inside: Bool, outside: Bool, samples: SampleSet, outcomes: Outcomes, suspects: I64) -> str:
    """A guess only where the data give a ground for it; "rare in training" would need the training data."""
    found = main_confusion(outcomes, inside, outside, len(samples.class_names))
    if found is not None and found.stands_out:
        return (
            f"confused with {samples.class_names[found.label]}: {found.share:.0%} of its errors go there, "
            f"against {found.elsewhere:.0%} of the other errors"
        )
    suspected = np.zeros(len(samples), bool)
    suspected[suspects] = True
    if suspected[inside].mean() > max(0.2, 3 * suspected[outside].mean()):
        return (
            f"unknown; {suspected[inside].sum()} of {inside.sum()} labels are worth checking (a confidently "
            "wrong model looks the same)"
        )
    return "unknown: whether such samples were rare in training takes the training data to tell"
