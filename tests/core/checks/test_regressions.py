"""Where a second model is worse than the first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.checks.second_model import _within_range, diagnose_regressions, difference_of_errors, with_outcomes
from core.discovery.settings import Settings
from core.errors import InvalidInput
from core.records import Bool, Diagnosis, Estimate, Outcomes, other_models
from tests.support.diagnoses import make_diagnosis

QUICK = Settings(n_permutations=199, map=False)


def beside(run: Diagnosis, wrong: Bool) -> Diagnosis:
    rows = np.arange(len(run.samples))
    outcomes = Outcomes(wrong.astype(float), "0/1 error", "error", "given", errors=wrong)
    return with_outcomes(run, "new", "given", outcomes, rows, "Read from a table.")


def world(n: int = 600) -> tuple[Diagnosis, Bool]:
    """A run whose first model is wrong on a fifth, wherever it is; and the rows of a region of the embedding."""
    made = make_diagnosis(n=n)
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(n, 8)).astype(np.float32)
    region = np.arange(n) % 12 == 0
    vectors[region] += np.array([4, 0, 0, 0, 0, 0, 0, 0], np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    errors = rng.random(n) < 0.2
    outcomes = Outcomes(errors.astype(float), "0/1 error", "error", "given", errors=errors)
    samples = replace(made.samples, metadata=(), labels=None, groups=None)
    return replace(
        made, samples=samples, outcomes=outcomes, embeddings=replace(made.embeddings, vectors=vectors), words=None
    ), region


def test_the_difference_is_one_where_the_second_alone_is_wrong() -> None:
    run = make_diagnosis()
    assert run.outcomes.errors is not None
    wrong = np.arange(60) % 2 == 0
    given = beside(run, wrong)
    difference = difference_of_errors(given, other_models(given)[-1])
    assert difference.loss.tolist() == [int(b) - int(a) for a, b in zip(run.outcomes.errors, wrong, strict=True)]
    assert difference.loss.mean() == pytest.approx(wrong.mean() - run.outcomes.errors.mean())


def test_a_region_that_the_second_model_broke_is_found_and_said_to_be_so() -> None:
    run, region = world()
    assert run.outcomes.errors is not None
    rng = np.random.default_rng(5)
    wrong = np.where(region, rng.random(600) < 0.8, run.outcomes.errors)
    given = beside(run, wrong)
    found = diagnose_regressions(given, other_models(given)[-1], settings=QUICK)
    assert found.clusters
    members = found.clusters[0].membership >= 0.5
    assert members[region].mean() > 0.8
    assert region[members].mean() > 0.7
    assert any("breaks" in note and "fixes" in note for note in found.notes)


def test_the_first_models_own_failures_are_no_regressions() -> None:
    run, region = world()
    rng = np.random.default_rng(6)
    errors = np.where(region, rng.random(600) < 0.9, rng.random(600) < 0.1)
    run = replace(run, outcomes=replace(run.outcomes, loss=errors.astype(float), errors=errors))
    flipped = rng.random(600) < 0.1
    given = beside(run, errors ^ flipped)
    found = diagnose_regressions(given, other_models(given)[-1], settings=QUICK)
    assert not [c for c in found.clusters if region[c.membership >= 0.5].mean() > 0.5]


def test_two_models_that_are_wrong_alike_and_unknown_errors_are_refused() -> None:
    run = make_diagnosis()
    assert run.outcomes.errors is not None
    same = beside(run, run.outcomes.errors)
    with pytest.raises(InvalidInput, match="breaks none"):
        diagnose_regressions(same, other_models(same)[-1], settings=QUICK)
    unknown = make_diagnosis(with_errors=False)
    given = beside(unknown, np.zeros(60, bool))
    with pytest.raises(InvalidInput, match="Only losses are known for one of the models"):
        diagnose_regressions(given, other_models(given)[-1], settings=QUICK)


def test_no_interval_of_a_difference_reaches_beyond_what_can_be() -> None:
    run, region = world(240)
    rng = np.random.default_rng(7)
    given = beside(run, np.where(region, rng.random(240) < 0.95, rng.random(240) < 0.3))
    found = diagnose_regressions(given, other_models(given)[-1], settings=QUICK)
    sets = (*found.clusters, *found.candidates)
    assert sets
    effects = [*(one.excess_loss for one in sets), *(one.effect for one in found.insights)]
    assert all(effect.low >= -2 and effect.high <= 2 for effect in effects if np.isfinite(effect.low))
    wide = replace(sets[0], excess_loss=Estimate(0.9, -0.4, 2.6), mean_loss=1.2)
    fewer = replace(make_diagnosis().classes[0], mean_loss=Estimate(-0.9, -1.3, 1.1))
    held = _within_range(replace(found, candidates=(wide,), classes=(fewer,)))
    assert (held.candidates[0].excess_loss.high, held.candidates[0].mean_loss) == (2, 1)
    assert held.classes[0].mean_loss.to_dict() == Estimate(-0.9, -1.0, 1.0).to_dict()
