"""What is picked in a run, and what the pane and the map show of it: a cluster, an outline, a sample, the filters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from core.records import I64, Diagnosis, Insight
from core.statistics.measures import insights_of
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
    """Returns (session, pane, map) for what the session has picked."""
    diagnosis = opened(session.run)
    patches = patches_of(session.run)
    session = still_there(session, diagnosis)
    rows = selected_rows(session, diagnosis) if session.picked else None
    note = ""
    if rows is not None and not len(rows):
        note = "No sample passes all of this." if session.filters else "The outline held no point."
        rows = None
        session = session if session.filters else replace(session, polygon=())
    view = view_of(session)
    if rows is None:
        return session, cluster_list(diagnosis, note, patches), gr.update(selection=NO_SELECTION, view=view)
    described = replace(describe_selection(session, diagnosis, rows), own=form_of(session, diagnosis, rows))
    pane = selection_pane(diagnosis, described, patches)
    selection = map_selection(diagnosis, rows, cluster=session.cluster)
    return session, pane, gr.update(selection=selection, view=view)


def describe_selection(session: Session, diagnosis: Diagnosis, rows: I64) -> Selection:
    """The picked rows with what is known of them: a cluster's tested insights, or an exploratory reading of a lasso."""
    if session.row is not None:
        return Selection(rows, (), shown=session.shown, back=_back(session))
    cluster = None if session.filters else picked_cluster(session, diagnosis)  # of some members nothing was tested
    if cluster is not None and cluster.confirmed:
        return Selection(rows, tuple(insights_of(diagnosis, cluster.id)), cluster, session.shown)
    return Selection(
        rows,
        explore_rows(diagnosis, rows),
        cluster,
        session.shown,
        phrases_of_rows(diagnosis, rows),
        "" if session.filters else session.title,
        session.scope,
    )


def _back(session: Session) -> str:
    """What is picked beside the open sample, "" where nothing is."""
    if session.cluster is not None:
        return f"Cluster {session.cluster + 1}"
    return "The selection" if session.closed.picked else ""


def explore_rows(diagnosis: Diagnosis, rows: I64) -> tuple[Insight, ...]:
    """Exploratory conditions (without a p) that set the rows apart; none for a single row or for all of them."""
    if len(rows) < 2 or len(rows) == len(diagnosis.samples):
        return ()
    from core.discovery.insights import explain  # scikit-learn: not needed for the first view

    return explain(diagnosis, rows)


def on_act(session: Session, event: gr.EventData) -> tuple[Session, Any, Any]:
    """A button of the pane was pressed: cluster, candidate, step, more, close or clear."""
    said = event_data(event)
    do = said.get("do")
    if do == "cluster":
        session = session.only(cluster=as_int(said.get("cluster")))
    elif do == "candidate":
        session = session.only(candidate=as_int(said.get("candidate")))
    elif do == "step":
        diagnosis = RUNS.get(session.run)
        session = _cluster(session, diagnosis, neighbour(diagnosis, session.cluster, as_int(said.get("by"))))
    elif do == "close":
        session = session.closed
    elif do == "more":
        session = replace(session, shown=session.shown + PAGE)
    else:
        session = session.only()
    return show_selection(session)


def on_lasso(session: Session, event: gr.EventData) -> tuple[Session, Any, Any]:
    """An outline was drawn on the map."""
    said = event_of_run(event, session.run)
    return show_selection(session.only(polygon=read_polygon(said.get("polygon")), filters=session.filters))


def on_point(session: Session, event: gr.EventData) -> tuple[Session, Any, Any]:
    """A point was clicked: its confirmed cluster opens, as far as it passes the filters; or the sample alone where it
    is in none, its cluster is open already, or nothing of it passes them."""
    diagnosis = RUNS.get(session.run)
    row = row_of(diagnosis, event_of_run(event, session.run).get("row"))
    cluster = int(diagnosis.cluster_of()[0][row])
    if cluster in (-1, session.cluster):
        return show_selection(session.opened(row))
    following = session.only(cluster=cluster, filters=session.filters)
    return show_selection(following if len(selected_rows(following, diagnosis)) else session.opened(row))


def on_cluster(session: Session, event: gr.EventData) -> tuple[Session, Any, Any]:
    """A cluster was chosen on the map with the keyboard."""
    cluster = as_int(event_of_run(event, session.run).get("cluster"))
    return show_selection(_cluster(session, RUNS.get(session.run), cluster))


def _cluster(session: Session, diagnosis: Diagnosis, cluster: int | None) -> Session:
    """The session with that cluster open, as far as it passes the filters; without them where nothing of it does."""
    following = session.only(cluster=cluster, filters=session.filters)
    return following if len(selected_rows(following, diagnosis)) else session.only(cluster=cluster)


def on_clear(session: Session) -> tuple[Session, Any, Any]:
    """Escape, or a click beside every point."""
    return show_selection(session.only())


def neighbour(diagnosis: Diagnosis, cluster: int | None, by: int) -> int | None:
    """The id of the confirmed cluster `by` places further in rank, round the ends; the first if none is picked."""
    ids = [c.id for c in diagnosis.clusters]
    if not ids:
        return None
    return ids[(ids.index(cluster) + by) % len(ids)] if cluster in ids else ids[0]
