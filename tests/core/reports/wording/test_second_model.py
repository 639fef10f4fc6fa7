"""What a second model brings and costs, in one sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.checks.compare import compare_outcomes
from core.checks.model_cost import ModelCost
from core.records import Bool, Comparison, Diagnosis, Estimate
from core.reports.wording.second_model import second_headline, second_lines
from tests.support.diagnoses import make_diagnosis

COSTS = ModelCost(6, 384, 22_600_000, 9.42), ModelCost(3, 384, 17_200_000, 4.69)


@pytest.fixture
def run() -> Diagnosis:
    return make_diagnosis(400, n_clusters=2)


def beside(run: Diagnosis, wrong: Bool) -> Comparison:
    return compare_outcomes(run, replace(run.outcomes, errors=wrong), "student")


def test_a_student_is_faster_and_its_loss_is_a_loss_only_beyond_chance(run: Diagnosis) -> None:
    errors = run.outcomes.errors
    assert errors is not None
    right = np.flatnonzero(~errors)
    few, many = errors.copy(), errors.copy()
    few[right[:2]], many[right[:40]] = True, True
    assert second_headline(run, beside(run, few), COSTS).startswith(
        "The student is 2.0 times as fast and loses 0.5 points (which may be chance, "
    )
    said = second_headline(run, beside(run, many), COSTS)
    assert said.startswith("The student is 2.0 times as fast and loses 10.0 points (−")
    assert "chance" not in said.split(";")[0]
    assert second_headline(run, beside(run, errors)).startswith(
        "The second model is right as often; none of the 2 failure"
    )
    assert second_headline(run, beside(run, np.zeros(len(errors), bool))).startswith("The second model gains ")
    assert second_lines(run, beside(run, few), COSTS)[1].startswith(
        "The student has 3 layers x 384 in place of 6 x 384"
    )


def test_clusters_that_grew_worse_are_counted(run: Diagnosis) -> None:
    errors = run.outcomes.errors
    assert errors is not None
    found = beside(run, errors)
    first, second = found.clusters
    worse = replace(first, p=0.01, difference=Estimate(-0.2, -0.3, -0.1), verdict="broken")
    better = replace(second, p=0.01, difference=Estimate(0.2, 0.1, 0.3), verdict="fixed")
    said = second_headline(run, replace(found, clusters=(worse, better)))
    assert said.endswith("; 1 of the 2 failure clusters grew worse beyond chance, and it fails less in 1 of them.")
    mended = second_headline(run, replace(found, clusters=(better,)))
    assert "; it fails less in the one failure cluster (20.0 points, " in mended
    assert mended.endswith("p = 0.010).")
    still = second_headline(run, replace(found, clusters=(replace(better, verdict="partly"),)))
    assert still.endswith("p = 0.010), and still more there than elsewhere.")
    shared = replace(found, clusters=tuple(replace(f, verdict="shared") for f in found.clusters))
    assert second_headline(run, shared).endswith("grew worse beyond chance, and it too fails in all of them.")
    one = replace(shared, clusters=shared.clusters[:1])
    assert second_headline(run, one).endswith("did not grow worse beyond chance, and it too fails there.")
    few = replace(shared, clusters=(*shared.clusters, replace(first, p=None)), rows=found.rows[:50])
    said = second_headline(run, few)
    assert said.startswith("On 50 of the run's 400 images the second model is right as often")
    assert said.endswith("it too fails in all of them, and 1 more has too few of these samples.")
    untested = replace(found, clusters=tuple(replace(f, p=None) for f in found.clusters))
    assert second_headline(run, untested).endswith("; each failure cluster goes untested.")
    none = replace(found, clusters=())
    assert second_headline(run, none).endswith("; no failure cluster was confirmed in which it could be worse.")
