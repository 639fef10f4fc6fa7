"""The list of own runs: what a row says, and what its buttons do to whose run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.records import Diagnosis
from tests.support.diagnoses import make_diagnosis
from tests.support.visits import serve
from tests.webapp.callbacks import press
from webapp.data.runs import on_act, own_ids, runs_list
from webapp.data.tab import on_forget
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
    assert "None yet from this page" in nothing
    assert "Runs that the page started with are in the menu on Explore." in nothing
    first, second = RUNS.add(diagnosis), RUNS.add(make_diagnosis(n_clusters=0))
    RUNS.entitle(first, "<b>dogs</b>")
    said = runs_list(Session(first))
    assert "&lt;b&gt;dogs" in said
    assert said.index(second) < said.index(first)  # the latest stands first
    for words in ("60 pictures", "2 clusters", "no cluster", "deleted in 23.5 hours"):
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
            assert "None yet" in said[0]
    serve("ann")
    listed, tabs, picker, session, *_ = on_act(Session(example), examples, press(do="open", run=run))
    assert (tabs["selected"], picker["value"], session.run) == ("explore", run, run)
    assert "aria-current" in listed
    on_act(session, examples, press(do="rename", run=run, title=" "))
    on_act(session, examples, press(do="rename", run=run, title="Tuesday"))
    assert RUNS.own() == [(run, "Tuesday")]
    listed, tabs, picker, session, *_ = on_act(session, examples, press(do="delete", run=run))
    assert "None yet" in listed
    assert (picker["value"], session.run) == (example, example)  # the page shows what is there
    assert RUNS.own() == []


def test_what_another_tab_of_the_browser_made_is_deleted_too(diagnosis: Diagnosis) -> None:
    serve("ann, another tab")
    run = RUNS.add(diagnosis)
    serve("ann")
    on_forget("")
    assert len(RUNS.get(run).samples) == 60
    on_forget(f'["{run}", 3]')
    serve("ann, another tab")
    assert RUNS.own() == []
    for nonsense in ("[" * 100_000, "{}", "x", None, "[1]"):
        assert own_ids(nonsense) == []
