"""Every adapter on a tiny CLIP, from images to scores: trained, saved, opened again, and refused where it does not
belong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.encoders.open_clip.encoder import OpenClipEncoder
from core.errors import Cancelled, InvalidInput
from core.records import ItemStore
from core.systems.composition.adapters import ADAPTERS, make_adapter
from core.systems.composition.records import LoadedBenchmark
from core.systems.composition.scenes.shipped import draw_training, open_shipped
from core.systems.composition.scoring.encoder import EncoderScorer
from core.systems.composition.scoring.run import run_composition
from core.systems.composition.training.adapted import Adapted, load_adapted, tower_of
from core.systems.composition.training.adapted_scorer import AdaptedScorer, read_tokens
from core.systems.composition.training.loop import Training
from core.systems.composition.training.reranking import RerankingScorer
from core.systems.composition.training.scorers import matrix_of, rerank_matches, scorer_of
from core.systems.composition.training.train import adapt
from tests.core.encoders.open_clip.test_token_tower import changed

pytestmark = pytest.mark.usefixtures("few_searched")

HOW = Training(epochs=1, batch=4)


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_opened_again_scores_the_same(
    name: str, encoder: OpenClipEncoder, training: LoadedBenchmark, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"hidden": 64} if "hidden" in make_adapter(name).__dataclass_fields__ else {}
    found = adapt(training, name, settings, HOW, encoder)
    found.save(tmp_path)
    test = open_shipped(n=4)
    again = scorer_of(str(tmp_path))
    assert again.fingerprint == found.fingerprint
    for a, b in zip(AdaptedScorer(found).score(test).matrices, again.score(test).matrices):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert found.record.curve[0].number == 0
    assert found.record.n_training + found.record.n_validation == 12


def test_an_untrained_linear_adapter_scores_as_the_encoder_does(encoder: OpenClipEncoder) -> None:
    read = read_tokens(open_shipped(n=4), encoder)
    module = make_adapter("linear").build(tower_of(encoder), encoder, 0)
    data = read.data
    at = np.arange(len(data.captions))
    cosine = data.images.pooled @ data.texts.pooled.T
    texts, images = module.texts(data.text_rows(at))[0], module.images(data.image_rows(np.arange(8)))[0]
    np.testing.assert_allclose((images @ texts.T).detach().numpy(), cosine, atol=2e-3)


def test_an_adapter_of_other_weights_is_refused(
    encoder: OpenClipEncoder, training: LoadedBenchmark, tmp_path: Path
) -> None:
    adapt(training, "linear", {}, HOW, encoder).save(tmp_path / "adapter")
    other = OpenClipEncoder(f"local-dir:{changed({'width': 48})(tmp_path / 'other')}")
    with pytest.raises(InvalidInput, match="Train it again on this encoder"):
        load_adapted(tmp_path / "adapter", other)


def test_damaged_adapters_are_refused_with_one_sentence(
    encoder: OpenClipEncoder, training: LoadedBenchmark, tmp_path: Path
) -> None:
    adapt(training, "linear", {}, HOW, encoder).save(tmp_path)
    said = json.loads((tmp_path / "adapter.json").read_text())
    changes: list[dict[str, Any]] = [{"adapter": value} for value in ("none", "local", [])]
    changes += [{"curve": value} for value in (3, [], [{"number": 0}])]
    changes += [{"best": value} for value in (99, -1, "x")]
    changes += [{"format": 99}, {"weights": "0"}, {"settings": []}, {"settings": None}, {"encoder": 3}, {"taught": [3]}]
    changes += [{"rerank": value} for value in (-1, "1", True, float("nan"), 10**400)]
    changes += [{"weighed": [{"weight": 1.0, "right": None, "found": []}]}, {"weighed": "x"}]
    changes += [{"n_training": "x"}, {"seconds": None}, {"benchmark": 3}]
    for change in changes:
        (tmp_path / "adapter.json").write_text(json.dumps(said | change))
        with pytest.raises(InvalidInput, match=r"again|Use one of|Use the whole"):
            load_adapted(tmp_path, encoder)
    told = {
        "{": "cannot be read: adapter.json is not valid JSON",
        "[]": "must be an object",
        json.dumps({k: v for k, v in said.items() if k != "weights"}): "has no weights",
        json.dumps({k: v for k, v in said.items() if k != "tower"}): "has no tower",
        json.dumps(said | {"best": 99}): "best must be below 2, its epochs: got 99",
        json.dumps(said | {"rerank": -1}): "rerank must be at least 0: got '-1'",
        "[" * 5000: "nested too deep",
    }
    for text, why in told.items():  # none of it in Python's words
        (tmp_path / "adapter.json").write_text(text)
        with pytest.raises(InvalidInput, match=rf"adapter.json in .*{why}.*\. Train the adapter again\."):
            load_adapted(tmp_path, encoder)
    with pytest.raises(InvalidInput, match="no adapter"):
        load_adapted(tmp_path / "nowhere", encoder)


def test_items_of_the_training_are_counted_where_they_are_scored(
    encoder: OpenClipEncoder, training: LoadedBenchmark
) -> None:
    found = adapt(training, "linear", {}, HOW, encoder)
    assert AdaptedScorer(found).score(training).taught == frozenset(range(12))
    again = RerankingScorer(EncoderScorer(encoder), AdaptedScorer(found))
    assert again.score(training).taught == frozenset(range(12))
    assert not AdaptedScorer(found).score(open_shipped(n=4)).taught


def test_a_picture_that_cannot_be_read_costs_its_item_alone(
    encoder: OpenClipEncoder, training: LoadedBenchmark
) -> None:
    test = open_shipped(n=6)

    class Broken(ItemStore):
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __len__(self) -> int:
            return len(self.inner)

        def name(self, index: int) -> str:
            return self.inner.name(index)

        def read(self, index: int) -> bytes:
            return b"no image" if self.name(index).endswith("000003.png") else self.inner.read(index)

    scorer = AdaptedScorer(adapt(training, "linear", {}, HOW, encoder))
    whole, broken = scorer.score(test), scorer.score(LoadedBenchmark(test.benchmark, Broken(test.store)))
    assert list(broken.unreadable) == [3]
    assert np.isnan(broken.matrices[1]).all(1).tolist() == [True, True] or np.isnan(broken.matrices[1][1]).all()
    for i in (0, 2, 3, 4, 5):
        np.testing.assert_allclose(whole.matrices[i], broken.matrices[i], atol=1e-5)
    result = run_composition(LoadedBenchmark(test.benchmark, Broken(test.store)), scorer, blind=False)
    assert len(result.ids) == 5
    assert "cannot be read" in result.excluded[0][1]


@pytest.mark.parametrize("adapter", ["linear", "mm-adapter"])
def test_the_matrix_of_all_pictures_and_texts_holds_the_scores_of_single_pairs(
    adapter: str, encoder: OpenClipEncoder, training: LoadedBenchmark
) -> None:
    scorer = AdaptedScorer(adapt(training, adapter, {}, HOW, encoder))
    test = open_shipped(n=2)
    first = test.benchmark.items[0]
    whole = matrix_of(scorer, test.store, [*first.captions, first.captions[0]])
    np.testing.assert_allclose(whole[list(first.pictures)][:, :2], scorer.score(test).matrices[0], atol=1e-4)
    np.testing.assert_array_equal(whole[:, 0], whole[:, 2])


def test_the_matrix_of_a_frozen_encoder_is_its_cosine(encoder: OpenClipEncoder) -> None:
    test = open_shipped(n=2)
    scorer = EncoderScorer(encoder)
    found = matrix_of(scorer, test.store, list(test.benchmark.items[0].captions))
    np.testing.assert_allclose(found[:2], scorer.score(test).matrices[0], atol=1e-6)


def test_matches_are_reranked_among_themselves(
    encoder: OpenClipEncoder, training: LoadedBenchmark, tmp_path: Path
) -> None:
    found = adapt(training, "mm-adapter", {"hidden": 64}, HOW, encoder)
    images, rows = open_shipped(n=4).store, np.array([5, 2, 7, 0, 3])

    def order(weight: float) -> list[int]:
        Adapted(replace(found.record, rerank=weight), found.module, encoder).save(tmp_path)
        return rerank_matches(load_adapted(tmp_path), rows, "a red cube", images, most=4).tolist()

    first, second = (
        matrix_of(scorer, images.keep(rows[:4]), ["a red cube"])[:, 0]
        for scorer in (EncoderScorer(encoder), AdaptedScorer(found))
    )
    assert order(0.0) == [*rows[np.argsort(-first)].tolist(), 3]
    assert order(1e6) == [*rows[np.argsort(-second)].tolist(), 3]


def test_a_training_can_be_stopped_and_says_what_it_does(encoder: OpenClipEncoder, training: LoadedBenchmark) -> None:
    steps: list[str] = []

    def stop(step: str, done: int, total: int) -> None:
        steps.append(step)
        if step == "train":
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        adapt(training, "linear", {}, HOW, encoder, progress=stop)
    assert set(steps) >= {"tokens", "caption tokens", "train"}


def test_an_encoder_without_tokens_is_refused(training: LoadedBenchmark) -> None:
    class Bare:
        name, fingerprint = "bare", "bare"

    with pytest.raises(InvalidInput, match="gives no tokens"):
        adapt(training, "linear", {}, HOW, Bare())  # type: ignore[arg-type]


def test_none_of_the_training_pairs_is_tested() -> None:
    learned, tested = draw_training(300, 0).benchmark, open_shipped(n=200).benchmark
    unseen = [item for item in tested.items if item.tags["split"] == "unseen"]
    assert len(unseen) == 100
    assert not {c for item in unseen for c in item.captions} & {c for item in learned.items for c in item.captions}
