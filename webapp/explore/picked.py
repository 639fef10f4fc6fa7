"""The selection of a run (cluster, outline, sample, filters), as the pane and the map show it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from core.extensions import second_opinion
from core.records import I64, Diagnosis, Insight
from core.reports.tables.columns import LOSS
from core.statistics.measures import insights_of
from webapp.clicks.judging import answer, clicks_view, draw
from webapp.explore.cards import cluster_list
from webapp.explore.detail import Selection, selection_pane
from webapp.explore.findings import phrases_of_rows
from webapp.explore.own_part import form_of
from webapp.explore.patches import patches_of
from webapp.explore.worth import opened
from webapp.failure_map import NO_SELECTION, map_selection, read_polygon
from webapp.state.events import as_int, event_data, event_of_run
from webapp.state.query import view_of
from webapp.state.runs import RUNS
from webapp.state.session import PAGE, Session, picked_cluster, row_of, selected_rows, still_there


def show_selection(session: Session) -> tuple[Session, Any, Any]:
    """Show the session's selection: returns (session, pane, map)."""
    diagnosis = opened(session.run)
    patches = patches_of(session.run)
    session = still_there(session, diagnosis)
    rows = None
    if session.picked:
        rows = selected_rows(session, diagnosis)
    note = ""
    if rows is not None and not len(rows):
        note = "The outline contains no points. Draw a larger one."
        if session.filters:
            note = "No sample matches all filters. Remove one."
        rows = None
        if not session.filters:
            session = replace(session, polygon=())
    view = view_of(session)
    if rows is None:
        listed = cluster_list(diagnosis, note, patches, shows_map=session.colour != LOSS)
        return session, listed, gr.update(selection=NO_SELECTION, view=view)
    described = replace(describe_selection(session, diagnosis, rows), form=form_of(session, diagnosis, rows))
    if described.cluster is not None:
        described = replace(
            described,
            clicks=clicks_view(session, diagnosis),
            hides_images=session.clicks is not None and not session.clicks.judged,
            second_opinion=second_opinion(RUNS.get(session.run), rows),
        )
    pane = selection_pane(diagnosis, described, patches)
    selection = map_selection(diagnosis, rows, cluster=session.cluster)
    return session, pane, gr.update(selection=selection, view=view)


def describe_selection(session: Session, diagnosis: Diagnosis, rows: I64) -> Selection:
    """Describe the selected rows: a cluster by its tested insights, a lasso by untested ones."""
    if session.row is not None:
        back = ""
        if session.cluster is not None:
            back = f"Group {session.cluster + 1}"
        elif session.closed.picked:
            back = "The selection"
        return Selection(rows, (), shown=session.shown, back=back)
    cluster = None  # filtered members of a cluster were not tested
    if not session.filters:
        cluster = picked_cluster(session, diagnosis)
    if cluster is not None and cluster.confirmed:
        return Selection(rows, tuple(insights_of(diagnosis, cluster.id)), cluster, session.shown)
    title = session.title
    if session.filters:
        title = ""
    conditions: tuple[Insight, ...] = ()  # none for a single row or all rows
    if 2 <= len(rows) < len(diagnosis.samples):
        from core.discovery.insights import explain  # scikit-learn: not needed for the first view

        conditions = explain(diagnosis, rows)
    return Selection(rows, conditions, cluster, session.shown, phrases_of_rows(diagnosis, rows), title, session.scope)


def on_act(session: Session, event: gr.EventData) -> tuple[Session, Any, Any]:
    """Handle a button of the pane: cluster, candidate, step, clicks, judge, more, close, or clear."""
    payload = event_data(event)
    do = payload.get("do")
    if do == "cluster":
        session = session.only(cluster=as_int(payload.get("cluster")))
    elif do == "candidate":
        session = session.only(candidate=as_int(payload.get("candidate")))
    elif do == "step":
        diagnosis = RUNS.get(session.run)
        session = _cluster(session, diagnosis, neighbour(diagnosis, session.cluster, as_int(payload.get("by"))))
    elif do == "clicks":
        session = draw(session.closed, RUNS.get(session.run), as_int(payload.get("claim", 0)))
    elif do == "judge":
        session = answer(session, payload.get("answers"))
    elif do == "close":
        session = session.closed
    elif do == "more":
        session = replace(session, shown=session.shown + PAGE)
    else:
        session = session.only()
    return show_selection(session)


def on_lasso(session: Session, event: gr.EventData) -> tuple[Session, Any, Any]:
    """Select the samples inside an outline on the map."""
    payload = event_of_run(event, session.run)
    return show_selection(session.only(polygon=read_polygon(payload.get("polygon")), filters=session.filters))


def on_point(session: Session, event: gr.EventData) -> tuple[Session, Any, Any]:
    """Open a clicked point's confirmed cluster, within the filters. Open the sample itself if it is in no cluster, its
    cluster is already open, or no member passes the filters."""
    diagnosis = RUNS.get(session.run)
    row = row_of(diagnosis, event_of_run(event, session.run).get("row"))
    cluster = int(diagnosis.cluster_of()[0][row])
    if cluster in (-1, session.cluster):
        return show_selection(session.opened(row))
    following = session.only(cluster=cluster, filters=session.filters)
    if not len(selected_rows(following, diagnosis)):
        following = session.opened(row)
    return show_selection(following)


def on_cluster(session: Session, event: gr.EventData) -> tuple[Session, Any, Any]:
    """Open a cluster chosen on the map with the keyboard."""
    cluster = as_int(event_of_run(event, session.run).get("cluster"))
    return show_selection(_cluster(session, RUNS.get(session.run), cluster))


def _cluster(session: Session, diagnosis: Diagnosis, cluster: int | None) -> Session:
    """Return the session with that cluster open, without the filters if no member passes them."""
    following = session.only(cluster=cluster, filters=session.filters)
    if len(selected_rows(following, diagnosis)):
        return following
    return session.only(cluster=cluster)


def on_clear(session: Session) -> tuple[Session, Any, Any]:
    """Clear the selection: Escape, or a click away from all points."""
    return show_selection(session.only())


def neighbour(diagnosis: Diagnosis, cluster: int | None, by: int) -> int | None:
    """Return the id of the confirmed cluster `by` ranks further, cyclically; the first if none is open."""
    ids = [c.id for c in diagnosis.clusters]
    if not ids:
        return None
    if cluster in ids:
        return ids[(ids.index(cluster) + by) % len(ids)]
    return ids[0]
