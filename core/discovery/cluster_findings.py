"""From what the search found to what is shown: effects, coverage, counter-examples and a guess at the cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.discovery.clusters import FoundCluster
from core.records import F32, F64, I64, Bool, Estimate, FailureCluster, Outcomes, SampleSet
from core.statistics.intervals import UNDEFINED, bootstrap, searched_difference, wilson

COUNTEREXAMPLES = 24


def describe_clusters(
    found: Sequence[FoundCluster], samples: SampleSet, outcomes: Outcomes, rows: F32, suspects: I64, *, seed: int
) -> tuple[tuple[FailureCluster, ...], tuple[FailureCluster, ...], list[int]]:
    """Confirmed clusters in rank order, the candidates that did not pass, and the index into `found` of each in that
    order.

    Ranked by the lower end of the excess loss times the size: what fixing the cluster is at least worth.

    Args:
        rows: (n, r) features, for the nearest counter-examples.
        suspects: rows whose label is suspected.
    """
    made = [_describe(f, samples, outcomes, rows, suspects, seed) for f in found]
    confirmed = sorted(
        (i for i, f in enumerate(found) if f.confirmed), key=lambda i: -made[i].excess_loss.low * made[i].size
    )
    others = [i for i, f in enumerate(found) if not f.confirmed]
    order = confirmed + others
    numbered = [_with_id(made[i], place) for place, i in enumerate(order)]
    return tuple(numbered[: len(confirmed)]), tuple(numbered[len(confirmed) :]), order


def _describe(
    found: FoundCluster, samples: SampleSet, outcomes: Outcomes, rows: F32, suspects: I64, seed: int
) -> FailureCluster:
    scope, inside = found.scope, found.members
    outside = np.zeros(len(samples), bool)
    outside[scope.rows] = True
    outside &= ~inside
    statistic = found.statistic if found.confirmed else None
    losses = outcomes.fitted
    errors = None if outcomes.errors is None else outcomes.errors.astype(np.float64)
    difference = None
    if errors is not None:
        difference = bounded_share(searched_difference(errors[inside], errors[outside], found.threshold, statistic))
    return FailureCluster(
        id=-1,
        name="",
        scope=scope.name,
        membership=found.membership,
        size=int(inside.sum()),
        mean_loss=float(losses[inside].mean()),
        excess_loss=searched_difference(losses[inside], losses[outside], found.threshold, statistic),
        error_rate=None if outcomes.errors is None else _rate(outcomes.errors[inside], samples.groups, inside, seed),
        error_outside=None if errors is None else float(errors[outside].mean()),
        error_difference=difference,
        p=found.p,
        coverage=coverage(inside, outcomes, samples.groups, seed),
        counterexamples=_counterexamples(found.membership, scope.rows, outcomes, rows),
        cause=_cause(inside, outside, samples, outcomes, suspects),
        confirmed=found.confirmed,
    )


def _with_id(cluster: FailureCluster, place: int) -> FailureCluster:
    where = "" if cluster.scope == "all samples" else f" in {cluster.scope}"
    return replace(cluster, id=place, name=f"{'Cluster' if cluster.confirmed else 'Candidate'} {place + 1}{where}")


def bounded_share(estimate: Estimate, least: float = -1.0) -> Estimate:
    """A difference of shares cannot leave [-1, 1], a share not [0, 1]."""
    return Estimate(*(float(np.clip(v, least, 1)) for v in (estimate.value, estimate.low, estimate.high)))


def _rate(wrong: Bool, groups: I64 | None, rows: Bool, seed: int) -> Estimate:
    if groups is None or len(np.unique(groups[rows])) == len(wrong):
        return wilson(int(wrong.sum()), len(wrong))
    rng = np.random.default_rng(seed)
    return bootstrap(lambda i: float(wrong[i].mean()), len(wrong), groups[rows], rng, repeats=300)


def coverage(inside: Bool, outcomes: Outcomes, groups: I64 | None, seed: int, within: I64 | None = None) -> Estimate:
    """Share of all failures inside; where errors are unknown, of all loss above the mean. `within` counts only those of
    these rows."""
    if within is not None:
        inside, outcomes, groups = inside[within], outcomes.keep(within), None if groups is None else groups[within]
    above = np.maximum(outcomes.fitted - outcomes.fitted.mean(), 0)
    weight = above if outcomes.errors is None else outcomes.errors.astype(np.float64)
    if weight.sum() <= 0:
        return UNDEFINED

    def share(i: I64) -> float:
        total = float(weight[i].sum())
        return float(weight[i][inside[i]].sum()) / total if total > 0 else float("nan")

    return bootstrap(share, len(weight), groups, np.random.default_rng(seed), repeats=300)


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
    if outcomes.errors is not None and outcomes.predictions is not None and samples.class_names:
        wrong_in, wrong_out = inside & outcomes.errors, outside & outcomes.errors
        if wrong_in.sum() >= 8:
            known = wrong_in & (outcomes.predictions >= 0)
            counts = np.bincount(outcomes.predictions[known], minlength=len(samples.class_names))
            top = int(counts.argmax())
            share_in = counts[top] / wrong_in.sum()
            share_out = float((outcomes.predictions[wrong_out] == top).mean()) if wrong_out.any() else 0.0
            if share_in >= 0.5 and share_in >= share_out + 0.15:
                return (
                    f"confused with {samples.class_names[top]}: {share_in:.0%} of its errors go there, "
                    f"against {share_out:.0%} of the other errors"
                )
    suspected = np.zeros(len(samples), bool)
    suspected[suspects] = True
    if suspected[inside].mean() > max(0.2, 3 * suspected[outside].mean()):
        return (
            f"unknown; {suspected[inside].sum()} of {inside.sum()} labels are worth checking (a confidently "
            "wrong model looks the same)"
        )
    return "unknown: whether such samples were rare in training takes the training data to tell"
