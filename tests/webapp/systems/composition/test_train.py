"""Training on the page: the plan, what a stop leaves, and what stands there afterwards."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import core.encoders
from core.encoders.open_clip.encoder import OpenClipEncoder
from core.errors import Cancelled, InvalidInput
from core.systems.common.epochs import Epoch
from core.systems.composition.adapters import ADAPTERS
from core.systems.composition.scenes.shipped import open_shipped
from core.systems.composition.training import scorers
from core.systems.composition.training.adapted import AdapterRecord
from core.systems.composition.training.forgetting import ForgettingCheck
from core.systems.composition.training.reranking import WeighedReranking
from tests.support.composed import pairs
from tests.support.forgetting import lost_accuracy
from tests.support.tiny_clip import TWO, write_model
from tests.webapp.markup.test_html import Tags
from webapp.state.downloads import fresh_folder
from webapp.systems.composition import train as tab
from webapp.systems.composition.models import ModelAccess
from webapp.systems.composition.train import learn, on_learned, on_plan, on_train
from webapp.systems.composition.train_form import PART, RENDERED, Plan, adapters, read_plan
from webapp.systems.composition.train_view import ITEM_EPOCH_S, curve_view, trained_view
from webapp.systems.composition.visit import ComposeState

pytestmark = pytest.mark.usefixtures("few_searched")

ACCESS = ModelAccess()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> OpenClipEncoder:
    return OpenClipEncoder(f"local-dir:{write_model(tmp_path_factory.mktemp('clip') / 'model', TWO)}")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tiny: OpenClipEncoder) -> ComposeState:
    """An open benchmark of eight items and a tiny CLIP in the embedded encoder's place."""
    monkeypatch.setattr(core.encoders, "load_encoder", lambda name="embedded", **kw: tiny)
    monkeypatch.setattr(scorers, "load_encoder", lambda name="embedded", **kw: tiny)
    monkeypatch.setattr(tab, "_regression", lambda adapted, progress: "not in this test")
    found = open_shipped(n=8)
    return ComposeState("own", found, found)


def test_every_adapter_is_offered_with_an_estimate() -> None:
    assert {name for _, name in adapters()} == set(ADAPTERS) == set(ITEM_EPOCH_S)
    assert "About" in on_plan("local", RENDERED, "", 1000, 6)
    assert "half of the open benchmark" in on_plan("local", PART, "", 1000, 6)


@pytest.mark.parametrize(("n", "epochs", "seed"), [(10, 6, 0), (1e9, 6, 0), (400, 0, 0), (400, 6, -1), ("<b>", 6, 0)])
def test_numbers_out_of_range_are_refused_and_escaped(n: Any, epochs: Any, seed: Any) -> None:
    with pytest.raises(InvalidInput):
        read_plan("local", RENDERED, "", n, epochs, seed, "embedded")
    assert "<b>" not in on_plan("local", RENDERED, "", n, epochs)
    with pytest.raises(InvalidInput, match="Choose an adapter"):
        read_plan("../x", RENDERED, "", 400, 6, 0, "embedded")


@pytest.mark.slow
def test_before_and_after_are_on_the_same_items_and_the_adapter_can_be_chosen(small: ComposeState) -> None:
    found = learn(
        small, ACCESS, Plan("linear", RENDERED, 24, 2, 0, "embedded"), fresh_folder("adapter"), lambda *a: None
    )
    assert not found.stopped
    before, after = found.ran.results
    assert before.ids == after.ids
    assert (before.name, after.name) == ("embedded", found.adapter.name)
    with zipfile.ZipFile(found.archive) as archive:
        assert sorted(archive.namelist()) == ["adapter.json", "adapter.safetensors"]
    _, state, view, _, _, trained, archive, models = on_learned(small, ACCESS, found)
    assert f"{found.adapter.name} against embedded" in view
    assert state.adapters == (found.adapter,)
    assert "Best" in trained
    assert archive["visible"]
    assert models["value"] == f"adapter:{found.adapter.name}"
    again = learn(
        state, ACCESS, Plan("linear", RENDERED, 24, 2, 0, "embedded"), fresh_folder("adapter"), lambda *a: None
    )
    assert again.adapter.name == f"{found.adapter.name} (2)"


@pytest.mark.slow
def test_a_part_that_is_learned_from_is_not_tested_on(small: ComposeState) -> None:
    whole = open_shipped(n=24)
    found = learn(
        ComposeState("own", whole, whole),
        ACCESS,
        Plan("linear", PART, 0, 1, 0, "embedded"),
        fresh_folder("adapter"),
        lambda *a: None,
    )
    assert len(found.ran.results[0].ids) == 12
    assert found.ran.opened is whole
    assert not any("memory, not skill" in note for note in found.ran.results[1].notes)


@pytest.mark.slow
def test_a_stop_after_an_epoch_keeps_it_and_before_one_keeps_nothing(small: ComposeState) -> None:
    def stopped_at(step: int) -> Any:
        done_yet = [False]

        def progress(name: str, done: int, total: int) -> None:
            done_yet[0] = done_yet[0] or (name == "train" and done >= step)
            if done_yet[0]:
                raise Cancelled("stopped")

        return progress

    plan = Plan("linear", RENDERED, 24, 5, 0, "embedded")
    # 20 items to learn from, 16 in a step: two steps an epoch.
    found = learn(small, ACCESS, plan, fresh_folder("adapter"), stopped_at(3))
    assert found.stopped
    assert len(found.ran.results) == 2
    with pytest.raises(Cancelled):
        learn(small, ACCESS, plan, fresh_folder("adapter"), stopped_at(1))


def test_what_fails_leaves_no_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(*said: Any) -> Any:
        raise InvalidInput("no good")

    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setattr(tab, "learn", fails)
    monkeypatch.setattr(tab, "fresh_folder", lambda *_: folder)
    loaded = pairs(8)
    with pytest.raises(InvalidInput, match="no good"):
        list(on_train(ComposeState("own", loaded, loaded), ACCESS, "local", RENDERED, "colour", 400, 6, 0, "embedded"))
    assert not folder.exists()


def test_the_curve_names_its_best_epoch() -> None:
    curve = (Epoch(0, None, 0.7, 0.05), Epoch(1, 0.6, 0.4, 0.6), Epoch(2, 0.5, 0.5, 0.55))
    text = " ".join(Tags(curve_view(curve)).text.split())
    assert "60% after epoch 1" in text
    assert "2 epochs" in text
    assert curve_view(()) == ""


def cost_view(cost: ForgettingCheck | str) -> str:
    record = AdapterRecord("linear", {}, "embedded", "", {}, "made", 24, 8, (), 0, 1.0, 1, frozenset())
    return trained_view("a module", record, cost, stopped=False)


def test_how_much_it_weighs_as_a_re_ranker_is_said_with_what_that_brought() -> None:
    rows = (WeighedReranking(0.0, 0.1, 0.8), WeighedReranking(0.5, 0.3, 0.79))
    record = AdapterRecord("linear", {}, "embedded", "", {}, "made", 24, 8, (), 0, 1.0, 1, frozenset(), 0.5, rows)
    told = trained_view("a module", record, "it was stopped", stopped=False)
    assert "it weighs 0.5 times the frozen encoder" in told
    assert "30% are right (frozen encoder 10%); 79% of everyday searches" in told.replace("\u00a0", " ")
    assert "does not help" in trained_view("a module", replace(record, rerank=0.0), "it was stopped", stopped=False)
    assert "re-ranker" not in cost_view("it was stopped")


def test_what_it_cost_is_told_by_words_and_its_absence_too() -> None:
    row = lost_accuracy("<i>")
    view = cost_view(ForgettingCheck("before", "after", (row,), (row,), ("<b>note</b>",)))
    text = Tags(view).text
    assert "▼ lost" in text
    assert "re-ranking" in text
    assert not {"i", "b"} & Tags(view).names
    assert "not checked: it was stopped" in cost_view("it was stopped")
