"""The parts of a view in the page's address, written and read as text.

    ?run=example-scenes&tab=ask&cluster=2&ask=a+dog+in+snow&embed=1&size=large
    ?job=ID&tab=data                a diagnosis that waits or runs; once it has finished, its run

The address is not trusted: invalid parts are dropped or rejected with a message.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.errors import DiagnosisError, InvalidInput
from core.extensions import panels
from core.records import Diagnosis
from core.reports.tables.columns import LOSS
from core.yours import yours_of
from webapp.failure_map import read_polygon
from webapp.state.filters import read_filters, shown_column, written
from webapp.state.jobs import JOBS
from webapp.state.notes import is_id
from webapp.state.runs import RUNS
from webapp.state.session import Session, picked_cluster
from webapp.state.visitor import visitor

TABS = ("explore", "ask", "probe", "compare", "samples", "data", "reading")
"""The page's own places."""
FORMER = {"predict": "compare", "second": "compare", "compose": "probe", "clicks": "explore", "board": "explore"}
"""Places by the ids of the tabs that earlier links name."""
MAX_CORNERS = 60
DIGITS = 4
"""Corners of an outline in an address, and digits of each: an outline by hand has hundreds, too long for a link."""
MAX_TEXT = 400
"""Letters of a question in an address."""


def query_of(session: Session) -> dict[str, str]:
    """Return the address of an open run and its selection; a question's matches are left out, since the question itself
    is there."""
    if not session.run:
        return {}
    query = {"run": RUNS.link(session.run)}
    if session.cluster is not None:
        query["cluster"] = str(session.cluster + 1)
    elif session.candidate is not None:
        query["candidate"] = str(session.candidate + 1)
    elif session.own_set:
        query["set"] = session.own_set
    elif session.polygon:
        step = -(-len(session.polygon) // MAX_CORNERS)
        query["lasso"] = " ".join(f"{x:.{DIGITS}g},{y:.{DIGITS}g}" for x, y in session.polygon[::step])
    if session.row is not None:
        query["row"] = str(session.row)
    if session.filters:
        query["filter"] = written(session.filters)
    if session.colour != LOSS:
        query["colour"] = session.colour
    if session.beside:
        query["beside"] = session.beside
    if session.clicks is not None and session.row is None:
        query["clicks"] = f"{session.clicks.claim}.{session.clicks.seed}.{session.clicks.answers}"
    return query


def view_of(session: Session) -> dict[str, Any]:
    """Return the data for link.js: the address with the running job that the visit shows, the ids of the visitor's runs
    and running jobs, and the open run's name. The time stamp makes each update new to Gradio."""
    titles = dict(RUNS.list_own())
    visit = visitor()
    query = query_of(session)
    job = JOBS.lasting.shown(visit)
    if job:
        query["job"] = job
    own = [*titles, *JOBS.lasting.own_ids(visit)]
    return {"query": query, "own": own, "name": _name(session.run, titles), "at": time.monotonic()}


def _name(run: str, titles: Mapping[str, str]) -> str:
    """Return the title of the open run."""
    if run in titles:
        return titles[run]
    try:
        if not run:
            return ""
        return RUNS.get(run).samples.name
    except DiagnosisError:  # deleted meanwhile
        return ""


def session_of(query: Mapping[str, Any], diagnosis: Diagnosis, run: str) -> Session:
    """Return the view of a run that an address describes.

    Args:
        run: the id under which it is opened.

    Raises:
        InvalidInput: a part is not in the run, or not a number.
    """
    filters_text = _text(query, "filter")
    row = _number(query, "row")
    if row is not None and row >= len(diagnosis.samples):
        raise InvalidInput(f"The link's row {row} does not exist: the run has rows 0 to {len(diagnosis.samples) - 1}.")
    filters = ()
    if filters_text:
        filters = read_filters(filters_text, diagnosis)
    return replace(_base_of(query, diagnosis, run), row=row, filters=filters, past=())


def _base_of(query: Mapping[str, Any], diagnosis: Diagnosis, run: str) -> Session:
    """Return the view without filters and open sample."""
    beside = _text(query, "beside")
    if not is_id(beside):
        beside = ""
    plain = Session(run, colour=shown_column(diagnosis, _text(query, "colour") or LOSS).key, beside=beside)
    cluster = _number(query, "cluster", first=1)
    candidate = _number(query, "candidate", first=1)
    if cluster is not None:
        candidate = None
    if cluster is not None or candidate is not None:
        session = plain.only(cluster=cluster, candidate=candidate)
        picked_cluster(session, diagnosis)
        return session
    name = _text(query, "set")
    if name:
        if yours_of(diagnosis).set_of(name) is None:
            raise InvalidInput("The link's set no longer exists.")
        return plain.only(own_set=name)
    corners = [pair.split(",") for pair in _text(query, "lasso").split()]
    if corners:
        return plain.only(polygon=read_polygon(corners))
    return plain


def question_of(query: Mapping[str, Any]) -> tuple[str, str]:
    """Return the question of an address and its comparison, each "" if missing."""
    return _text(query, "ask")[:MAX_TEXT], _text(query, "than")[:MAX_TEXT]


def foreign_tabs() -> list[str]:
    """Return the ids of the places that systems add; they cannot reuse the page's ids."""
    return [panel.name for panel in panels("tab") if panel.name not in TABS]


def tabs() -> tuple[str, ...]:
    """Return the ids of all places, the page's own first."""
    return (*TABS, *foreign_tabs())


def tab_of(query: Mapping[str, Any]) -> str:
    """Return the tab of an address, "" if it does not exist."""
    tab = _text(query, "tab")
    tab = FORMER.get(tab, tab)
    if tab in tabs():
        return tab
    return ""


def _text(query: Mapping[str, Any], name: str) -> str:
    value = query.get(name, "")
    if isinstance(value, str):
        return value
    return ""


def _number(query: Mapping[str, Any], name: str, *, first: int = 0) -> int | None:
    """Return an index from 0, counted from `first` in the address; None if missing."""
    text = _text(query, name).strip()
    if not text:
        return None
    if len(text) > 12 or not text.isdecimal():
        raise InvalidInput(f"The link's {name} must be a whole number: got {text[:40]!r}. Fix the link.")
    return int(text) - first
