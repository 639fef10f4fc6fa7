"""What a second model brings and costs, in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from core.checks.checkpoints.follow import FollowedCluster
from core.checks.compare import compare_outcomes
from core.checks.model_cost import ModelCost
from core.records import UNDEFINED, Bool, Comparison, Diagnosis, Estimate
from core.reports.comparison import comparison_section
from core.reports.wording.comparison import scope_sentence
from core.reports.wording.second_model import (
    change_sentence,
    plain_change,
    plain_headline,
    second_headline,
    second_lines,
)
from tests.support.diagnoses import make_diagnosis

COSTS = ModelCost(6, 384, 22_600_000, 9.42), ModelCost(3, 384, 17_200_000, 4.69)


@pytest.fixture
def run() -> Diagnosis:
    return make_diagnosis(400, n_clusters=2)


def beside(run: Diagnosis, wrong: Bool) -> Comparison:
    return compare_outcomes(run, replace(run.outcomes, errors=wrong), "student")


def test_what_a_second_model_brings_and_costs_is_told(run: Diagnosis, golden: Callable[..., None]) -> None:
    errors = run.outcomes.errors
    assert errors is not None
    right = np.flatnonzero(~errors)
    few, many = errors.copy(), errors.copy()
    few[right[:2]], many[right[:40]] = True, True
    found = beside(run, errors)
    first, second = found.clusters
    worse = replace(first, p=0.01, difference=Estimate(-0.2, -0.3, -0.1), verdict="broken")
    better = replace(second, p=0.01, difference=Estimate(0.2, 0.1, 0.3), verdict="fixed")
    shared = replace(found, clusters=tuple(replace(f, verdict="shared") for f in found.clusters))
    untested = replace(first, p=None)
    of_clusters = {
        "One worse, one better": (worse, better),
        "One, fixed": (better,),
        "One, better and still hard": (replace(better, verdict="partly"),),
        "Hard for both: two": shared.clusters,
        "Hard for both: one": shared.clusters[:1],
        "None tested": (untested, untested),
        "None confirmed": (),
    }
    subset = replace(shared, clusters=(*shared.clusters, untested), rows=found.rows[:50])
    golden(
        "second_model.txt",
        {
            "A student's loss, which may be chance, and what it costs": second_lines(run, beside(run, few), COSTS),
            "A loss beyond chance": second_headline(run, beside(run, many), COSTS),
            "As often right": second_headline(run, found),
            "Always right": second_headline(run, beside(run, np.zeros(len(errors), bool))),
            "Without intervals": [
                " / ".join(plain_headline(run, of, "student")) for of in (beside(run, few), beside(run, many))
            ],
            "Of one group": [scope_sentence(found, first, run)],
            "A part of the samples, too few in a cluster": second_headline(run, subset),
        }
        | {title: second_headline(run, replace(found, clusters=some)) for title, some in of_clusters.items()},
    )


def test_the_test_the_noun_and_the_choice_of_groups_are_those_of_the_run(run: Diagnosis) -> None:
    errors = run.outcomes.errors
    assert errors is not None
    bare = replace(run, samples=replace(run.samples, items=None))
    found = beside(bare, ~errors)
    section = comparison_section(bare, found)
    assert "sign-flip p" in section.lead
    assert "400 samples" in section.lead
    assert "image" not in section.rows[0].text
    single = replace(bare, samples=replace(bare.samples, groups=None))
    assert "McNemar p" in comparison_section(single, beside(single, ~errors)).lead
    assert section.method[0].startswith("The groups were chosen because your model fails in them. P-values")
    others = comparison_section(bare, replace(found, a="weak", b="strong"))
    assert "your model fails in them. Each p-value" in others.method[0]
    untested = replace(found, classes=tuple(replace(c, p=None, verdict="open") for c in found.classes))
    assert "No class differs" not in " ".join(comparison_section(bare, untested).notes)


def test_a_change_says_where_it_rests_on_the_shared_samples(run: Diagnosis) -> None:
    cluster = run.clusters[0]
    rate = Estimate(0.5, 0.4, 0.6)
    size = cluster.size
    same = Estimate(0.0, -0.1, 0.1)
    followed = FollowedCluster(cluster, rate, (rate, rate), (0.1, 0.1), (size, size), same, 0.9)
    assert change_sentence(("a", "b"), followed) == "Wrong as often in b as in a (p = 0.90)."
    part = replace(followed, n=(size, size - 1))
    assert (
        change_sentence(("a", "b"), part) == "Wrong as often in b as in a on the samples that both answer (p = 0.90)."
    )
    none = replace(followed, n=(size, 0), rates=(rate, UNDEFINED), p=None)
    assert change_sentence(("a", "b"), none) == "b answers none of these samples."


def test_a_change_is_told_without_intervals_and_with_its_verdict(run: Diagnosis) -> None:
    cluster = run.clusters[0]
    first, last = Estimate(0.5, 0.4, 0.6), Estimate(0.25, 0.2, 0.3)
    fell = Estimate(-0.25, -0.4, -0.1)
    followed = FollowedCluster(cluster, first, (first, last), (0.1, 0.1), (20, 20), fell, 0.01)
    assert plain_change(("a", "b"), followed) == "50% wrong in a, 25% in b. It fell."
    assert plain_change(("a", "b"), replace(followed, p=0.2)).endswith("25% in b. Could be chance.")
    assert plain_change(("a", "b"), replace(followed, p=None)).endswith("25% in b. Not tested.")
    rose = replace(followed, change=Estimate(0.25, 0.1, 0.4), rates=(last, first))
    assert plain_change(("a", "b"), rose) == "25% wrong in a, 50% in b. It rose."
    assert plain_change(("b",), replace(followed, rates=(last,), n=(20,), p=None)) == "25% wrong in b."
    none = replace(followed, n=(20, 0), rates=(first, UNDEFINED), p=None)
    assert plain_change(("a", "b"), none) == "b answers none of these samples."
