"""A run's two ids: one that may change it, one that stands in links; and a browser that finds its own runs again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr
import pytest

from core.errors import InvalidInput
from core.records import Diagnosis, no_progress
from tests.support.visits import serve
from tests.webapp.callbacks import press
from webapp.address import OpenedAddress, on_go
from webapp.compare.work import make_prediction
from webapp.explore.worth import on_measure
from webapp.state.picker import runs_to_open
from webapp.state.runs import GONE, RUNS, link_id
from webapp.state.session import Session
from webapp.systems.probes import endpoints, tab as probe


def test_who_has_a_link_reads_the_run_and_changes_nothing(diagnosis: Diagnosis) -> None:
    serve("ida")
    run = RUNS.add(diagnosis)
    link = RUNS.link(run)
    assert link != run
    assert len(link) == 22
    serve("jon")
    assert RUNS.get(link) is RUNS.get(run)
    assert RUNS.link(link) == link
    with pytest.raises(InvalidInput, match="a link opened it"):
        RUNS.change(link, lambda now: now)
    with pytest.raises(InvalidInput, match="a link opened it"):
        RUNS.replace(link, diagnosis)
    RUNS.remove(link)
    RUNS.adopt([link])
    assert RUNS.list_own() == []
    RUNS.forget("jon")
    assert len(RUNS.get(run).samples) == 60
    serve("ida")
    RUNS.change(run, lambda now: replace(now, notes=("changed",)))
    assert RUNS.get(link).notes == ("changed",)
    RUNS.remove(run)
    with pytest.raises(InvalidInput, match="no longer has this run"):
        RUNS.get(link)


def test_what_a_run_would_keep_is_refused_before_it_is_begun_where_it_was_opened_by_a_link(
    diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "_shown", lambda *_: None)
    run = RUNS.add(diagnosis)
    session, state, pressed = Session(link_id(run)), probe.ProbeState(), press(probe="zero_shot", settings={})
    begun = (
        lambda: next(on_measure(session)),
        lambda: make_prediction(session, "fresh.csv", None, None, no_progress),
        lambda: next(probe.on_start(session, None, pressed)),
        lambda: next(probe.on_failures(session, state)),  # a copy of the samples would outlive the run
        lambda: endpoints.probe(state, session.run, "zero_shot", {}),
    )
    for begin in begun:
        with pytest.raises(InvalidInput, match="a link opened it"):
            begin()
    RUNS.remove(run)


def test_a_browser_that_comes_back_finds_its_runs_and_deletes_them(diagnosis: Diagnosis) -> None:
    serve("ida")
    run = RUNS.add(diagnosis)
    serve("ida, reloaded")
    assert RUNS.list_own() == []
    RUNS.adopt(["unknown", run])
    assert [key for key, _ in RUNS.list_own()] == [run]
    assert RUNS.forget("ida, reloaded") == 1
    with pytest.raises(InvalidInput):
        RUNS.get(run)


def test_the_picker_offers_own_runs_the_latest_first_and_tells_equal_names_apart(diagnosis: Diagnosis) -> None:
    serve("cleo")
    first, second = RUNS.add(diagnosis), RUNS.add(diagnosis)
    for run in (first, second):
        RUNS.entitle(run, "Your run: val")
    picker = runs_to_open(second, [("An example", "example-a")])
    assert picker["choices"] == [("Your run: val (2)", second), ("Your run: val", first), ("An example", "example-a")]
    assert picker["value"] == second
    serve("dan")
    by_link = runs_to_open(link_id(first), [("An example", "example-a")])
    assert by_link["choices"][0] == (f"From a link: {diagnosis.samples.name}", link_id(first))
    RUNS.forget("cleo")


def at_address(
    session: Session, first: str, others: list[tuple[str, str]] | None = None, **payload: Any
) -> dict[str, Any]:
    """What an address fills, by name."""
    return dict(zip(OpenedAddress._fields, on_go(session, first, others or [], press(**payload)), strict=True))


def test_going_to_an_address_with_an_own_run_opens_it_under_its_own_id(diagnosis: Diagnosis) -> None:
    serve("eve")
    run = RUNS.add(diagnosis)
    serve("eve, reloaded")
    query = {"run": link_id(run), "cluster": "2", "tab": "ask", "ask": "a dog"}
    said = at_address(Session(), "", query=query, own=[run, 3, None], back=False)
    assert said["tabs"]["selected"] == "ask"
    assert said["question"] == ("a dog", "")
    assert (said["session"].run, said["session"].cluster) == (run, 1)
    assert said["picker"]["value"] == run
    serve("fay")
    assert at_address(Session(), "", query=query, own="nonsense", back=False)["session"].run == link_id(run)
    RUNS.remove(run)


def test_a_notebook_goes_back_to_its_own_run_and_not_to_a_reader_s_copy(diagnosis: Diagnosis) -> None:
    run = RUNS.add(diagnosis)
    for query in ({}, {"run": link_id(run)}):
        said = at_address(Session(), run, [("streets", run)], query=query, own=[], back=True)
        assert said["session"].run == run
        assert said["tabs"]["selected"] == "explore"
    RUNS.remove(run)


def test_a_link_to_a_run_that_is_gone_leaves_the_open_one(
    diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webapp import address

    told = list[str]()
    monkeypatch.setattr(address.gr, "Warning", lambda text, **_: told.append(text))
    serve("gil")
    run = RUNS.add(diagnosis)
    said = at_address(Session(run), "", query={"run": "<b>gone"}, own=[], back=False)
    assert said["picker"]["value"] == run
    assert said["failure_map"]["view"]["query"]["run"] == link_id(run)
    assert told == [GONE]
    on_go(Session(run), run, [], press(query={"cluster": "77"}, own=[], back=True))
    assert "number 77" in told[1]
    on_go(Session(run), run, [], press(query={"cluster": "<a href=//x>in</a>"}, own=[], back=True))
    assert "&lt;a href=//x&gt;in" in told[2]  # Gradio takes a message for HTML
    RUNS.remove(run)


@pytest.mark.parametrize(("part", "value"), [("tab", "nonsense<b>"), ("beside", "x"), ("beside", "A" * 22)])
def test_a_part_of_an_address_that_names_nothing_is_named(
    diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch, part: str, value: str
) -> None:
    told = list[str]()
    monkeypatch.setattr("webapp.address.gr.Warning", lambda text, **_: told.append(text))
    serve("hal")
    run = RUNS.add(diagnosis)
    said = at_address(Session(), run, query={part: value, "cluster": "1"}, own=[run], back=False)
    assert (said["session"].cluster, said["session"].beside) == (0, "")
    (message,) = told
    assert value.replace("<b>", "&lt;b&gt;") in message
    assert len(message.split()) <= 24
    RUNS.remove(run)


def test_where_no_address_opens_anything_all_but_picker_and_map_stays_as_it_is() -> None:
    said = at_address(Session(), "", query={}, own=[], back=False)
    assert [name for name, shown in said.items() if shown != gr.skip()] == ["addressed", "picker", "failure_map"]


def test_a_visitor_who_goes_elsewhere_while_a_link_opens_is_left_there(diagnosis: Diagnosis) -> None:
    serve("ivy")
    run = RUNS.add(diagnosis)
    query = {"run": link_id(run)}
    assert at_address(Session(), "", query=query, own=[run], back=False)["tabs"] == gr.skip()
    assert at_address(Session(), "", query=query, own=[run], back=True)["tabs"]["selected"] == "explore"
    RUNS.remove(run)
