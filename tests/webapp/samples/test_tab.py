"""All samples: its presses, its order, what is sent in parts, and what may be taken away."""

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
from core.reports.wording.findings import cluster_title
from core.store import save
from tests.support.showcase import PlainEncoder, add_words, make_showcase
from tests.webapp.callbacks import press
from webapp.explore.picked import on_act, on_cluster, on_point, show_selection
from webapp.explore.tab import describe
from webapp.markup.html import classes_said
from webapp.samples.listing import CELLS, LISTINGS, MAX_LISTINGS, Listing, Order, cells, list_samples, sorted_rows
from webapp.samples.tab import charts_view, column_charts, more_cells, on_press, on_refresh, samples_view, take_csv
from webapp.state.filters import MAX_VALUES, Filter, shown_column
from webapp.state.query import query_of, session_of
from webapp.state.runs import RUNS
from webapp.state.session import Session, selected_rows


@pytest.fixture
def run(tmp_path: Path) -> str:
    save(add_words(make_showcase(120)), tmp_path / "linked" / "run.errata")
    return RUNS.offer(tmp_path / "linked" / "run.errata")


def pressed(session: Session, order: Order | None = None, **said: Any) -> tuple[Any, ...]:
    return on_press(session, order or Order(), press(**said))


def listed(session: Session, order: Order | None = None) -> Listing:
    return list_samples(session, order or Order(session.run), RUNS.get(session.run))


def charts_of(session: Session) -> str:
    return charts_view(RUNS.get(session.run), listed(session))


def shown_rows(view: str) -> list[int]:
    return [int(row) for row in re.findall(r'class="sample" data-zoom data-row="(\d+)"', view)]


def file_of(session: Session, order: Order | None = None) -> list[dict[str, str]]:
    """The lines of the file of a listing, asked for as the browser does."""
    text = take_csv([LISTINGS.keep(listed(session, order))])
    assert text is not None
    return list(csv.DictReader(io.StringIO(text)))


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
    found, _, _, order, _ = pressed(Session(run), do="like", text="in the dark")
    expected = ask(diagnosis, ["in the dark"])[0]
    assert list(found.rows) == expected.rows.tolist()

    def heads(view: str) -> list[str]:
        return re.findall(r'<th[^>]*><button type="button" class="plain" data-do="sort" data-key="([^"]*)"', view)

    view = samples_view(found, replace(order, as_table=True))
    assert heads(view)[0] == "likeness"
    assert shown_rows(view) == expected.rows[:CELLS].tolist()
    likeness = [float(line["likeness"]) for line in file_of(found, order)]
    assert likeness == sorted(likeness, reverse=True)
    assert likeness[-1] > 0
    _, _, _, turned, by_loss = pressed(found, order, do="sort", key="loss")
    losses = diagnosis.outcomes.loss[expected.rows]
    assert shown_rows(by_loss) == expected.rows[np.argsort(-losses, kind="stable")][:CELLS].tolist()
    assert pressed(found, turned, do="sort", key="likeness")[3].sort == "likeness"
    other = samples_view(Session(run), replace(order, as_table=True))
    assert "likeness" not in heads(other)  # where all samples are shown again
    with pytest.raises(InvalidInput):
        pressed(Session(run), Order(run), do="sort", key="likeness")


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
    assert "adjusted p" in whole
    assert "adjusted p" not in part
    assert "Not tested" in part
    assert "Your selection" in part


def test_a_selection_that_nothing_passes_says_so_and_stays_to_be_changed(run: str) -> None:
    following, pane, points, *_ = pressed(Session(run), do="find", text="nowhere to be found")
    assert following.filters
    assert "No sample matches" in pane
    assert points["selection"] == {"count": 0}
    assert "No sample matches" in samples_view(following, Order(run))


def test_the_list_is_sorted_turned_to_a_table_without_touching_the_selection(run: str) -> None:
    session, _, _, order, view = pressed(Session(run), do="sort", key="loss")
    assert isinstance(session, type(gr.skip()))
    assert not order.falling
    losses = RUNS.get(run).outcomes.loss[shown_rows(view)]
    assert (np.diff(losses) >= 0).all()
    order, update = on_refresh(Session(run), order, press(**{"as": "table"}))
    assert 'aria-sort="ascending"' in update["value"]
    assert update["value"].count("<tr>") == CELLS + 1
    assert on_refresh(Session(run), Order("another", sort="class"), press())[0] == Order(run)


def test_samples_are_sent_a_part_at_a_time_until_the_last(run: str) -> None:
    session = Session(run).only(rows=tuple(range(100)), title="some")
    token = LISTINGS.keep(listed(session))
    expected = listed(session).rows.tolist()
    assert shown_rows(samples_view(session, Order(run))) == expected[:CELLS]
    following = more_cells([token, CELLS])
    assert following is not None
    assert shown_rows(following) == expected[CELLS:]
    assert more_cells([token, 100]) is None


@pytest.mark.parametrize(
    "asked", [None, [], ["no token", 0], [3], [["x"], 0], {"listed": 1}, [None, None], [float("inf")]]
)
def test_what_is_no_listing_gets_nothing(asked: Any) -> None:
    assert (more_cells(asked), take_csv(asked), column_charts(asked)) == (None, None, None)


@pytest.mark.parametrize("first", [-1, 120, 10**30, "x", None, [], float("inf"), float("nan")])
def test_a_position_beyond_a_listing_gets_nothing(run: str, first: Any) -> None:
    token = LISTINGS.keep(listed(Session(run)))
    assert more_cells([token, first]) is None
    assert more_cells([token]) is None


def test_no_more_listings_are_held_than_the_server_has_room_for_and_none_of_a_deleted_run(run: str) -> None:
    listing = listed(Session(run))
    first = LISTINGS.keep(listing)
    for _ in range(MAX_LISTINGS):
        assert LISTINGS.get(first) is listing  # in use
        last = LISTINGS.keep(listing)
    assert LISTINGS.get(first) is listing
    for _ in range(MAX_LISTINGS):
        LISTINGS.keep(listing)
    assert LISTINGS.get(first) is None
    assert LISTINGS.get(last) is None
    deleted = LISTINGS.keep(replace(listing, session=replace(listing.session, run="no run")))
    assert (more_cells([deleted, 0]), take_csv([deleted]), column_charts([deleted])) == (None, None, None)


def test_a_list_sorted_by_a_column_that_is_gone_is_sorted_by_loss(run: str) -> None:
    assert listed(Session(run), Order(run, sort="yours")).order.sort == "loss"
    assert listed(Session(run), Order(run, sort="yours")).rows.tolist() == listed(Session(run)).rows.tolist()


def test_a_sample_says_its_label_its_wrong_prediction_and_which_of_the_two_it_is(run: str) -> None:
    diagnosis = RUNS.get(run)
    errors = diagnosis.outcomes.errors
    assert errors is not None
    for cell in cells(diagnosis, listed(Session(run))):
        assert cell.answer == ", model: ".join(classes_said(diagnosis, cell.row))
        assert cell.mark == ("wrong" if errors[cell.row] else "right")
    view = samples_view(Session(run), Order(run))
    assert view.count('<span class="sample-mark wrong">wrong</span>') == errors[shown_rows(view)].sum()
    unlabeled = replace(diagnosis, samples=replace(diagnosis.samples, labels=None))
    assert {cell.answer.split()[0] for cell in cells(unlabeled, listed(Session(run)))} == {"loss"}


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


@pytest.mark.parametrize(
    "said",
    [
        {"do": "filter", "part": "nonsense"},
        {"do": "filter", "part": '["no column", 1, 2]'},
        {"do": "filter"},
        {"do": "sort", "key": "no column"},
        {"do": "filter", "part": '[["class", "x"], ["__class__", null]]'},
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


def test_the_file_holds_the_samples_that_are_shown_in_full_and_in_their_order(run: str) -> None:
    diagnosis = RUNS.get(run)
    session = Session(run, filters=(Filter("loss", low=0.5),))
    for falling in (True, False):
        lines = file_of(session, Order(run, falling=falling))
        rows = listed(session, Order(run, falling=falling)).rows
        assert set(rows.tolist()) == set(rows_of(session))
        assert [line["id"] for line in lines] == [diagnosis.samples.ids[row] for row in rows]
        losses = [float(line["loss"]) for line in lines]
        assert losses == [float(diagnosis.outcomes.loss[row]) for row in rows]
        assert losses == sorted(losses, reverse=falling)
    assert len(file_of(Session(run))) == 120
    matches = Session(run).only(rows=(3, 5, 99), title="Looks like “x”")  # which no address can say
    assert {line["id"] for line in file_of(matches)} == {diagnosis.samples.ids[row] for row in (3, 5, 99)}


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
    session = Session(run).only(rows=(row,), title="one")
    assert f"<td>{second.id + 1}, {first.id + 1}</td>" in samples_view(session, Order(run, as_table=True))
    assert file_of(session)[0]["cluster"] == f"{second.id + 1} | {first.id + 1}"


@pytest.mark.parametrize("based", [False, True])
def test_a_sample_opened_elsewhere_leaves_what_is_listed_and_is_named(run: str, *, based: bool) -> None:
    before = Session(run)
    if based:
        before = before.only(rows=tuple(range(60)), title="Looks like “x”")
    before = before.filtered((Filter("loss", low=0.5),))
    n = len(rows_of(before))
    row = rows_of(before)[2]
    session = before.opened(row)
    view = samples_view(session, Order(run))
    assert f"<b>{n}</b> of 120 images" in view
    assert f"open: {RUNS.get(run).samples.ids[row]}" in view
    assert ("Looks like “x”" in view) == based
    assert len(file_of(session)) == n
    for do in ("unrow", "undo"):
        assert rows_of(pressed(session, do=do)[0]) == rows_of(before)
    fewer = pressed(session, do="filter", part='["loss", 0.8, null]')[0]
    assert (fewer.row, fewer.rows) == (None, before.rows)
    assert not pressed(session, do="clear")[0].picked
    assert rows_of(on_act(session, press(do="close"))[0]) == rows_of(before)


def test_a_sample_opened_beside_a_cluster_stands_in_the_address_with_it(run: str) -> None:
    cluster = Session(run).only(cluster=1)
    session, pane, points = show_selection(cluster.opened(0))
    assert query_of(session) == {"run": run, "cluster": "2", "row": "0"}
    assert points["selection"]["count"] == 1
    assert "&larr; Group 2" in pane
    back = session_of(query_of(session), RUNS.get(run), run)
    assert show_selection(back)[1] == pane
    assert f"<b>{len(rows_of(cluster))}</b> of 120 images" in samples_view(back, Order(run))


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
    for as_table in (False, True):
        assert "<img src=x" not in samples_view(Session(run, row=0), Order(run, as_table=as_table))
    assert "<img src=x" not in charts_of(Session(run))


def test_an_opened_sample_names_its_groups_and_more_columns_than_a_point_of_the_map(run: str) -> None:
    diagnosis = RUNS.get(run)
    cluster = diagnosis.clusters[0]
    row = int(np.flatnonzero(cluster.membership >= 0.5)[0])
    plain = describe([run, row])
    opened = describe([run, row, True])
    assert plain is not None
    assert opened is not None
    more = set(opened["lines"]) - set(plain["lines"])
    assert f"in group 1: {cluster_title(diagnosis, cluster)}" in more
    assert set(plain["lines"]) <= set(opened["lines"])
