"""A person's own hand on the page: kept with their run alone, marked as theirs, and never over what was tested."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Diagnosis
from core.reports.tables.columns import column_of
from core.reports.wording.findings import cluster_title
from core.yours import Yours, yours_of
from tests.support.visits import serve
from tests.webapp.callbacks import press
from tests.webapp.markup.test_html import Tags
from webapp.data.runs import on_copy
from webapp.explore.detail import NOT_TESTED
from webapp.explore.own_part import target
from webapp.explore.picked import show_selection
from webapp.explore.tab import show_run
from webapp.explore.yours import on_yours
from webapp.samples.listing import Order, list_samples, listing_csv
from webapp.state.filters import Filter
from webapp.state.query import query_of, session_of
from webapp.state.runs import RUNS
from webapp.state.session import Session, selected_rows

EVIL = "=<script>alert(7)</script>"


@pytest.fixture
def run(streets: Diagnosis) -> str:
    serve("ida")
    return RUNS.add(streets)


def merged(session: Session, other: str, title: str) -> tuple[Any, ...]:
    said: dict[str, Any] = {"with": other}
    return pressed(session, do="merge", title=title, **said)


def pressed(session: Session, **said: Any) -> tuple[Any, ...]:
    """As yours.js sends it."""
    event = {"run": session.run, "of": target(session), **said}
    return on_yours(session, press(**event))


def kept(run: str) -> Yours:
    return yours_of(RUNS.get(run))


def text(markup: str) -> str:
    return " ".join(Tags(str(markup)).text.split())


def test_a_cluster_is_renamed_beside_its_tested_name(run: str, streets: Diagnosis) -> None:
    said: dict[str, Any] = {"title": EVIL, "note": "two\nlines", "dismissed": "the label is wrong"}
    session, pane, points = pressed(Session(run).only(cluster=0), do="save", **said)
    mark = kept(run).mark_of("cluster", 0)
    assert (mark.title, mark.note, mark.dismissed) == (EVIL, "two\nlines", "the label is wrong")
    shown = text(pane)
    assert "<script" not in pane
    for part in (EVIL, "your words, not tested", "not a failure", "the label is wrong"):
        assert part in shown
    assert cluster_title(streets, streets.clusters[0]) in shown
    assert "adjusted p" in shown
    assert session.cluster == 0
    assert points["colour"]["key"] == "loss"
    listed = text(show_run(run).pane["value"])
    assert EVIL in listed
    assert cluster_title(streets, streets.clusters[0]) in listed


def test_only_what_was_changed_is_kept_so_two_tabs_lose_nothing(run: str) -> None:
    one = Session(run).only(cluster=1)
    jobs = [
        threading.Thread(target=pressed, args=(one,), kwargs={"do": "save", "note": "from one tab"}),
        threading.Thread(target=pressed, args=(one,), kwargs={"do": "save", "title": "from the other"}),
        threading.Thread(target=pressed, args=(one,), kwargs={"do": "pin", "pinned": "yes"}),
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    mark = kept(run).mark_of("cluster", 1)
    assert (mark.note, mark.title, mark.pinned) == ("from one tab", "from the other", True)


def test_a_sample_and_a_candidate_have_notes_too(run: str, streets: Diagnosis) -> None:
    pressed(Session(run).only(row=3), do="save", note="blurred")
    assert kept(run).mark_of("sample", 3).note == "blurred"
    assert streets.samples.ids[3] in text(show_run(run).pane["value"])
    if streets.candidates:
        pressed(Session(run).only(candidate=0), do="save", title="mine")
        assert kept(run).mark_of("candidate", 0).title == "mine"


def test_clusters_are_merged_and_the_union_is_theirs(run: str, streets: Diagnosis) -> None:
    one = Session(run).only(cluster=0)
    session, pane, *_ = merged(one, "cluster:1", "both")
    members = np.flatnonzero((streets.clusters[0].membership >= 0.5) | (streets.clusters[1].membership >= 0.5))
    assert selected_rows(session, RUNS.get(run)).tolist() == members.tolist()
    shown = text(pane)
    assert shown.count("both") >= 1
    assert NOT_TESTED in shown
    assert "Made from all of group 1" in shown
    assert "adjusted p" not in shown
    for wrong in ("cluster:0", "cluster:99", "set:00000000", "", "x"):
        with pytest.raises(InvalidInput, match="another group or set"):
            merged(one, wrong, "x")


def test_a_cluster_is_split_by_what_is_picked_of_it(run: str, streets: Diagnosis) -> None:
    members = np.flatnonzero(streets.clusters[0].membership >= 0.5)
    middle = float(np.median(streets.outcomes.loss[members]))
    part = Session(run).only(cluster=0, filters=(Filter("loss", low=middle),))
    session, pane, *_ = pressed(part, do="keep", title="the worse half", part="cluster:0", rest="yes")
    first, rest = kept(run).sets
    assert sorted([*first.rows.tolist(), *rest.rows.tolist()]) == members.tolist()
    assert rest.title == "the worse half: the others"
    assert session.own_set == first.id
    assert "split by group 1" in text(pane)
    outline = Session(run).only(polygon=((-99.0, -99.0), (99.0, -99.0), (99.0, 99.0), (-99.0, 99.0)))
    assert "Keep<select" in show_selection(outline)[1]
    pressed(outline, do="keep", title="in the second", part="cluster:1")
    assert kept(run).sets[2].rows.tolist() == np.flatnonzero(streets.clusters[1].membership >= 0.5).tolist()


def test_a_set_colours_filters_is_in_the_file_and_in_links(run: str) -> None:
    session, _, points = pressed(Session(run).only(rows=(1, 2, 3), title="q"), do="keep", title=EVIL)
    assert any(choice["key"] == "yours" for choice in points["colour"]["choices"])
    column = column_of(RUNS.get(run), "yours")
    assert column is not None
    assert [row for row, value in enumerate(column.values) if value == EVIL] == [1, 2, 3]
    listing = list_samples(session, Order(run), RUNS.get(run))
    table = listing_csv(RUNS.get(run), listing).decode()
    assert table.splitlines()[1].count(f"'{EVIL}") == 1
    query = query_of(session)
    assert query["set"] == session.own_set
    back = session_of(query, RUNS.get(run), RUNS.link(run))
    assert selected_rows(back, RUNS.get(run)).tolist() == [1, 2, 3]
    with pytest.raises(InvalidInput, match="no longer exists"):
        session_of({"set": "../../x"}, RUNS.get(run), run)


def test_a_deleted_set_comes_back_and_leaves_no_page_stuck(run: str) -> None:
    session, *_ = pressed(Session(run).only(rows=(1, 2, 3)), do="keep", title="mine")
    elsewhere = replace(session, filters=(Filter("yours", values=("mine",)),), colour="yours")
    after, pane, _ = pressed(session, do="delete")
    assert not kept(run).sets
    assert "Deleted “mine”" in text(pane)
    assert not after.picked
    followed, shown, _ = show_selection(elsewhere)
    assert (followed.own_set, followed.filters, followed.colour) == ("", (), "loss")
    assert " groups" in text(shown)
    with pytest.raises(InvalidInput, match="deleted"):
        pressed(after, do="open", key=f"set:{session.own_set}")
    again, *_ = pressed(after, do="undo")
    assert again.own_set == session.own_set == kept(run).sets[0].id
    assert kept(run).sets[0].rows.tolist() == [1, 2, 3]
    with pytest.raises(InvalidInput, match="No deleted set"):
        pressed(again, do="undo")


def test_examples_and_links_are_read_only_and_say_how_to_have_an_own_run(example: str, run: str) -> None:
    for other, said in ((example, "Copy it"), (RUNS.link(run), "a link opened it")):
        session = Session(other).only(cluster=0)
        assert said in show_selection(session)[1]
        assert "<form" not in show_selection(session)[1]
        with pytest.raises(InvalidInput, match=said):
            pressed(session, do="save", title="x")
        assert not kept(other).marks


def test_an_example_is_copied_with_what_is_picked(example: str) -> None:
    serve("ida")
    _, session, _, _, pane = on_copy(Session(example).only(cluster=1), [("streets", example)])
    assert session.cluster == 1
    assert not RUNS.is_example(session.run)
    assert pane["run"] == session.run
    pressed(session, do="save", title="mine")
    assert kept(session.run).marks
    assert not kept(example).marks
    with pytest.raises(InvalidInput, match="can be copied"):
        on_copy(Session(RUNS.link(session.run)), [])


@pytest.mark.parametrize(
    "said",
    [
        {"run": "another"},
        {"of": "cluster:1"},
        {"do": "keep", "title": "x", "of": "cluster:0", "part": "cluster:77"},
        {"do": "explode"},
        {"do": "open", "key": "set:<b>"},
        {"do": "open", "key": "sample:100000"},
        {"do": "open", "key": "sample:Infinity"},
        {"do": "undo"},
        {"do": "delete"},
        {"do": "save", "title": "x" * 121},
        {"do": "save", "note": "x" * 2001},
    ],
)
def test_what_no_page_sends_is_refused_in_a_sentence(run: str, said: dict[str, Any]) -> None:
    whole: dict[str, Any] = {"do": "save", "title": "x", **said}
    with pytest.raises(InvalidInput):
        pressed(Session(run).only(cluster=0), **whole)
    assert kept(run).sets == kept(run).marks == ()


def test_a_set_of_another_run_is_none_here(run: str, streets: Diagnosis) -> None:
    session, *_ = pressed(Session(run).only(rows=(1, 2)), do="keep", title="mine")
    other = RUNS.add(streets)
    with pytest.raises(InvalidInput, match="another run"):
        pressed(Session(other), do="open", key=f"set:{session.own_set}")
    followed, *_ = show_selection(Session(other, own_set=session.own_set))
    assert not followed.picked


def test_a_toast_is_what_a_visitor_sees(run: str) -> None:
    from webapp.state.session import shows_errors

    with pytest.raises(gr.Error, match="at most 120 characters"):
        shows_errors(pressed)(Session(run).only(cluster=0), do="save", title="x" * 121)
