"""The list of own runs: what a row says, and what its buttons do to whose run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.records import Diagnosis
from core.yours import OwnMark, with_mark, yours_of
from tests.support.diagnoses import make_diagnosis
from tests.support.visits import serve
from tests.webapp.callbacks import press
from webapp.data.forgetting import on_forget, own_ids
from webapp.data.runs import on_act, on_bring, runs_list
from webapp.state.quotas import SHARED, quotas, set_quotas
from webapp.state.runs import RUNS
from webapp.state.session import Session


@pytest.fixture(autouse=True)
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that others reach, and visitors who have made nothing yet, whatever other tests made under their
    names."""
    before = quotas()
    set_quotas(SHARED)
    monkeypatch.setattr(RUNS, "lists_all", False)
    monkeypatch.setattr(RUNS, "_held", {})
    yield
    set_quotas(before)


def test_a_row_says_what_the_run_is_and_how_long_it_is_kept(diagnosis: Diagnosis) -> None:
    serve("ann")
    nothing = runs_list(Session())
    assert "No runs yet" in nothing
    assert "To open a built-in run, use the menu in Findings." in nothing
    first, second = RUNS.add(diagnosis), RUNS.add(make_diagnosis(n_clusters=0))
    RUNS.entitle(first, "<b>dogs</b>")
    said = runs_list(Session(first))
    assert "&lt;b&gt;dogs" in said
    assert said.index(second) < said.index(first)  # the latest stands first
    for words in ("60 images", "2 groups", "no group", "deleted in 23.5 hours"):
        assert words in said
    assert said.count("aria-current") == 1
    RUNS.forget("ann")


def test_a_row_s_buttons_open_rename_and_delete_the_visit_s_own_run_alone(diagnosis: Diagnosis, example: str) -> None:
    serve("ann")
    run, examples = RUNS.add(diagnosis), [("An example", example)]
    serve("ben")
    for do in ("open", "rename", "delete"):
        for theirs in (run, RUNS.link(run)):
            said = on_act(Session(example), examples, press(do=do, run=theirs, title="Taken"))
            assert "No runs yet" in said[0]
    serve("ann")
    listed, tabs, picker, session, *_ = on_act(Session(example), examples, press(do="open", run=run))
    assert (tabs["selected"], picker["value"], session.run) == ("explore", run, run)
    assert "aria-current" in listed
    on_act(session, examples, press(do="rename", run=run, title=" "))
    on_act(session, examples, press(do="rename", run=run, title="Tuesday"))
    assert RUNS.list_own() == [(run, "Tuesday")]
    listed, tabs, picker, session, *_ = on_act(session, examples, press(do="delete", run=run))
    assert "No runs yet" in listed
    assert (picker["value"], session.run) == (example, example)  # the page shows what is there
    assert RUNS.list_own() == []


def test_a_run_that_was_taken_away_is_opened_again_with_what_was_said_of_it(
    diagnosis: Diagnosis, example: str, tmp_path: Path
) -> None:
    serve("ann")
    run = RUNS.add(diagnosis)
    RUNS.say(run, lambda now: with_mark(now, OwnMark("cluster", 0, note="seen in May")))
    mailed = shutil.copyfile(RUNS.file(run, "run.errata"), tmp_path / "mailed.errata")
    RUNS.forget("ann")
    serve("ben")
    listed, field, tabs, picker, session, *_ = on_bring([("An example", example)], str(mailed))
    assert (field, tabs["selected"], picker["value"]) == (None, "explore", session.run)
    assert session.run in listed
    assert yours_of(RUNS.get(session.run)).mark_of("cluster", 0).note == "seen in May"
    items = RUNS.get(session.run).samples.items
    assert items is not None
    assert len(items.read(3)) > 100
    mailed.write_bytes(b"no run")
    with pytest.raises(InvalidInput, match=r"The run 'mailed\.errata' is damaged"):
        on_bring([("An example", example)], str(mailed))
    assert len(RUNS.list_own()) == 1
    RUNS.forget("ben")


def test_what_another_tab_of_the_browser_made_is_deleted_too(diagnosis: Diagnosis) -> None:
    serve("ann, another tab")
    run = RUNS.add(diagnosis)
    serve("ann")
    on_forget("")
    assert len(RUNS.get(run).samples) == 60
    on_forget(f'["{run}", 3]')
    serve("ann, another tab")
    assert RUNS.list_own() == []
    for nonsense in ("[" * 100_000, "{}", "x", None, "[1]"):
        assert own_ids(nonsense) == []
