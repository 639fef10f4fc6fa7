"""Visual words below the tags: what a visitor sees of them, and what they may not do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Diagnosis
from core.systems.visual_words.html import Crop, ShownName
from tests.support.diagnoses import make_diagnosis
from tests.support.patched import PLANTED, planted_run
from tests.webapp.callbacks import last, press
from tests.webapp.markup.test_html import Tags
from webapp.ask.kept import KeptState, Made, on_show
from webapp.explore.cards import cluster_list
from webapp.explore.detail import Selection, selection_pane
from webapp.explore.patches import keep_patches, patches_of, prune_patches
from webapp.explore.tab import describe
from webapp.state.runs import RUNS
from webapp.state.session import Session, selected_rows
from webapp.systems.visual_words.panel import FILES, PART, on_found
from webapp.systems.visual_words.patches import WordPatches

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run() -> Diagnosis:
    """Its images have names that would be markup."""
    made = planted_run()[0]
    ids = tuple(f'{i}"><img src=x onerror=alert(1)>' for i in made.samples.ids)
    return replace(made, samples=replace(made.samples, ids=ids))


@pytest.fixture(scope="module")
def found(run: Diagnosis) -> Made:
    session = Session(RUNS.add(run))
    return last(PART.start(session, KeptState()))[-1]


def test_the_words_are_shown_with_their_crops_and_written(run: Diagnosis, found: Made) -> None:
    said = found.view
    assert "with failure more than chance allows" in said
    assert said.count("<section class=") == len(found.picks)
    n_confirmed = said.count(">confirmed<")
    assert n_confirmed >= 1
    assert said.count('class="failed"') >= 1
    folded = said[said.index("<details>") :]
    assert folded.count(">not confirmed<") == len(found.picks) - n_confirmed
    assert ">confirmed<" not in folded
    names = [path.name for path in found.files]
    assert names == [name for name, _ in FILES]
    assert json.loads(found.files[1].read_text("utf-8"))["pictures"] == len(run.samples)
    assert "<h1>Visual words</h1>" in found.files[0].read_text("utf-8")


def test_names_of_pictures_stay_text(found: Made) -> None:
    assert found.view.count("alert(1)") >= 1
    assert "onerror" not in Tags(found.view).attributes


def test_a_press_shows_the_samples_with_a_word_on_the_map(run: Diagnosis, found: Made) -> None:
    session = Session(RUNS.add(run))
    state = KeptState(session.run, (replace(found, run=session.run),))
    tabs, shown, pane, _ = on_show(session, state, press(do="visual", place="0"))
    assert tabs["selected"] == "explore"
    rows = selected_rows(shown, run)
    assert len(set(rows) & set(range(PLANTED))) > 0.9 * PLANTED
    assert "Has visual word" in pane
    for other, place in ((KeptState("another", state.saved), "0"), (state, "999"), (KeptState(session.run), "0")):
        with pytest.raises(InvalidInput, match="Make it again for the open run"):
            on_show(session, other, press(do="visual", place=place))


def test_what_was_found_of_another_run_is_kept_for_it_and_a_new_run_begins_empty(run: Diagnosis, found: Made) -> None:
    session = Session(RUNS.add(run))
    state, line, view, *files = PART.receive(session, KeptState(session.run), replace(found, run="another"))
    assert state.current is None
    assert "belongs to another run" in line
    assert all("__type__" in str(part) for part in (view, *files))
    state, line, view, *files = PART.receive(session, state, replace(found, run=session.run))
    assert "pane-head" in on_found(session)
    assert state.current is not None
    assert len(state.saved) == 2
    assert [Path(file["value"]).name for file in files] == [name for name, _ in FILES]
    assert "visual" in view["value"]
    other = Session(RUNS.add(run))
    folded, said, button, state, line, empty, *downloads = PART.reopen(other, state)
    assert folded["visible"]
    assert (state.run, state.current, line, empty) == (other.run, None, "", "")
    assert "dictionary of 256" in said
    assert button["interactive"]
    assert all(not one["interactive"] for one in downloads)
    _, _, _, state, _, view, *_ = PART.reopen(session, state)
    assert state.current is not None
    assert view["value"] == found.view


def test_a_run_without_pictures_says_so() -> None:
    bare = make_diagnosis()
    bare = replace(bare, samples=replace(bare.samples, items=None))
    session = Session(RUNS.add(bare))
    assert not PART.reopen(session, KeptState())[0]["visible"]
    with pytest.raises(InvalidInput, match="this run has none"):
        last(PART.start(session, KeptState()))


def test_an_enlarged_sample_shows_where_the_confirmed_words_are(run: Diagnosis, found: Made) -> None:
    with_patch, without = describe([found.run, 0, True]), describe([found.run, PLANTED + 1, True])
    assert with_patch is not None
    assert without is not None
    shown = with_patch["words"]
    assert shown["src"].startswith("data:image/webp")
    assert "outlined" in shown["alt"]
    assert all(" of 196 cells; in " in said for _, said in shown["legend"])
    assert without["words"]["src"] == ""
    assert "not in this image." in without["words"]["said"] or "this image has none" in without["words"]["said"]
    hovered, other = describe([found.run, 0]), describe([RUNS.add(run), 0, True])
    assert hovered is not None
    assert "words" not in hovered
    assert other is not None
    assert other["words"] is None


def test_what_was_found_goes_with_the_run(run: Diagnosis, found: Made) -> None:
    patches = patches_of(found.run)
    assert patches is not None
    session = Session(RUNS.add(run))
    keep_patches(session.run, patches)
    assert patches_of(session.run) is patches
    RUNS.remove(session.run)
    prune_patches()
    assert patches_of(session.run) is None
    keep_patches(session.run, patches)
    assert patches_of(session.run) is None


def test_a_cluster_without_a_name_is_called_by_its_patches_on_cards_and_pane(run: Diagnosis, found: Made) -> None:
    of_cluster = [cluster.id for cluster in run.clusters]
    assert of_cluster
    name = ShownName(of_cluster[0], "No phrase names it <b>", [Crop("data:image/webp;base64,AA", "7", True)])
    made = patches_of(found.run)
    assert isinstance(made, WordPatches)
    patches = replace(made, names=(name,))
    cards = cluster_list(run, patches=patches)
    assert "Images with these patches" in cards
    assert "with these patches" not in cluster_list(run)
    rows = np.flatnonzero(run.clusters[0].membership >= 0.5)
    pane = selection_pane(run, Selection(rows, (), run.clusters[0]), patches)
    assert "these patches</h2>" in pane
    assert "No phrase names it &lt;b&gt;" in pane
    assert 'alt="these patches in 7, which is wrong"' in pane
    assert "these patches" not in selection_pane(run, Selection(rows, (), run.clusters[0]))
