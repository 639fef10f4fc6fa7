"""The part of the page that keeps its address and the browser's list of own runs in step with what is open; the other
half is assets/js/link.js."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gradio as gr

from core.errors import DiagnosisError
from webapp.ask.tab import Asking
from webapp.explore.picked import show_selection
from webapp.explore.tab import View, show_run
from webapp.markup.components import script
from webapp.state.boxes import in_message
from webapp.state.events import event_data
from webapp.state.jobs import LIGHT, PLAIN, PRIVATE
from webapp.state.picker import runs_to_open
from webapp.state.query import query_of, question_of, session_of, tab_of, view_of
from webapp.state.runs import MOST_ASKED, RUNS
from webapp.state.session import Session, shows_errors

GONE = (
    "The run of this link is no longer held by the server: its maker deleted it, its day is over, or it went with a "
    "server that keeps none."
)


class OpenedAddress(NamedTuple):
    """What an address fills, in the order of `build`; None leaves a part as it is."""

    tabs: Any = None
    text: Any = None
    other: Any = None
    asks: Any = None
    session: Any = None
    picker: Any = None
    strip: Any = None
    classes: Any = None
    failure_map: Any = None
    pane: Any = None
    notes: Any = None

    def outputs(self) -> list[Any]:
        """As Gradio takes them."""
        return [gr.skip() if one is None else one for one in self]


def on_go(session: Session, first: str, examples: list[tuple[str, str]], event: gr.EventData) -> tuple[Any, ...]:
    """The page was opened or gone back to at an address: returns (tabs, text, other text, whether to ask,
    session, picker, then what `show_run` gives after the session).

    Args:
        first: the run that an address without any opens.

    What comes is from the browser: own ids that are not held any more are left out of the answer.
    """
    said = event_data(event)
    own = said.get("own")
    query = said.get("query")
    RUNS.adopt([run for run in own if isinstance(run, str)][:MOST_ASKED] if isinstance(own, list) else [])
    query = query if isinstance(query, dict) else {}
    if not query and not said.get("back"):
        return _only_runs(session, examples)
    asked = query.get("run") or RUNS.link(first)
    known = [first, *(run for run, _ in RUNS.own())]  # a notebook's page opens its reader's own run first
    run = next((run for run in known if RUNS.link(run) == asked), asked)
    try:
        diagnosis = RUNS.get(run) if isinstance(run, str) and run else None
    except DiagnosisError:
        diagnosis = None
    if diagnosis is None:
        if query.get("run"):
            gr.Warning(GONE, title="Nothing there")
        return _only_runs(session, examples)
    opened, parts = _open(run, query)
    text, other = question_of(query)
    tab = tab_of(query) or "explore"
    shown = OpenedAddress(
        gr.update(selected=tab),
        text or None,
        other or None,
        bool(text) and tab == "ask",
        opened,
        runs_to_open(run, examples),
        *parts,
    )
    return tuple(shown.outputs())


def _open(run: str, query: dict[str, Any]) -> tuple[Session, Sequence[Any]]:
    """The session of an address, and (strip, classes, map, pane, notes)."""
    try:
        session = session_of(query, RUNS.get(run), run)
    except DiagnosisError as error:
        gr.Warning(in_message(f"{error} The run is open without it."), title="Not all of the link could be opened")
        session = Session(run)
    _, strip, classes, points, pane, notes = show_run(run, session.colour)
    if session.picked:
        session, shown, selection = show_selection(session)
        points = points | {"selection": selection["selection"], "view": selection["view"]}
        pane = gr.update(value=shown, run=run)
    return session, (strip, classes, points, pane, notes)


def _only_runs(session: Session, examples: list[tuple[str, str]]) -> tuple[Any, ...]:
    """Nothing changes but the runs that the picker offers."""
    known = gr.update(view=view_of(session))
    shown = OpenedAddress(picker=runs_to_open(session.run, examples), failure_map=known)
    return tuple(shown.outputs())


def build(
    session: gr.State, view: View, tabs: gr.Tabs, asking: Asking, examples: list[tuple[str, str]]
) -> Callable[..., Any]:
    """Wire the address: what is opened, picked and asked is written into it, and a link opens it. Returns what adds an
    event after an address was opened."""
    first = examples[0][1] if examples else ""
    address = gr.HTML(
        query_of(Session(run=first)),
        html_template="<i hidden></i>",
        lists=RUNS.lists_all,  # then a browser that has made none asks for the runs too
        js_on_load=script("link"),
        elem_id="link",
        **PLAIN,
    )
    linked = gr.State(False)

    def go(session: Session, event: gr.EventData) -> tuple[Any, ...]:
        return on_go(session, first, examples, event)

    def ask_by_link(linked: bool, *said: Any) -> Any:
        return asking.ask(*said) if linked else tuple(gr.skip() for _ in asking.outputs)

    filled = [tabs, asking.text, asking.other, linked, session, view.picker, *view.all()]
    # in the queue, which a warning needs; link.js asks once more the moment an answer comes
    gone = address.go(shows_errors(go), [session], filled, trigger_mode="multiple", **PRIVATE, **LIGHT)
    said = [linked, session, asking.state, asking.text, asking.other]
    shown: dict[str, Any] = {"show_progress_on": asking.answer, "api_visibility": "private", **LIGHT}
    gone.success(shows_errors(ask_by_link), said, asking.outputs, **shown)
    return gone.success
