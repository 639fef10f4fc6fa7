"""Why? Files for the visitor's own model, and what its losses come to."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import gradio as gr
import numpy as np
import pandas as pd
import pytest

from core.errors import InvalidInput
from core.files import ASSETS
from core.systems.neuralizer.corrections import clips as of_clips
from core.systems.neuralizer.corrections.altered import UNCHANGED, AlteredItem, read_manifest, zip_altered
from core.systems.neuralizer.corrections.commands import correct
from core.systems.neuralizer.corrections.explain import CONTROL
from core.systems.neuralizer.corrections.names import BY_MODALITY, CHANGES, DEFAULT_ITEMS, FAULT_TITLES
from tests.support.diagnoses import make_diagnosis
from tests.webapp.callbacks import last
from tests.webapp.markup.test_html import Tags
from webapp.ask.kept import KeptState, Made
from webapp.state.runs import RUNS
from webapp.state.session import Session
from webapp.systems.neuralizer import why
from webapp.systems.neuralizer.why import MADE, READ, READING, WRITING, choices, example_file, on_run

CLIPS = ASSETS / "examples" / "clips"


@pytest.fixture(scope="module")
def session() -> Session:
    """The example of clips."""
    return Session(RUNS.offer(CLIPS / "run.errata"))


@pytest.fixture(scope="module")
def made(session: Session) -> Made:
    """Five of the cluster and five others, one change, from the example's own files."""
    return last(WRITING.start(session, KeptState(), None, RUNS.get(session.run).clusters[0].id, ["backwards"], 5))[-1]


def losses(made: Made, path: Path) -> str:
    """A table in which the change takes the loss away from members, and its control does not."""
    items, about = read_manifest(made.files[1])
    rng, members = np.random.default_rng(0), set(about["members"])
    kept = {"backwards": 0.1, UNCHANGED: 2.0, "backwards" + CONTROL: 2.0}
    loss = [(kept[i.alteration] if i.id in members else 0.2) + 0.05 * rng.random() for i in items]
    pd.DataFrame({"file": [i.file for i in items], "loss": loss}).to_csv(path, index=False)
    return str(path)


def test_files_are_made_of_what_came_along_and_their_losses_say_what_explains(
    session: Session, made: Made, tmp_path: Path
) -> None:
    state, line, view, *files = WRITING.receive(session, KeptState(session.run), made)
    assert "Done" in line
    assert "30 files for group 1" in Tags(view["value"]).text
    assert [Path(file["value"]).name for file in files] == [name for name, _ in MADE]
    with zipfile.ZipFile(made.files[0]) as archive:
        assert len(archive.namelist()) == 31
        assert json.loads(archive.read("altered.json")) == json.loads(made.files[1].read_text("utf-8"))
    read = last(READING.start(session, KeptState(), losses(made, tmp_path / "scores.csv"), None, state))[-1]
    _, _, view, *files = READING.receive(session, KeptState(session.run), read)
    said = Tags(view["value"]).text
    assert "Partly explained by the order of frames" in said
    assert "5 clips" in said
    assert json.loads(Path(files[0]["value"]).read_text("utf-8"))["corrections"][0]["explains"]
    assert [Path(file["value"]).name for file in files] == [name for name, _ in READ]


def test_the_manifest_may_come_from_another_visit_and_must_be_of_this_run(
    session: Session, made: Made, tmp_path: Path
) -> None:
    scores = losses(made, tmp_path / "scores.csv")
    empty = KeptState(session.run)
    with pytest.raises(InvalidInput, match=r"Add altered\.json"):
        last(READING.start(session, empty, scores, None, empty))
    with pytest.raises(InvalidInput, match="table of your model"):
        last(READING.start(session, empty, None, None, empty))
    assert last(READING.start(session, empty, scores, str(made.files[1]), empty))[-1].run == session.run
    other = json.loads(made.files[1].read_text("utf-8"))
    other["about"]["run"] = "another"
    (tmp_path / "brought.json").write_text(json.dumps(other), "utf-8")
    with pytest.raises(InvalidInput, match="belong to another run"):
        last(READING.start(session, empty, scores, str(tmp_path / "brought.json"), empty))


def test_what_cannot_be_asked_is_refused_before_any_work(session: Session) -> None:
    pictures = Session(RUNS.add(make_diagnosis()))
    with pytest.raises(InvalidInput, match="scans or clips"):
        last(WRITING.start(pictures, KeptState(), None, 0, [], 20))
    with pytest.raises(InvalidInput, match="No group is chosen"):
        last(WRITING.start(session, KeptState(), None, None, [], 20))
    with pytest.raises(InvalidInput, match="Choose 5 to 40"):
        last(WRITING.start(session, KeptState(), None, 0, [], 4000))
    for nothing in (None, float("nan")):
        with pytest.raises(InvalidInput, match="got –"):
            last(WRITING.start(session, KeptState(), None, 0, [], nothing))
    with pytest.raises(InvalidInput, match="whole number"):
        last(WRITING.start(session, KeptState(), None, "x", [], 5))  # type: ignore[arg-type]
    own = Session(RUNS.add(RUNS.get(session.run)))
    with pytest.raises(InvalidInput, match="Add the diagnosed scans or clips"):
        last(WRITING.start(own, KeptState(), None, 0, [], 20))
    assert example_file(own.run, "images.zip") is None
    assert example_file(session.run, "images.zip") == CLIPS / "images.zip"


def test_files_that_are_too_large_together_leave_nothing_behind(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def many() -> object:
        for k in range(1000):
            yield AlteredItem("a", f"x{k}", f"{k}.bin"), bytes(100)
        raise AssertionError("went on")

    with pytest.raises(InvalidInput, match="exceed"):
        zip_altered(tmp_path / "corrected.zip", many(), {}, 1000)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(why, "MAX_BYTES", 10)
    with pytest.raises(InvalidInput, match="exceed"):
        last(WRITING.start(session, KeptState(), None, 0, ["backwards"], 5))


def test_each_run_offers_its_own_clusters_and_faults(session: Session) -> None:
    clusters, faults = choices(RUNS.get(session.run))
    assert [value for _, value in clusters["choices"]] == [c.id for c in RUNS.get(session.run).clusters]
    assert tuple(fault for _, fault in faults["choices"]) == CHANGES == tuple(of_clips._CHANGES) == BY_MODALITY["clip"]
    assert set(FAULT_TITLES) == {name for names in BY_MODALITY.values() for name in names}
    pictures = make_diagnosis()
    assert choices(pictures)[0]["choices"] == []
    other = Session(RUNS.add(pictures))
    fold, _, clusters, _, chosen = on_run(other, session.run)
    assert not fold["visible"]
    assert clusters["choices"] == []
    assert on_run(session, chosen)[0]["visible"]
    assert all("__type__" in str(part) for part in on_run(other, chosen))
    for part in (WRITING, READING):
        assert not part.reopen(other, KeptState(session.run))[0]["visible"]
        assert part.reopen(session, KeptState(other.run))[0]["visible"]


def test_command_and_page_call_a_fault_the_same_and_ask_for_as_many(session: Session) -> None:
    helps = {option.name: str(getattr(option, "help", "")) for option in correct.params}
    named = [label for label, _ in choices(RUNS.get(session.run))[1]["choices"]]
    with gr.Blocks():
        most = why.writing_fields()[-1]
    assert named == ["the order of frames (backwards)", "changes of light (steady-light)", "cuts (longest-shot)"]
    assert ", ".join(named) in helps["fault"]
    assert most.value == most.maximum == DEFAULT_ITEMS == correct.make_context("correct", ["run"]).params["most"]
    assert f"default: {DEFAULT_ITEMS}" in helps["most"]
