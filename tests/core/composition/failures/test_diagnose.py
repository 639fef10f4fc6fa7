"""Where a model of composition fails: a weakness planted in the margins is said in words, and none is said where there
is none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.checks.compare import compare
from core.checks.questions import ask
from core.composition.failures.diagnose import COMPOSITION, class_tag, diagnose_composition, joint_vectors
from core.composition.failures.second_model import two_models, with_second_result
from core.composition.scoring.run import run_composition
from core.discovery.conditions import build_conditions
from core.discovery.settings import EmbeddingSettings, Settings
from core.errors import InvalidInput
from core.records import F32, F64, Benchmark, Bool, CompositionResult, Diagnosis, LoadedBenchmark
from core.reports.html.diagnosis import write_report
from core.reports.wording.findings import sentence
from core.scenes.benchmarks import pictured as rendered
from core.scenes.items import RenderedPlan, draw_items
from core.store import load, save
from tests.support.benchmarks import Given, benchmark, choices, pair, pictured, queries

COLOURS, SHAPES, SIZES = ("red", "blue", "green", "white"), ("cube", "ball", "cone", "star"), ("small", "large")
QUICK = Settings(n_permutations=300, n_members=2, map=False, words=False)


class BagOfWords:
    """Sees a picture as noise of its own, and reads a caption as the sum of its words."""

    name, fingerprint, description, logit_scale = "bag", "bag-of-words", "For tests.", 100.0
    modality, finding_space, joint_space = "image", "bag", "bag-joint"

    def preprocess(self, image: Image.Image) -> F32:
        return np.asarray(image.convert("RGB"), np.float32).transpose(2, 0, 1)

    def encode_images(self, batch: F32) -> tuple[F32, F32]:
        rows = np.stack([_vector(bytes(pixels[:, 0, 0].astype(np.uint8).tolist())) for pixels in batch])
        return rows, rows

    def encode_texts(self, texts: Sequence[str]) -> F32:
        return np.stack([_vector(*(word.encode() for word in text.split())) for text in texts])

    def count_truncated(self, texts: Sequence[str]) -> int:
        return 0


def _vector(*parts: bytes) -> F32:
    seeds = [int.from_bytes(hashlib.sha256(part).digest()[:8]) for part in parts]
    total = np.sum([np.random.default_rng(seed).normal(size=32) for seed in seeds], axis=0)
    return (total / np.linalg.norm(total)).astype(np.float32)


@pytest.fixture(autouse=True)
def bag_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_encoder(name: str = "", **options: Any) -> BagOfWords:
        return BagOfWords()

    for module in ("core.encoders", "core.language.phrases"):
        monkeypatch.setattr(f"{module}.load_encoder", load_encoder)


def two_things(n: int, seed: int = 0) -> tuple[LoadedBenchmark, Bool]:
    """n items of two things whose colours or shapes are swapped, and which of them have one size."""
    rng = np.random.default_rng(seed)
    items, same = [], []
    for i in range(n):
        (c1, c2), (s1, s2) = rng.choice(COLOURS, 2, replace=False), rng.choice(SHAPES, 2, replace=False)
        z1, z2 = rng.choice(SIZES, 2)
        foil = f"a {z1} {c2} {s1} and a {z2} {c1} {s2}" if i % 2 else f"a {z1} {c1} {s2} and a {z2} {c2} {s1}"
        items.append(
            pair(
                f"i{i}",
                (2 * i, 2 * i + 1),
                (f"a {z1} {c1} {s1} and a {z2} {c2} {s2}", foil),
                kind="colour" if i % 2 else "shape",
            )
        )
        same.append(z1 == z2)
    return pictured(benchmark("pairs", items, "image")), np.array(same)


def scored(shown: LoadedBenchmark, margins: F64, name: str = "made") -> CompositionResult:
    """The result of a model in which caption i picks its picture by `margins[item, i]`."""
    matrices = tuple(np.array([[0.0, -b], [-a, 0.0]]) for a, b in margins)
    return run_composition(shown, Given(matrices, name=name), name=name, blind=False)


def weak_where(weak: Bool, seed: int, low: float = 0.2, high: float = 0.65) -> F64:
    """(n, 2) margins that are 0 or less with the chance `high` for weak items and `low` for others."""
    rng = np.random.default_rng(seed)
    wrong = rng.random((len(weak), 2)) < np.where(weak, high, low)[:, None]
    return np.where(wrong, -1, 1) * rng.uniform(0.01, 0.1, wrong.shape)


@pytest.fixture(scope="module")
def shown() -> tuple[LoadedBenchmark, Bool]:
    return two_things(150)


def test_a_planted_weakness_is_the_first_of_two_hundred_and_reads_well(shown: tuple[LoadedBenchmark, Bool]) -> None:
    found = diagnose_composition(shown[0], scored(shown[0], weak_where(shown[1], 0)), settings=QUICK)
    conditions, _ = build_conditions(found.samples.metadata, smallest=5, most=1500)
    assert len(conditions) >= 200
    first = next(i for i in found.insights if i.confirmed)
    assert first.text == "two things of the same size"
    assert "with two things of the same size are wrong" in sentence(found, first)


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
    save(found, tmp_path / "run")
    again = load(tmp_path / "run")
    assert again.extras[COMPOSITION] == found.extras[COMPOSITION]
    write_report(again, tmp_path / "report.html")
    assert "two things of the same size" in (tmp_path / "report.html").read_text("utf-8")


def test_a_picture_that_cannot_be_read_is_left_out_with_its_reason() -> None:
    shown, same = two_things(60)
    result = scored(shown, weak_where(same, 0))
    found = diagnose_composition(pictured(shown.benchmark, broken=[3]), result, settings=QUICK)
    assert "i1, caption 2" not in found.samples.ids
    assert [name for name, _ in found.excluded] == ["i1, caption 2"]


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


def test_a_second_result_is_matched_by_item_whatever_its_order(shown: tuple[LoadedBenchmark, Bool]) -> None:
    a, b = weak_where(shown[1], 0), weak_where(shown[1], 1)
    run = diagnose_composition(shown[0], scored(shown[0], a), settings=QUICK)
    order = np.random.default_rng(0).permutation(150)
    benchmark_b = replace(shown[0].benchmark, items=tuple(shown[0].benchmark.items[i] for i in order))
    moved = scored(LoadedBenchmark(benchmark_b, shown[0].store), b[order], "moved")
    both = with_second_result(run, shown[0], moved)
    np.testing.assert_array_equal(both.probes[0].outcomes.errors, b.ravel() <= 0)
    assert compare(both, "model", "moved").overall.n == 300


def test_a_second_result_is_given_the_runs_loss(shown: tuple[LoadedBenchmark, Bool]) -> None:
    a, b = weak_where(shown[1], 0), weak_where(shown[1], 1)
    run, _ = two_models(shown[0], scored(shown[0], a), scored(shown[0], b, "other"), settings=QUICK, loss="binding")
    assert run.outcomes.name == "negative binding"
    np.testing.assert_allclose(run.probes[0].outcomes.loss.reshape(-1, 2), -np.repeat(b.mean(1)[:, None], 2, 1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda run, b: (run, replace(b, headline="text")), "'text' score"),
        (lambda run, b: (run, replace(b, name="model")), "already has a result called"),
        (lambda run, b: (replace(run, extras={}), b), "no diagnosis of composition"),
    ],
)
def test_a_second_result_that_asks_something_else_is_refused(
    shown: tuple[LoadedBenchmark, Bool],
    change: Callable[[Diagnosis, CompositionResult], tuple[Diagnosis, CompositionResult]],
    said: str,
) -> None:
    result = scored(shown[0], weak_where(shown[1], 0))
    run, other = change(diagnose_composition(shown[0], result, settings=QUICK), replace(result, name="other"))
    with pytest.raises(InvalidInput, match=said):
        with_second_result(run, shown[0], other)


def test_too_few_items_are_refused_by_the_results_name() -> None:
    shown, same = two_things(10)
    with pytest.raises(InvalidInput, match=r"40 are needed|At least 40"):
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
    shown = rendered(draw_items(RenderedPlan(kinds=("colour", "size")), 60, 3, "seen"), "rendered")
    star = np.array([["star" in caption for caption in item.captions] for item in shown.benchmark.items])
    margins = np.where(star, -1, 1) * np.random.default_rng(0).uniform(0.01, 0.1, star.shape)
    embedding, settings = EmbeddingSettings(cache=tmp_path), replace(QUICK, words=True)
    found = diagnose_composition(shown, scored(shown, margins), embedding, settings=settings)
    assert next(i for i in found.insights if i.confirmed).text == "a star"
    (answer,) = ask(found, ["a picture of a star"], cache=tmp_path)
    assert answer.p is not None
    assert found.words is not None
    assert found.embeddings.vectors.shape[1] > found.words.joint.vectors.shape[1]
