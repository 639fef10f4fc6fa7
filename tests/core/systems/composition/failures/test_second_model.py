"""Two models of composition beside each other: the same pairs, whatever their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from core.checks.compare import compare
from core.errors import InvalidInput
from core.records import Bool, Diagnosis, other_models
from core.systems.composition.failures.diagnose import diagnose_composition
from core.systems.composition.failures.second_model import two_models, with_second_result
from core.systems.composition.records import CompositionResult, LoadedBenchmark
from tests.support.two_things import QUICK, scored, weak_where

pytestmark = pytest.mark.usefixtures("bag_of_words")


@pytest.fixture
def run(shown: tuple[LoadedBenchmark, Bool], bag_of_words: None) -> Diagnosis:
    """Of a model that is weak where `shown` says; made once."""
    if not _made:
        _made.append(diagnose_composition(shown[0], scored(shown[0], weak_where(shown[1], 0)), settings=QUICK))
    return _made[0]


_made: list[Diagnosis] = []


def test_two_models_are_compared_on_the_same_pairs_of_picture_and_caption(shown: tuple[LoadedBenchmark, Bool]) -> None:
    a, b = weak_where(shown[1], 0), weak_where(np.zeros(150, bool), 1, low=0.1)
    run, comparison = two_models(shown[0], scored(shown[0], a), scored(shown[0], b, "adapted"), settings=QUICK)
    wrong_a, wrong_b = a.ravel() <= 0, b.ravel() <= 0
    overall = comparison.overall
    assert (overall.fixed, overall.broken, overall.both) == (
        int((wrong_a & ~wrong_b).sum()),
        int((~wrong_a & wrong_b).sum()),
        int((wrong_a & wrong_b).sum()),
    )
    assert (comparison.a, comparison.b) == ("model", "adapted")
    assert sum(row.n for row in comparison.classes) == 300
    assert [row.cluster for row in comparison.clusters] == [c.id for c in run.clusters]


def test_a_second_result_is_matched_by_item_whatever_its_order(
    shown: tuple[LoadedBenchmark, Bool], run: Diagnosis
) -> None:
    b = weak_where(shown[1], 1)
    order = np.random.default_rng(0).permutation(150)
    benchmark_b = replace(shown[0].benchmark, items=tuple(shown[0].benchmark.items[i] for i in order))
    moved = scored(LoadedBenchmark(benchmark_b, shown[0].store), b[order], "moved")
    both = with_second_result(run, shown[0], moved)
    np.testing.assert_array_equal(other_models(both)[0].outcomes.errors, b.ravel() <= 0)
    assert compare(both, "model", "moved").overall.n == 300


def test_a_second_result_is_given_the_runs_loss(shown: tuple[LoadedBenchmark, Bool]) -> None:
    a, b = weak_where(shown[1], 0), weak_where(shown[1], 1)
    run, _ = two_models(shown[0], scored(shown[0], a), scored(shown[0], b, "other"), settings=QUICK, loss="binding")
    assert run.outcomes.name == "negative binding"
    np.testing.assert_allclose(other_models(run)[0].outcomes.loss.reshape(-1, 2), -np.repeat(b.mean(1)[:, None], 2, 1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda run, b: (run, replace(b, headline="text")), "'text' score"),
        (lambda run, b: (run, replace(b, name="model")), "already has a result named"),
        (lambda run, b: (replace(run, extras={}), b), "this run is another kind"),
    ],
)
def test_a_second_result_that_asks_something_else_is_refused(
    shown: tuple[LoadedBenchmark, Bool],
    run: Diagnosis,
    change: Callable[[Diagnosis, CompositionResult], tuple[Diagnosis, CompositionResult]],
    said: str,
) -> None:
    result = scored(shown[0], weak_where(shown[1], 0))
    changed, other = change(run, replace(result, name="other"))
    with pytest.raises(InvalidInput, match=said):
        with_second_result(changed, shown[0], other)
