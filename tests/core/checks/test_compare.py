"""Two models side by side: the four counts, the corrected difference, and what a verdict needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.checks.compare import compare, compare_outcomes, names_of
from core.checks.paired_errors import MODEL
from core.errors import InvalidInput
from core.records import Diagnosis, Outcomes
from core.statistics.paired import mcnemar
from tests.support.diagnoses import make_diagnosis


def other(errors: np.ndarray) -> Outcomes:
    return Outcomes(errors.astype(np.float64), "0/1 error", "error", "made", errors=errors)


@pytest.fixture
def run() -> Diagnosis:
    """A diagnosis whose model's errors are drawn with a seed."""
    found = make_diagnosis()
    errors = np.random.default_rng(3).random(len(found.samples)) < 0.4
    return replace(found, outcomes=replace(found.outcomes, errors=errors), samples=replace(found.samples, groups=None))


def test_the_four_counts_are_those_of_a_plain_loop_and_add_up(run: Diagnosis) -> None:
    a, b = run.outcomes.errors, np.random.default_rng(4).random(len(run.samples)) < 0.3
    found = compare_outcomes(run, other(b))
    loop = {"fixed": 0, "broken": 0, "both": 0, "neither": 0}
    for x, y in zip(a.tolist(), b.tolist()):
        loop["both" if x and y else "fixed" if x else "broken" if y else "neither"] += 1
    counts = {key: getattr(found.overall, key) for key in loop}
    assert counts == loop
    assert found.overall.n == sum(loop.values()) == len(run.samples)
    assert found.overall.p == mcnemar(loop["fixed"], loop["broken"])
    assert sum(c.n for c in found.classes) == len(run.samples)
    assert [c.cluster for c in found.clusters] == [c.id for c in run.clusters]


def test_the_difference_is_positive_where_the_second_model_is_better(run: Diagnosis) -> None:
    never_wrong = compare_outcomes(run, other(np.zeros(len(run.samples), bool)))
    assert never_wrong.overall.difference.value == pytest.approx(run.outcomes.errors.mean())
    assert never_wrong.overall.verdict == "fixed"
    always = compare_outcomes(run, other(np.ones(len(run.samples), bool)))
    assert always.overall.difference.value < 0
    assert always.overall.verdict == "broken"


def test_the_same_errors_differ_nowhere(run: Diagnosis) -> None:
    found = compare_outcomes(run, other(run.outcomes.errors.copy()))
    assert found.overall.difference.value == 0
    assert found.overall.p == 1
    assert found.agreement == pytest.approx(1)
    assert not {c.verdict for c in found.classes} - {"open"}


def test_inside_a_cluster_the_difference_pays_for_how_the_cluster_was_chosen(run: Diagnosis) -> None:
    cluster = run.clusters[0]
    inside = cluster.membership >= 0.5
    chosen = replace(cluster, error_rate=replace(cluster.excess_loss, value=0.8, low=0.5, high=0.9), error_outside=0.2)
    chosen = replace(chosen, error_difference=replace(cluster.excess_loss, value=0.4, low=0.1, high=0.7))
    b = np.zeros(len(run.samples), bool)
    found = compare_outcomes(replace(run, clusters=(chosen,)), other(b)).clusters[0]
    plain = float(run.outcomes.errors[inside].mean())
    assert found.difference.value == pytest.approx(plain - (0.8 - 0.2 - 0.4))


def test_a_second_model_that_fails_in_the_same_cluster_shares_it_and_one_that_does_not_leaves_it_the_models_own() -> (
    None
):
    rng = np.random.default_rng(0)
    base, n = make_diagnosis(), 60
    many = 10  # the small diagnosis ten times over, so that there is something to tell
    samples = replace(
        base.samples,
        ids=tuple(f"{i}-{c}" for c in range(many) for i in base.samples.ids),
        items=None,
        labels=None,
        groups=None,
        metadata=(),
        model_outputs=(),
        splits=None,
    )
    membership = np.tile(base.clusters[0].membership, many)
    inside = membership >= 0.5
    a = rng.random(n * many) < np.where(inside, 0.5, 0.05)
    cluster = replace(base.clusters[0], membership=membership, scope="all samples", error_rate=None)
    run = replace(base, samples=samples, clusters=(cluster,), outcomes=other(a))
    shared = compare_outcomes(run, other(rng.random(n * many) < np.where(inside, 0.9, 0.3))).clusters[0]
    own = compare_outcomes(run, other(rng.random(n * many) < 0.5)).clusters[0]
    fixed = compare_outcomes(run, other(rng.random(n * many) < 0.1)).clusters[0]
    assert (shared.verdict, own.verdict, fixed.verdict) == ("shared", "own", "fixed")
    hopeless = compare_outcomes(run, other(rng.random(n * many) < 0.97)).clusters[
        0
    ]  # it could not fail more inside if it would
    assert hopeless.excess_gap.low > 0
    assert not hopeless.room
    assert hopeless.verdict == "broken"
    assert shared.shares.value == pytest.approx(0.6, abs=0.1)


def test_a_model_without_known_errors_is_not_compared(run: Diagnosis) -> None:
    blind = replace(run, outcomes=replace(run.outcomes, errors=None))
    assert MODEL not in names_of(blind)
    with pytest.raises(InvalidInput, match="only losses are known"):
        compare_outcomes(blind, other(np.zeros(len(run.samples), bool)))


def test_a_name_that_is_not_there_is_answered_with_those_that_are(run: Diagnosis) -> None:
    with pytest.raises(InvalidInput, match=r"no result called 'coop'.*model"):
        compare(run, MODEL, "coop")
    with pytest.raises(InvalidInput, match="No probe was run"):
        compare(run)
    with pytest.raises(InvalidInput, match="Two different models"):
        compare(run, MODEL, MODEL)
