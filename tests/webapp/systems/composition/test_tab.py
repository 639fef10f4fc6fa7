"""The part Composition of Probe: what its callbacks do with what a visitor chose."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Column
from core.systems.composition.records import Scorer
from core.systems.composition.scenes.shipped import SHIPPED
from tests.support.composed import Made, pairs, result
from tests.support.diagnoses import draw_picture
from tests.support.showcase import make_showcase
from tests.webapp.callbacks import press
from webapp.state.runs import RUNS
from webapp.state.session import Session
from webapp.systems.composition import state as runs
from webapp.systems.composition.benchmark import on_act, on_made, on_open, on_run
from webapp.systems.composition.files import write_files
from webapp.systems.composition.models import NOTHING, ModelAccess, checked_encoder, encoder_choices, second_choices
from webapp.systems.composition.state import FIRST, NAMED, OWN, RUN, benchmarks, open_benchmark, scorer_for
from webapp.systems.composition.visit import ComposeState, TrainedAdapter

ACCESS = ModelAccess()


@pytest.fixture
def made_scorers(monkeypatch: pytest.MonkeyPatch) -> None:
    def scorer(key: str, adapters: Any, access: ModelAccess) -> tuple[str, Scorer]:
        return key, Made(key, 0.3 if key == "embedded" else 0.8, len(key))

    monkeypatch.setattr(runs, "scorer_for", scorer)
    monkeypatch.setattr(runs, "_known", {})
    monkeypatch.setattr(runs, "opening", lambda: None)


def opened(*shares: float) -> ComposeState:
    loaded = pairs(30)
    results = tuple(result(loaded, f"model {i}", share, seed=i) for i, share in enumerate(shares))
    return ComposeState("own", loaded, loaded, results)


def test_everything_that_comes_along_is_offered_and_has_a_name_for_programs() -> None:
    keys = [key for _, key in benchmarks(None)]
    assert keys[0] == FIRST
    assert OWN in keys
    assert set(NAMED) == set(SHIPPED)
    assert set(NAMED.values()) <= set(keys)


def test_folders_of_the_operator_are_offered_by_name_and_models_apart(tmp_path: Path) -> None:
    (tmp_path / "sugar").mkdir()
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "open_clip_config.json").write_text("{}")
    assert ("On this server: sugar", "server:sugar") in benchmarks(tmp_path)
    assert not any("clip" in key for _, key in benchmarks(tmp_path))
    access = ModelAccess(tmp_path)
    assert ("On this server: clip", "server model:clip") in encoder_choices(access)
    assert checked_encoder("server model:clip", access) == f"open_clip:local-dir:{tmp_path / 'clip'}"


@pytest.mark.parametrize("is_local", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "",
        "server model:../x",
        *"/etc/passwd local-dir:/tmp open_clip:local-dir:/tmp hf-hub:a/b ViT-B-32@/x.pt ../../x/y".split(),
    ],
)
def test_no_visitor_makes_the_server_open_a_path_or_an_address(name: str, is_local: bool, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is not available here"):
        checked_encoder(name, ModelAccess(tmp_path, is_local))


def test_a_name_that_open_clip_lists_is_taken_is_local_only() -> None:
    pytest.importorskip("open_clip")
    assert checked_encoder("ViT-B-16:openai", ModelAccess(is_local=True)) == "ViT-B-16/openai"
    with pytest.raises(InvalidInput, match="is not available here"):
        checked_encoder("ViT-B-16/openai", ACCESS)


def test_trained_adapters_are_offered_beside_the_encoders_and_only_ones_own(tmp_path: Path) -> None:
    adapter = TrainedAdapter("Local, 400 items", tmp_path, "embedded")
    assert second_choices(ACCESS, (adapter,))[1:3] == [
        ("Trained: Local, 400 items", "adapter:Local, 400 items"),
        ("Re-ranked by: Local, 400 items", "reranked:Local, 400 items"),
    ]
    with pytest.raises(InvalidInput, match="no longer exists"):
        scorer_for("adapter:of somebody else", (adapter,), ACCESS)


@pytest.mark.parametrize("choice", ["rendered:100000", "rendered:", "server:../etc", "/etc/passwd", ""])
def test_a_benchmark_that_is_not_offered_is_refused(choice: str) -> None:
    with pytest.raises(InvalidInput, match="Choose"):
        open_benchmark(choice, None, None, "", None)


def test_ones_own_benchmark_needs_its_file_and_its_pictures(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="the benchmark's file"):
        open_benchmark(OWN, None, None, "", None)
    rows = "image,caption,foil\n" + "\n".join(f"p{i}.png,a red cube {i},a blue cube {i}" for i in range(6))
    (tmp_path / "own.csv").write_text(rows)
    with pytest.raises(InvalidInput, match="zip or tar"):
        open_benchmark(OWN, str(tmp_path / "own.csv"), None, "", None)
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for i in range(5):
            archive.writestr(f"p{i}.png", draw_picture(i))
    found = open_benchmark(OWN, str(tmp_path / "own.csv"), str(tmp_path / "p.zip"), "", None)
    assert len(found.benchmark) == 5
    assert found.missing == ("p5.png",)


@pytest.mark.usefixtures("made_scorers")
def test_a_run_is_shown_and_known_to_the_next_visitor() -> None:
    *_, (job, said, ran) = on_run(Session(), ComposeState(), ACCESS, FIRST, None, None, "", "embedded", "second")
    assert job == ""
    assert "Done" in said
    status, state, view, failures, files = on_made(ComposeState(), ran)
    assert "data-shown" in status
    assert [r.name for r in state.results] == ["embedded", "second"]
    assert "second against embedded" in view
    assert "Show more" in view
    assert failures["visible"]
    assert files["visible"]
    again = on_run(Session(), ComposeState(), ACCESS, FIRST, None, None, "", "second")
    *_, (_, _, ran) = again
    assert ran.results[0] is state.results[1]


def test_the_part_opens_with_a_finished_result_and_its_worst_items_first() -> None:
    _, _, made, view, failures, *_ = on_open(Session(), ComposeState(), ACCESS)
    assert made.results[0].name == "embedded"
    assert made.loaded is not None
    assert made.results[0].ids == tuple(item.id for item in made.loaded.benchmark.items)
    worst = made.results[0].ids[int(made.results[0].margin.argmin())]
    assert view.index(f"<b>{worst}</b>") < view.index("More: all figures, baselines and kinds of item")
    assert view.count('class="compose-item"') == 6
    assert failures["visible"]
    assert all("value" not in str(part) for part in on_open(Session(), made, ACCESS))  # what is open stays


@pytest.mark.usefixtures("made_scorers")
def test_the_images_of_the_open_run_come_first_where_its_table_has_captions() -> None:
    run = make_showcase(60)
    bare = Session(RUNS.add(run))
    assert "choices" not in on_open(bare, ComposeState(), ACCESS)[0]
    with pytest.raises(InvalidInput, match="no images with a column caption"):
        list(on_run(bare, ComposeState(), ACCESS, RUN, None, None, "", "embedded"))
    told = np.array([f"A red car {i} and a blue bus." for i in range(59)] + [None], object)
    samples = replace(run.samples, metadata=(*run.samples.metadata, Column("caption", "text", told)))
    session = Session(RUNS.add(replace(run, samples=samples)))
    chosen = on_open(session, ComposeState(), ACCESS)[0]
    assert chosen["choices"][0][1] == chosen["value"] == RUN
    *_, (_, _, ran) = on_run(session, ComposeState(), ACCESS, RUN, None, None, "", "embedded")
    benchmark, stored = ran.loaded.benchmark, RUNS.get(session.run).samples.items
    assert stored is not None
    assert "No foil adds a word" in " ".join(benchmark.notes)
    assert {item.captions[0] for item in benchmark.items} <= set(told[:59])
    for item in benchmark.items:  # each caption with its own row's image
        row = told.tolist().index(item.captions[0])
        assert ran.loaded.store.read(item.pictures[0]) == stored.read(row)
    assert (samples.ids[59], "its captions allow no foil") in benchmark.excluded


@pytest.mark.usefixtures("made_scorers")
def test_one_model_beside_itself_is_refused_and_nothing_beside_it_is_fine() -> None:
    with pytest.raises(InvalidInput, match="second model is the same"):
        list(on_run(Session(), ComposeState(), ACCESS, FIRST, None, None, "", "embedded", "embedded"))
    *_, (_, _, ran) = on_run(Session(), ComposeState(), ACCESS, FIRST, None, None, "", "embedded", NOTHING)
    assert len(ran.results) == 1


def test_a_filter_from_the_browser_is_not_trusted() -> None:
    state = opened(0.5)
    made, view = on_act(state, press(do="filter", value="kind=size"))
    assert (made.tag, made.value) == ("kind", "size")
    assert "15 items" in view
    assert on_act(made, press(do="filter", value=""))[0].tag == ""
    assert on_act(made, press(do="more"))[0].shown == made.shown + 6
    for do, said in ("filter", {"value": "kind=<b>"}), ("which", {"which": "all of them"}):
        with pytest.raises(InvalidInput, match="from the list"):
            on_act(state, press(do=do, **said))
    with pytest.raises(InvalidInput, match="No result is open"):
        on_act(ComposeState(), press(do="more"))


def test_the_files_tell_of_both_models() -> None:
    report, document, table = write_files(opened(0.2, 0.9))
    assert "model 1" in report.read_text("utf-8")
    said = json.loads(document.read_text("utf-8"))
    assert said["comparison"]["b"] == "model 1"
    assert len(table.read_text("utf-8").splitlines()) == 31
