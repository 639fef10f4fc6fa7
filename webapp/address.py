"""Synchronize the page's address, and the browser's list of its runs, with the open view. The other half is
assets/js/link.js."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import gradio as gr

from core.errors import DiagnosisError
from webapp.clicks.judging import drawn_again
from webapp.compare.work import KIND
from webapp.explore.picked import show_selection
from webapp.explore.tab import show_run
from webapp.markup.components import script
from webapp.panels import Page
from webapp.state.boxes import in_message
from webapp.state.downloads import folder_of
from webapp.state.events import event_data
from webapp.state.jobs import JOBS, LIGHT, PLAIN, PRIVATE
from webapp.state.picker import runs_to_open
from webapp.state.query import query_of, question_of, session_of, tab_of, view_of
from webapp.state.runs import GONE, MAX_ASKED_RUNS, NOT_FOUND, RUNS
from webapp.state.session import Session, shows_errors
from webapp.state.visitor import visitor

NO_PLACE = "The link names the place {!r}, which does not exist. Findings is shown."
NO_COMPARISON = "The link names the comparison {!r}, which this run does not have. The run is open without it."
FINISHED = "This run has finished."


class OpenedAddress(NamedTuple):
    """The outputs that an address fills, in the order of `build`; None leaves one unchanged."""

    tabs: Any = None
    question: Any = None
    addressed: Any = None
    session: Any = None
    picker: Any = None
    strip: Any = None
    failure_map: Any = None
    pane: Any = None
    job: Any = None

    def outputs(self) -> list[Any]:
        """The values for Gradio."""
        return [gr.skip() if value is None else value for value in self]


def on_go(session: Session, first: str, examples: list[tuple[str, str]], event: gr.EventData) -> tuple[Any, ...]:
    """Open the page at an address, or go back to one: returns (tabs, question, mark of an opened address, session,
    picker, what `show_run` gives after the session, then the link id of the job to follow).

    Args:
        first: the run that an address without one opens.

    The payload comes from the browser; ids of runs that no longer exist are left out of the answer.
    """
    payload = event_data(event)
    stored = payload.get("own")
    query = payload.get("query")
    own_ids = list[str]()
    if isinstance(stored, list):
        own_ids = [run for run in stored if isinstance(run, str)][:MAX_ASKED_RUNS]
    JOBS.lasting.adopt(own_ids, visitor(), everything=RUNS.lists_all)
    RUNS.adopt(own_ids)  # in this order, as a job can become a run at any time
    if not isinstance(query, dict):
        query = {}
    query, job = _with_job(query)
    tab = tab_of(query)
    if query.get("tab") and not tab:
        gr.Warning(in_message(NO_PLACE.format(str(query["tab"])[:40])), title="Place not found")
    if not query and not payload.get("back"):
        return _only_runs(session, examples, tab, job)
    asked = query.get("run") or RUNS.link(first)
    known = [first, *(run for run, _ in RUNS.list_own())]  # a notebook's page opens its user's run first
    run = next((run for run in known if RUNS.link(run) == asked), asked)
    try:
        diagnosis = None
        if isinstance(run, str) and run:
            diagnosis = RUNS.get(run)
    except DiagnosisError:
        diagnosis = None
    if diagnosis is None:
        if query.get("run"):
            gr.Warning(GONE, title=NOT_FOUND)
        return _only_runs(session, examples, tab, job)
    opened, parts = _open(run, query)
    place = None
    if tab or payload.get("back"):  # else the visitor may have gone to another place meanwhile
        place = gr.update(selected=tab or "explore")
    shown = OpenedAddress(place, question_of(query), time.monotonic(), opened, runs_to_open(run, examples), *parts)
    return tuple(shown._replace(job=job or None).outputs())


def _with_job(query: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the query without its job, and the link id of the job to follow: that of the query, or the visitor's own,
    or "". The link of a finished job opens its run, that of an unknown one the form, whose status says so."""
    link = query.get("job")
    rest = {part: value for part, value in query.items() if part != "job"}
    if not isinstance(link, str) or not link:
        return rest, JOBS.lasting.shown(visitor())
    in_form = {"tab": "data", **rest}
    if JOBS.lasting.find(link):
        JOBS.lasting.show(link, visitor())
        return in_form, link
    if RUNS.is_linked(link):
        gr.Info(FINISHED, title="Run finished")
        return {"run": link}, ""
    return in_form, link


def _open(run: str, query: dict[str, Any]) -> tuple[Session, Sequence[Any]]:
    """Return the session of an address, and (strip, map, pane)."""
    try:
        session = session_of(query, RUNS.get(run), run)
        if query.get("clicks"):
            session = drawn_again(session, RUNS.get(run), str(query["clicks"]))
    except DiagnosisError as error:
        gr.Warning(in_message(f"{error} The run is open without it."), title="Part of the link failed")
        session = Session(run)
    beside = str(query.get("beside", ""))
    if beside and folder_of(KIND, beside) is None:
        gr.Warning(in_message(NO_COMPARISON.format(beside[:40])), title="Part of the link failed")
        session = replace(session, beside="")
    _, strip, points, pane = show_run(run, session.colour)
    if session.picked:
        session, shown, selection = show_selection(session)
        points = points | {"selection": selection["selection"], "view": selection["view"]}
        pane = gr.update(value=shown, run=run)
    return session, (strip, points, pane)


def _only_runs(session: Session, examples: list[tuple[str, str]], tab: str, job: str) -> tuple[Any, ...]:
    """Update only the runs that the picker offers, the tab of the address, and the job to follow."""
    known = gr.update(view=view_of(session))
    picker = runs_to_open(session.run, examples)
    shown = OpenedAddress(addressed=time.monotonic(), picker=picker, failure_map=known, job=job or None)
    if tab:
        shown = shown._replace(tabs=gr.update(selected=tab))
    return tuple(shown.outputs())


def build(page: Page) -> None:
    """Wire the address: it records what is open, selected, and asked, and which job runs, and a link restores it."""
    session = page.session
    address = gr.HTML(
        query_of(Session(run=page.first)),
        html_template="<i hidden></i>",
        lists=RUNS.lists_all,  # then a browser without runs of its own asks for them too
        js_on_load=script("link"),
        elem_id="link",
        **PLAIN,
    )

    def go(session: Session, event: gr.EventData) -> tuple[Any, ...]:
        return on_go(session, page.first, page.examples, event)

    view = page.view
    filled = [page.tabs, page.question, page.addressed, session, view.picker, *view.all(), page.followed]
    # queued, because a warning needs the queue; link.js sends the latest address after each answer
    address.go(shows_errors(go), [session], filled, trigger_mode="multiple", **PRIVATE, **LIGHT)
