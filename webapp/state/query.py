"""What of a view stands in the page's address, as text in both directions.

    ?run=example-scenes&tab=ask&cluster=2&ask=a+dog+in+snow&embed=1&size=large

The address comes from anybody: what is no number, no pair, or not in the run is left out or refused in a sentence.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.errors import DiagnosisError, InvalidInput
from core.extensions import panels
from core.records import Diagnosis
from core.reports.tables.columns import LOSS, column_of
from core.yours import yours_of
from webapp.failure_map import read_polygon
from webapp.state.filters import read_filters, written
from webapp.state.notes import is_id
from webapp.state.runs import RUNS
from webapp.state.session import Session, picked_cluster

TABS = ("explore", "ask", "clicks", "predict", "second", "data", "reading")
"""The page's own tabs."""
FOLLOWED = ("explore", "ask", "clicks", "predict", "second")
"""Those behind which systems may put theirs."""
MAX_CORNERS = 60
DIGITS = 4
"""Corners of an outline that stand in an address, and digits of each: an outline by hand has hundreds."""
MAX_TEXT = 400
"""Letters of a question."""


def query_of(session: Session) -> dict[str, str]:
    """The parts of the address for an open run and what is picked in it; the matches of a question have none, since the
    question itself stands there."""
    if not session.run:
        return {}
    made = {"run": RUNS.link(session.run)}
    if session.cluster is not None:
        made["cluster"] = str(session.cluster + 1)
    elif session.candidate is not None:
        made["candidate"] = str(session.candidate + 1)
    elif session.own:
        made["set"] = session.own
    elif session.polygon:
        step = -(-len(session.polygon) // MAX_CORNERS)
        made["lasso"] = " ".join(f"{x:.{DIGITS}g},{y:.{DIGITS}g}" for x, y in session.polygon[::step])
    if session.row is not None:
        made["row"] = str(session.row)
    if session.filters:
        made["filter"] = written(session.filters)
    if session.colour != LOSS:
        made["colour"] = session.colour
    if session.beside:
        made["beside"] = session.beside
    return made


def view_of(session: Session) -> dict[str, Any]:
    """What link.js writes into the address, the own ids that it keeps in the browser, and the open run's name, as the
    map hands them on; the same view given again is news, too."""
    own = dict(RUNS.own())
    return {"query": query_of(session), "own": list(own), "name": _name(session.run, own), "at": time.monotonic()}


def _name(run: str, own: Mapping[str, str]) -> str:
    """What the page calls the open run."""
    if run in own:
        return own[run]
    try:
        return RUNS.get(run).samples.name if run else ""
    except DiagnosisError:  # deleted meanwhile
        return ""


def session_of(query: Mapping[str, Any], diagnosis: Diagnosis, run: str) -> Session:
    """The view that an address asks for of a run.

    Args:
        run: the id under which it is opened.

    Raises:
        InvalidInput: what is asked for is not in the run, or is no number.
    """
    said = _text(query, "filter")
    row = _number(query, "row")
    if row is not None and row >= len(diagnosis.samples):
        raise InvalidInput(f"This run has rows 0 to {len(diagnosis.samples) - 1}: the link says {row}.")
    filters = read_filters(said, diagnosis) if said else ()
    return replace(_base_of(query, diagnosis, run), row=row, filters=filters, past=())


def _base_of(query: Mapping[str, Any], diagnosis: Diagnosis, run: str) -> Session:
    """The same without filters and without an open sample."""
    beside = _text(query, "beside")
    plain = Session(run, colour=_colour(query, diagnosis), beside=beside if is_id(beside) else "")
    cluster = _number(query, "cluster", first=1)
    candidate = _number(query, "candidate", first=1)
    if cluster is not None or candidate is not None:
        session = plain.only(cluster=cluster, candidate=candidate if cluster is None else None)
        picked_cluster(session, diagnosis)
        return session
    if name := _text(query, "set"):
        if yours_of(diagnosis).set_of(name) is None:
            raise InvalidInput("The link's set is not kept with this run any more.")
        return plain.only(own=name)
    corners = [pair.split(",") for pair in _text(query, "lasso").split()]
    return plain.only(polygon=read_polygon(corners)) if corners else plain


def question_of(query: Mapping[str, Any]) -> tuple[str, str]:
    """The question of an address, and what it is compared with; "" where there is none."""
    return _text(query, "ask")[:MAX_TEXT], _text(query, "than")[:MAX_TEXT]


def tabs() -> tuple[str, ...]:
    """The ids of all tabs in their order on the page, those of systems included."""
    return tuple(name for tab in TABS for name in (tab, *tabs_after(tab)))


def tabs_after(tab: str) -> list[str]:
    """The tabs that systems put behind one of the page's own, whose ids are taken; what names none of `FOLLOWED` stands
    behind its last."""
    last = FOLLOWED[-1]
    found = [one for one in panels("tab") if one.name not in TABS]
    return [one.name for one in found if (one.after if one.after in FOLLOWED else last) == tab]


def tab_of(query: Mapping[str, Any]) -> str:
    """The tab of an address, "" where it names none that is there."""
    said = _text(query, "tab")
    return said if said in tabs() else ""


def _colour(query: Mapping[str, Any], diagnosis: Diagnosis) -> str:
    key = _text(query, "colour") or LOSS
    if (column := column_of(diagnosis, key)) is None:
        raise InvalidInput(f"This run has no column {key[:80]!r} to color the map by.")
    return column.key


def _text(query: Mapping[str, Any], name: str) -> str:
    value = query.get(name, "")
    return value if isinstance(value, str) else ""


def _number(query: Mapping[str, Any], name: str, *, first: int = 0) -> int | None:
    """A place from 0, of what is counted from `first` in an address; None where it does not stand there."""
    said = _text(query, name).strip()
    if not said:
        return None
    if len(said) > 12 or not said.isdecimal():
        raise InvalidInput(f"The link's {name} must be a whole number: got {said[:40]!r}.")
    return int(said) - first
