"""Two models of composition beside each other: the same pairs, whatever their order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.checks.compare import compare
from core.errors import InvalidInput
from core.records import Bool, other_models
from core.systems.composition.failures.diagnose import diagnose_composition
from core.systems.composition.records import LoadedBenchmark
from tests.support.two_things import QUICK, scored, weak_where

pytestmark = pytest.mark.usefixtures("bag_of_words")


def test_two_models_are_compared_on_the_same_pairs_whatever_their_order(shown: tuple[LoadedBenchmark, Bool]) -> None:
    a, b = weak_where(shown[1], 0), weak_where(np.zeros(150, bool), 1, low=0.1)
    order = np.random.default_rng(0).permutation(150)
    benchmark_b = replace(shown[0].benchmark, items=tuple(shown[0].benchmark.items[i] for i in order))
    moved = scored(LoadedBenchmark(benchmark_b, shown[0].store), b[order], "adapted")
    run = diagnose_composition(shown[0], scored(shown[0], a), second=moved, settings=QUICK)
    np.testing.assert_array_equal(other_models(run)[0].outcomes.errors, b.ravel() <= 0)
    comparison = compare(run, "model", "adapted")
    wrong_a, wrong_b = a.ravel() <= 0, b.ravel() <= 0
    overall = comparison.overall
    assert (overall.fixed, overall.broken, overall.both) == (
        int((wrong_a & ~wrong_b).sum()),
        int((~wrong_a & wrong_b).sum()),
        int((wrong_a & wrong_b).sum()),
    )
    assert sum(row.n for row in comparison.classes) == 300
    assert [row.cluster for row in comparison.clusters] == [c.id for c in run.clusters]


def test_a_second_result_is_given_the_runs_loss(shown: tuple[LoadedBenchmark, Bool]) -> None:
    a, b = weak_where(shown[1], 0), weak_where(shown[1], 1)
    second = scored(shown[0], b, "other")
    run = diagnose_composition(shown[0], scored(shown[0], a), second=second, settings=QUICK, loss="binding")
    assert run.outcomes.name == "negative binding"
    np.testing.assert_allclose(other_models(run)[0].outcomes.loss.reshape(-1, 2), -np.repeat(b.mean(1)[:, None], 2, 1))


def test_a_second_result_with_the_name_of_the_runs_model_is_refused(shown: tuple[LoadedBenchmark, Bool]) -> None:
    result = scored(shown[0], weak_where(shown[1], 0))
    with pytest.raises(InvalidInput, match="already has a result named"):
        diagnose_composition(shown[0], result, second=replace(result, name="model"), settings=QUICK)
