"""From what was found to what is shown: effects, coverage, counter-examples, causes and ranks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.discovery.cluster_findings import MAX_COUNTEREXAMPLES, describe_clusters
from core.discovery.clusters import FoundCluster
from core.discovery.design import make_design
from core.discovery.search.family import Candidate
from core.records import F64, I64, Bool, FailureCluster, Outcomes, SampleSet

N = 200
ROWS = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
NONE = np.zeros(0, np.int64)
LABELS = (np.arange(N) % 2).astype(np.int64)
SCOPES = make_design(SampleSet(tuple(map(str, range(N))), labels=LABELS, class_names=("cat", "dog"))).scopes


def made(members: Bool, *, confirmed: bool = True, statistic: float = 8.0, scope: int = 0) -> FoundCluster:
    membership = np.where(members, 0.8, 0.2)
    return FoundCluster(
        Candidate("slice", scope, 0, 0.1, -1),
        SCOPES[scope],
        members,
        membership,
        statistic,
        3.0,
        0.005 if confirmed else None,
        confirmed,
    )


def describe(
    found: list[FoundCluster],
    losses: F64,
    *,
    errors: Bool | None = None,
    predictions: I64 | None = None,
    suspects: I64 = NONE,
    groups: I64 | None = None,
) -> tuple[tuple[FailureCluster, ...], tuple[FailureCluster, ...], list[int]]:
    samples = SampleSet(tuple(map(str, range(N))), labels=LABELS, class_names=("cat", "dog"), groups=groups)
    outcomes = Outcomes(losses, "loss", "loss", "given", errors=errors, predictions=predictions)
    return describe_clusters(found, samples, outcomes, make_design(samples), ROWS, suspects)


def first(mask: Bool, losses: F64, **more: object) -> FailureCluster:
    return describe([made(mask)], losses, **more)[0][0]  # type: ignore[arg-type]


def noise() -> F64:
    return np.random.default_rng(1).gamma(1.0, 1.0, N)


def test_a_cluster_is_measured_on_its_members_against_the_rest_of_its_scope() -> None:
    members = np.arange(N) < 30
    losses, errors = noise() + 2 * members, (np.arange(N) % 5 == 0) | (np.arange(N) < 15)
    cluster = first(members, losses, errors=errors)
    assert cluster.size == 30
    assert cluster.scope == "all samples"
    assert cluster.mean_loss == pytest.approx(losses[:30].mean(), rel=0.01)
    plain = losses[:30].mean() - losses[30:].mean()
    assert cluster.excess_loss.low < plain < cluster.excess_loss.high
    assert cluster.excess_loss.value == pytest.approx(
        plain, rel=0.05
    )  # a statistic of 8 is far beyond its threshold of 3
    assert cluster.error_rate.value == pytest.approx(errors[:30].mean(), rel=0.01)
    assert cluster.error_outside == pytest.approx(errors[30:].mean())
    assert cluster.error_difference.value == pytest.approx(errors[:30].mean() - errors[30:].mean(), rel=0.05)
    assert cluster.error_difference.low >= -1
    assert cluster.error_difference.high <= 1


def test_inside_a_class_the_rest_is_the_rest_of_the_class() -> None:
    members = (np.arange(N) < 40) & (np.arange(N) % 2 == 1)
    losses = noise()
    cluster = describe([made(members, scope=2)], losses)[0][0]
    assert cluster.scope == "dog"
    assert cluster.name == "Cluster 1 in dog"
    rest = (np.arange(N) % 2 == 1) & ~members
    low, high = cluster.excess_loss.low, cluster.excess_loss.high
    assert (low + high) / 2 == pytest.approx(losses[members].mean() - losses[rest].mean())


def test_coverage_is_the_share_of_errors_or_of_loss_above_the_mean() -> None:
    members, losses = np.arange(N) < 30, noise()
    errors = np.arange(N) % 3 == 0
    covered = first(members, losses, errors=errors).coverage
    assert covered.value == pytest.approx(errors[:30].sum() / errors.sum(), rel=0.01)
    assert 0 <= covered.low <= covered.value <= covered.high <= 1
    above = np.maximum(losses - losses.mean(), 0)
    assert first(members, losses).coverage.value == pytest.approx(above[:30].sum() / above.sum())
    assert np.isnan(first(members, losses, errors=np.zeros(N, bool)).coverage.value)


def test_clusters_are_ranked_by_lower_bound_times_size_and_candidates_follow() -> None:
    small, large, other = np.arange(N) < 12, (np.arange(N) >= 50) & (np.arange(N) < 110), np.arange(N) >= 170
    losses = 0.2 * noise() + 3 * small + 2 * large
    clusters, candidates, order = describe([made(other, confirmed=False), made(small), made(large)], losses)
    assert order == [2, 1, 0]
    assert [c.size for c in clusters] == [60, 12]
    assert [c.id for c in (*clusters, *candidates)] == [0, 1, 2]
    assert [c.name for c in (*clusters, *candidates)] == ["Cluster 1", "Cluster 2", "Candidate 1"]
    worth = [c.excess_loss.low * c.size for c in clusters]
    assert worth == sorted(worth, reverse=True)
    assert candidates[0].p is None
    assert not candidates[0].confirmed


def test_counter_examples_are_the_nearest_good_rows_of_the_scope_without_repeats() -> None:
    members, losses = np.arange(N) < 30, noise() + 3 * (np.arange(N) < 30)
    errors = losses > 3
    cluster = first(members, losses, errors=errors)
    picked = cluster.counterexamples
    assert len(picked) == len(set(picked.tolist())) == MAX_COUNTEREXAMPLES
    good = ~members & (losses <= np.median(losses)) & ~errors
    assert good[picked].all()
    taken: set[int] = set()
    for row, near in zip(np.argsort(-losses[:30], kind="stable"), picked):
        left = [i for i in np.flatnonzero(good) if i not in taken]
        assert near == min(left, key=lambda i: float(((ROWS[i].astype(float) - ROWS[row].astype(float)) ** 2).sum()))
        taken.add(int(near))


def test_counter_examples_run_out_quietly() -> None:
    members = np.arange(N) < 30
    losses = np.where(np.arange(N) >= 195, 0.0, 1.0 + members)
    assert set(first(members, losses, errors=losses >= 1).counterexamples.tolist()) == set(range(195, N))
    assert len(first(members, losses, errors=np.ones(N, bool)).counterexamples) == 0


def test_a_cause_is_only_guessed_where_the_data_give_a_ground() -> None:
    members, losses = np.arange(N) < 40, noise()
    errors = members | (np.arange(N) % 5 == 0)
    labels = np.arange(N) % 2
    assert first(members, losses).cause == "unknown. Compare with your training set."
    assert first(members, losses, suspects=np.arange(20)).cause == (
        "unknown. Check 20 of 40 labels: they may be wrong, or the model is confidently wrong."
    )
    spread = np.where(errors, 1 - labels, labels)
    assert first(members, losses, errors=errors, predictions=spread).cause.startswith("unknown. ")
    one_way = np.where(errors & members, 1, spread)  # within the cluster all go to dog
    cause = first(members, losses, errors=errors, predictions=one_way).cause
    assert cause.startswith("confused with dog: 100% of its errors go there, ")


def test_a_barely_passed_finding_is_shrunk_and_stays_in_its_interval() -> None:
    members = np.arange(N) < 30
    losses = noise() + members
    clear, bare = (replace(made(members), statistic=s) for s in (12.0, 3.01))
    (a,), (b,) = describe([clear], losses)[0], describe([bare], losses)[0]
    assert b.excess_loss.low <= b.excess_loss.value < 0.8 * a.excess_loss.value


def test_of_a_0_1_error_no_limit_of_the_excess_lies_beyond_what_a_difference_of_rates_can_be() -> None:
    members, errors = np.arange(N) < 4, np.arange(N) < 3
    plain = first(members, noise() + 3 * errors, errors=errors)
    own = first(members, errors.astype(np.float64), errors=errors)
    assert plain.excess_loss.high > 1  # any other loss has no such end
    assert own.excess_loss == own.error_difference
    assert own.excess_loss.high == 1
    assert own.error_rate is not None
    assert own.mean_loss == own.error_rate.value
    assert 0.5 < own.excess_loss.value < 1
