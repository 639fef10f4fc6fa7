"""The charts and the table below the map: presses, their order, and what may be taken away."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest

from core.checks.questions import ask
from core.errors import InvalidInput
from core.store import save
from tests.support.showcase import PlainEncoder, add_words, make_showcase
from tests.webapp.callbacks import press
from webapp.explore.linked import LinkedState, linked_view, on_linked, on_refresh, take_csv
from webapp.explore.picked import on_act, on_cluster, on_point, show_selection
from webapp.explore.table import PAGE_ROWS, sorted_rows, table
from webapp.state.filters import MAX_VALUES, Filter, shown_column
from webapp.state.query import query_of, session_of
from webapp.state.runs import RUNS
from webapp.state.session import Session, selected_rows


@pytest.fixture
def run(tmp_path: Path) -> str:
    save(add_words(make_showcase(120)), tmp_path / "linked" / "run.errata")
    return RUNS.offer(tmp_path / "linked" / "run.errata")


def pressed(session: Session, state: LinkedState | None = None, **said: Any) -> tuple[Any, ...]:
    return on_linked(session, state or LinkedState(), show_selection, press(**said))


def rows_of(session: Session) -> list[int]:
    return selected_rows(session, RUNS.get(session.run)).tolist()


def test_a_bar_filters_another_one_narrows_and_the_same_one_lets_go(run: str) -> None:
    names = RUNS.get(run).samples.class_names
    one = pressed(Session(run), do="filter", part=json.dumps(["class", names[0]]))[0]
    two = pressed(one, do="filter", part=json.dumps(["class", names[1]]))[0]
    narrow = pressed(two, do="filter", part=json.dumps(["loss", 0.5, None]))[0]
    assert one.filters == (Filter("class", values=(names[0],)),)
    assert two.filters == (Filter("class", values=names[:2]),)
    assert set(rows_of(narrow)) < set(rows_of(two))
    assert pressed(one, do="filter", part=json.dumps(["class", names[0]]))[0].filters == ()
    again = pressed(narrow, do="filter", part=json.dumps(["loss", 0.5, None]))[0]
    assert again.filters == two.filters


def test_a_search_by_words_is_sorted_by_likeness_and_can_be_turned_to_loss(
    run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.encoders.load_encoder", lambda name, **_: PlainEncoder())
    diagnosis = RUNS.get(run)
    found, _, _, state, _ = pressed(Session(run), do="like", text="in the dark")
    expected = ask(diagnosis, "in the dark")[0]
    assert list(found.rows) == expected.rows.tolist()

    def heads(view: str) -> list[str]:
        return re.findall(r'data-do="sort" data-key="([^"]*)"', view)

    def listed(view: str) -> list[int]:
        return [int(row) for row in re.findall(r'<tr data-row="(\d+)"', view)]

    view = linked_view(found, state)
    assert heads(view)[0] == "likeness"
    assert listed(view) == expected.rows[:PAGE_ROWS].tolist()
    likeness = [float(v) for v in re.findall(r'<tr data-row="\d+">.*?<td class="n">([^<]*)</td>', view, re.S)]
    assert likeness == sorted(likeness, reverse=True)
    assert likeness[-1] > 0
    _, _, _, turned, by_loss = pressed(found, state, do="sort", key="loss")
    losses = diagnosis.outcomes.loss[expected.rows]
    assert listed(by_loss) == expected.rows[np.argsort(-losses, kind="stable")][:PAGE_ROWS].tolist()
    assert pressed(found, turned, do="sort", key="likeness")[3].sort == "likeness"
    other = linked_view(Session(run), state)
    assert "likeness" not in heads(other)  # where all samples are shown again
    with pytest.raises(InvalidInput):
        pressed(Session(run), LinkedState(run), do="sort", key="likeness")


def test_a_range_reaches_as_far_as_shift_says(run: str) -> None:
    one = pressed(Session(run), do="filter", part='["loss", 0.1, 0.2]')[0]
    wide = pressed(one, do="filter", part='["loss", 0.5, 0.7]', extend=True)[0]
    other = pressed(one, do="filter", part='["loss", 0.5, 0.7]')[0]
    assert wide.filters == (Filter("loss", 0.1, 0.7),)
    assert other.filters == (Filter("loss", 0.5, 0.7),)


def test_the_outline_of_the_map_and_the_filters_are_one_selection_that_can_be_undone(run: str) -> None:
    outline = Session(run).only(polygon=((-99.0, -99.0), (99.0, -99.0), (99.0, 99.0), (-99.0, 99.0)))
    both = pressed(outline, do="filter", part='["loss", 0.5, null]')[0]
    assert set(rows_of(both)) < set(rows_of(outline))
    assert pressed(both, do="unbase")[0].polygon == ()
    assert pressed(both, do="unbase")[0].filters == both.filters
    assert pressed(both, do="unfilter", key="loss")[0].polygon == outline.polygon
    assert pressed(both, do="undo")[0].filters == ()
    assert not pressed(both, do="clear")[0].picked


def test_a_part_of_a_cluster_is_exploratory_and_never_called_by_its_test(run: str) -> None:
    cluster = Session(run).only(cluster=0)
    whole, part = show_selection(cluster)[1], pressed(cluster, do="filter", part='["loss", 0.5, null]')[1]
    assert "Adjusted p" in whole
    assert "Adjusted p" not in part
    assert "Not tested" in part
    assert "Your selection" in part


def test_a_selection_that_nothing_passes_says_so_and_stays_to_be_changed(run: str) -> None:
    following, pane, points, *_ = pressed(Session(run), do="find", text="nowhere to be found")
    assert following.filters
    assert "No sample matches" in pane
    assert points["selection"] == {"count": 0}
    assert "No sample matches" in linked_view(following, LinkedState(run))


def test_the_table_is_sorted_paged_and_widened_without_touching_the_selection(run: str) -> None:
    session, _, _, state, view = pressed(Session(run), do="sort", key="loss")
    assert isinstance(session, type(gr.skip()))
    assert not state.falling
    assert 'aria-sort="ascending"' in view
    state = pressed(Session(run), state, do="page", to="1")[3]
    assert "Page 2 of 6" in linked_view(Session(run), state)
    assert "Page 6 of 6" in linked_view(Session(run), pressed(Session(run), state, do="page", to="999")[3])
    state = pressed(Session(run), state, do="chart", key="spread")[3]
    assert state.more == ("spread",)
    assert 'data-chart="spread"' in linked_view(Session(run), state)
    assert pressed(Session(run), state, do="unchart", key="spread")[3].more == ()
    assert on_refresh(Session(run), LinkedState("another", page=4))[0] == LinkedState(run)


def test_rows_are_sorted_by_size_or_alphabet_with_what_is_missing_last(run: str) -> None:
    diagnosis = RUNS.get(run)
    rows = np.arange(len(diagnosis.samples))
    losses = diagnosis.outcomes.loss[sorted_rows(shown_column(diagnosis, "loss"), rows, falling=True)]
    assert (np.diff(losses) <= 0).all()
    for falling in (True, False):
        ordered = sorted_rows(shown_column(diagnosis, "cluster"), rows, falling=falling)
        names = [shown_column(diagnosis, "cluster").values[row] for row in ordered]
        there = [int(name) for name in names if name is not None]
        assert names[len(there) :] == [None] * (len(names) - len(there))
        assert there == sorted(there, reverse=falling)
    assert len(table(diagnosis, rows, (), "class").rows) == PAGE_ROWS


@pytest.mark.parametrize(
    "said",
    [
        {"do": "filter", "part": "nonsense"},
        {"do": "filter", "part": '["no column", 1, 2]'},
        {"do": "filter"},
        {"do": "sort", "key": "no column"},
        {"do": "chart", "key": "__class__"},
        {"do": "row", "row": "10000"},
        {"do": "row", "row": "Infinity"},
        {"do": "page", "to": "x"},
        {"do": "filter", "part": "[" * 20_000},
        {"do": "filter", "part": '["class", "\\ud800"]'},
        {"do": "find", "text": "\ud800"},
        {"do": "find", "text": "x" * 300},
        {"do": "like", "text": ""},
    ],
)
def test_what_no_button_says_is_refused_in_a_sentence(run: str, said: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        pressed(Session(run), **said)


def test_the_file_holds_the_samples_that_are_shown_in_full(run: str) -> None:
    diagnosis = RUNS.get(run)
    session = Session(run, filters=(Filter("loss", low=0.5),))
    text = take_csv([run, query_of(session)])
    assert text is not None
    lines = list(csv.DictReader(io.StringIO(text)))
    rows = rows_of(session)
    assert [line["id"] for line in lines] == [diagnosis.samples.ids[row] for row in rows]
    assert [float(line["loss"]) for line in lines] == [float(diagnosis.outcomes.loss[row]) for row in rows]
    everything = take_csv([run, {}])
    assert everything is not None
    assert len(everything.splitlines()) == 121


def test_a_sample_of_several_clusters_is_shown_in_all_the_one_that_counts_it_first(tmp_path: Path) -> None:
    made = make_showcase(120)
    first, second = made.clusters[:2]
    row = int(np.flatnonzero(first.membership >= 0.5)[0])
    for at, membership in ((0, 0.6), (1, 0.9)):
        held = made.clusters[at].membership.copy()
        held[row] = membership
        clusters = [*made.clusters]
        clusters[at] = replace(clusters[at], membership=held)
        made = replace(made, clusters=tuple(clusters))
    save(made, tmp_path / "several" / "run.errata")
    run = RUNS.offer(tmp_path / "several" / "run.errata")
    shown = table(RUNS.get(run), np.array([row]), (), "cluster")
    place = [key for key, *_ in shown.heads].index("cluster")
    assert shown.rows[0].cells[place][0] == f"{second.id + 1}, {first.id + 1}"
    text = take_csv([run, {}])
    assert text is not None
    assert list(csv.DictReader(io.StringIO(text)))[row]["cluster"] == f"{second.id + 1} | {first.id + 1}"


def test_the_file_holds_what_no_address_can_say_in_full(run: str) -> None:
    matches = Session(run).only(rows=(3, 5, 99), title="Looks like “x”")
    _, update = on_refresh(matches, LinkedState(run))
    text = take_csv([run, query_of(matches), update["mask"]])
    assert text is not None
    ids = RUNS.get(run).samples.ids
    assert [line["id"] for line in csv.DictReader(io.StringIO(text))] == [ids[row] for row in (3, 5, 99)]
    assert on_refresh(Session(run), LinkedState(run))[1]["mask"] == ""


def test_the_file_is_in_the_order_of_the_table(run: str) -> None:
    loss = RUNS.get(run).outcomes.loss
    for falling in (True, False):
        text = take_csv([run, {}, "", "loss", falling])
        assert text is not None
        told = [float(line["loss"]) for line in csv.DictReader(io.StringIO(text))]
        assert told == sorted(loss.tolist(), reverse=falling)
    assert 'data-take="spread" data-falling' in linked_view(Session(run), LinkedState(run, sort="spread"))
    assert take_csv([run, {}, "", "no column", True]) is None


@pytest.mark.parametrize("based", [False, True])
def test_a_sample_opened_from_the_table_leaves_what_the_table_shows(run: str, based: bool) -> None:
    before = Session(run).only(rows=tuple(range(60)), title="Looks like “x”") if based else Session(run)
    before = before.filtered((Filter("loss", low=0.5),))
    n, state = len(rows_of(before)), LinkedState(run, page=1)
    row, ids = rows_of(before)[2], RUNS.get(run).samples.ids
    session, pane, _, state, _ = pressed(before, state, do="row", row=str(row))
    assert (session.row, session.filters, state.page) == (row, before.filters, 1)
    assert ids[row] in pane
    view = linked_view(session, state)
    assert f"<b>{n}</b> of 120 selected" in view
    assert f"open: {ids[row]}" in view
    assert ("Looks like “x”" in view) == based
    text = take_csv([run, query_of(session), on_refresh(session, state)[1]["mask"]])
    assert text is not None
    assert len(text.splitlines()) == n + 1
    another = pressed(session, state, do="row", row=str(rows_of(before)[3]))
    assert f"<b>{n}</b> of 120 selected" in linked_view(another[0], another[3])
    for do in ("unrow", "undo"):
        assert rows_of(pressed(session, state, do=do)[0]) == rows_of(before)
    fewer = pressed(session, state, do="filter", part='["loss", 0.8, null]')[0]
    assert (fewer.row, fewer.rows) == (None, before.rows)
    assert not pressed(session, state, do="clear")[0].picked
    assert rows_of(on_act(session, press(do="close"))[0]) == rows_of(before)


def test_a_sample_opened_beside_a_cluster_stands_in_the_address_with_it(run: str) -> None:
    cluster = Session(run).only(cluster=1)
    session, pane, points, *_ = pressed(cluster, do="row", row="0")
    assert query_of(session) == {"run": run, "cluster": "2", "row": "0"}
    assert points["selection"]["count"] == 1
    assert "&larr; Group 2" in pane
    back = session_of(query_of(session), RUNS.get(run), run)
    assert show_selection(back)[1] == pane
    assert linked_view(back, LinkedState(run)) == linked_view(replace(session, past=()), LinkedState(run))
    assert f"<b>{len(rows_of(cluster))}</b> of 120 selected" in linked_view(back, LinkedState(run))


def test_a_sample_pressed_on_the_map_leaves_the_filters(run: str) -> None:
    diagnosis = RUNS.get(run)
    own = diagnosis.cluster_of()[0]
    alone, row = int(np.flatnonzero(own < 0)[0]), int(np.flatnonzero(own == 1)[0])
    every, none = (Filter("loss", low=low) for low in (-1.0, 1e6))
    for one in (every, none):
        session, *_ = on_point(Session(run, filters=(one,)), press(run=run, row=alone))
        assert (session.row, session.filters, rows_of(session)) == (alone, (one,), [alone])
    opened, *_ = on_point(Session(run, filters=(every,)), press(run=run, row=row))
    assert (opened.cluster, opened.row, opened.filters) == (1, None, (every,))
    again, *_ = on_point(opened, press(run=run, row=row))
    assert (again.cluster, again.row, again.filters) == (1, row, (every,))
    closed, *_ = on_point(Session(run, filters=(none,)), press(run=run, row=row))
    assert (closed.cluster, closed.row, closed.filters) == (None, row, (none,))  # none of its cluster passes
    for do, found in ((on_cluster, press(run=run, cluster=0)), (on_act, press(do="step", by=-1))):
        assert (do(opened, found)[0].cluster, do(opened, found)[0].filters) == (0, (every,))
        assert do(closed, found)[0].filters == ()


@pytest.mark.parametrize("asked", [None, [], ["no run", {}], [3], ["x", 4, 5], {"run": 1}])
def test_a_wrong_question_gets_no_file(asked: Any) -> None:
    assert take_csv(asked) is None


@pytest.mark.parametrize("mask", ["AAAA", "no base64!", "\ud800", [1], {"a": 1}])
def test_a_wrong_mask_gets_no_file(run: str, mask: Any) -> None:
    assert take_csv([run, {}, mask]) is None


def test_no_more_is_filtered_than_a_link_can_hold(run: str) -> None:
    values = [f"v{i}" for i in range(MAX_VALUES)]
    most = pressed(Session(run), do="filter", part=json.dumps(["class", *values]))[0]
    with pytest.raises(InvalidInput, match="each by 60 values"):
        pressed(most, do="filter", part=json.dumps(["class", "one more"]))


def test_names_from_a_table_are_no_markup(tmp_path: Path) -> None:
    made = make_showcase(60)
    bad = '<img src=x onerror="alert(1)">'
    samples = replace(made.samples, ids=(bad, *made.samples.ids[1:]), class_names=(bad, *made.samples.class_names[1:]))
    save(replace(made, samples=samples), tmp_path / "bad" / "run.errata")
    run = RUNS.offer(tmp_path / "bad" / "run.errata")
    assert "<img src=x" not in linked_view(Session(run, row=0), LinkedState(run))
