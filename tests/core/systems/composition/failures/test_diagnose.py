"""Where a model of composition fails: a weakness planted in the margins is said in words, and none is said where there
is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.checks.questions import ask
from core.discovery.conditions import build_conditions
from core.discovery.settings import EmbeddingSettings
from core.errors import InvalidInput
from core.records import Bool
from core.reports.html.diagnosis import write_report
from core.reports.wording.findings import sentence
from core.store import load, save
from core.systems.composition.failures.diagnose import COMPOSITION, class_tag, diagnose_composition, joint_vectors
from core.systems.composition.records import Benchmark, LoadedBenchmark
from core.systems.composition.scenes.benchmarks import pictured as rendered
from core.systems.composition.scenes.items import RenderedPlan, draw_items
from core.systems.composition.scoring.run import run_composition
from tests.support.benchmarks import Given, benchmark, choices, pair, pictured, queries
from tests.support.two_things import QUICK, scored, two_things, weak_where

pytestmark = pytest.mark.usefixtures("bag_of_words")


@pytest.mark.slow
def test_a_planted_weakness_is_the_first_of_two_hundred_and_reads_well(shown: tuple[LoadedBenchmark, Bool]) -> None:
    found = diagnose_composition(shown[0], scored(shown[0], weak_where(shown[1], 0)), settings=QUICK)
    conditions, _ = build_conditions(found.samples.metadata, smallest=5, most=1500)
    assert len(conditions) >= 200
    first = next(i for i in found.insights if i.confirmed)
    assert first.text == "two things of the same size"
    assert "with two things of the same size: wrong on " in sentence(found, first)


@pytest.mark.slow
def test_shuffled_margins_claim_nothing(shown: tuple[LoadedBenchmark, Bool]) -> None:
    margins = np.random.default_rng(5).permutation(weak_where(shown[1], 0))
    found = diagnose_composition(shown[0], scored(shown[0], margins), settings=QUICK)
    assert not found.clusters
    assert not any(i.confirmed for i in found.insights)
    assert not any(c.confirmed for c in found.classes)


def test_a_kind_that_fails_as_a_whole_is_a_class_that_fails(shown: tuple[LoadedBenchmark, Bool]) -> None:
    kinds = np.array([item.tags["kind"] == "shape" for item in shown[0].benchmark.items])
    found = diagnose_composition(shown[0], scored(shown[0], weak_where(kinds, 1)), settings=QUICK)
    assert [c.name for c in found.classes if c.confirmed] == ["shape"]
    assert not any(i.confirmed for i in found.insights)
    assert found.samples.class_names == ("shape", "colour")


def test_a_run_says_what_it_is_of_and_can_be_stored_and_reported(
    shown: tuple[LoadedBenchmark, Bool], tmp_path: Path
) -> None:
    result = scored(shown[0], weak_where(shown[1], 0))
    found = diagnose_composition(shown[0], result, settings=QUICK)
    assert found.outcomes.name == "negative margin"
    assert found.extras[COMPOSITION]["headline"] == "image"
    assert found.extras[COMPOSITION]["value"] == pytest.approx(result.correct["image"].mean())
    assert len(found.samples) == 300
    assert found.samples.groups is not None
    assert len(set(found.samples.groups.tolist())) == 150
    save(found, tmp_path / "run.errata")
    again = load(tmp_path / "run.errata")
    assert again.extras[COMPOSITION] == found.extras[COMPOSITION]
    write_report(again, tmp_path / "report.html")
    assert "two things of the same size" in (tmp_path / "report.html").read_text("utf-8")


def test_a_picture_that_cannot_be_read_is_left_out_with_its_reason() -> None:
    shown, same = two_things(60)
    result = scored(shown, weak_where(same, 0))
    found = diagnose_composition(pictured(shown.benchmark, broken=[3]), result, settings=QUICK)
    assert "i1, caption 2" not in found.samples.ids
    assert [name for name, _ in found.excluded] == ["i1, caption 2"]


def test_too_few_items_are_refused_by_the_results_name() -> None:
    shown, same = two_things(10)
    with pytest.raises(InvalidInput, match=r"40 are needed|at least 40"):
        diagnose_composition(shown, scored(shown, weak_where(same, 0)), settings=QUICK)


def test_choices_and_queries_can_be_diagnosed() -> None:
    rng = np.random.default_rng(2)
    for made in (choices(60), queries(60, 80, rng)):
        scores = tuple(rng.normal(size=(len(item.pictures), len(item.captions))) for item in made.items)
        result = run_composition(pictured(made), Given(scores), blind=False)
        found = diagnose_composition(pictured(made), result, settings=QUICK)
        assert len(found.samples) == 60
        assert (found.outcomes.errors is None) == (made.kind == "retrieval")


def test_cosines_are_the_weighted_mean_of_both_cosines() -> None:
    rng = np.random.default_rng(0)
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (rng.normal(size=(9, 5)), rng.normal(size=(9, 4))))
    joined = joint_vectors(a.astype(np.float32), b.astype(np.float32), 0.3)
    own = b - b.mean(0)
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    np.testing.assert_allclose(joined @ joined.T, 0.3 * a @ a.T + 0.7 * own @ own.T, atol=1e-5)


@pytest.mark.parametrize(
    ("tags", "average", "expected"),
    [({"kind": "a"}, "", "kind"), ({"relation": "on"}, "relation", "relation"), ({"half": "1"}, "", "")],
)
def test_the_class_is_the_kind_or_what_the_headline_is_averaged_over(
    tags: dict[str, str], average: str, expected: str
) -> None:
    made: Benchmark = benchmark("pairs", [replace(pair("x"), tags=tags)], "image", average=average)
    assert class_tag(pictured(made)) == expected


@pytest.mark.slow
def test_a_run_on_rendered_scenes_can_be_asked_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()  # the embedded encoder
    shown = rendered(draw_items(RenderedPlan(kinds=("colour", "size")), 40, 3, "seen"), "rendered")
    star = np.array([["star" in caption for caption in item.captions] for item in shown.benchmark.items])
    margins = np.where(star, -1, 1) * np.random.default_rng(0).uniform(0.01, 0.1, star.shape)
    (tmp_path / "phrases.txt").write_text(
        "light: in the dark\nweather: in fog\nsurface: on grass\ncolour: red\n", "utf-8"
    )
    embedding = EmbeddingSettings(cache=tmp_path, vocabulary=tmp_path / "phrases.txt")
    settings = replace(QUICK, words=True)
    found = diagnose_composition(shown, scored(shown, margins), embedding, settings=settings)
    assert next(i for i in found.insights if i.confirmed).text == "a star"
    assert found.words is not None
    (answer,) = ask(found, ["a star"], cache=tmp_path)  # the vocabulary has no star; the captions say where one is
    assert answer.counted == "a star"
    assert answer.untested == ""
    np.testing.assert_array_equal(answer.scores, star.ravel())
    assert answer.p is not None
    assert answer.p < 0.05
    assert found.embeddings.vectors.shape[1] > found.words.joint.vectors.shape[1]
