"""Callbacks of the user's titles, notes, and sets (`own_part`), which are saved with the run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np

from core.errors import InvalidInput
from core.records import I64, Diagnosis
from core.yours import OwnSet, new_set, now, read_note, read_title, with_mark, with_set, without_set, yours_of
from webapp.explore.cards import cluster_list
from webapp.explore.colours import colouring
from webapp.explore.own_part import made_of, mergeable, parts_of, read_only, rows_of, target
from webapp.explore.patches import patches_of
from webapp.explore.picked import show_selection
from webapp.failure_map import NO_SELECTION
from webapp.state.events import as_int, event_data
from webapp.state.query import view_of
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, selected_rows, still_there

STALE = "The selection has changed. Check it and press again."
GONE = "This set was deleted, or belongs to another run. Pick another."


def on_yours(session: Session, event: gr.EventData) -> tuple[Session, Any, Any]:
    """Handle a press in the form or the list: returns (session, pane, map)."""
    payload = event_data(event)
    if payload.get("run") != session.run:
        raise InvalidInput(STALE)
    do = payload.get("do")
    if do == "open":
        return show_selection(_opened(session, require_run(session), str(payload.get("key"))))
    diagnosis = require_run(session)
    why = read_only(session.run)
    if why:
        raise InvalidInput(why)
    if do == "undo":
        if session.deleted is None:
            raise InvalidInput("No deleted set to restore.")
        _add(session.run, [session.deleted])
        session = session.only(own_set=session.deleted.id)
    elif str(payload.get("of", "")) != target(session):
        raise InvalidInput(STALE)
    elif do == "delete":
        return _deleted(session, diagnosis)
    elif do == "keep":
        session = _kept(session, diagnosis, payload)
    elif do == "merge":
        session = _merged(session, diagnosis, payload)
    elif do in ("save", "pin"):
        _say(session, payload)
    else:
        raise InvalidInput(f"Unknown action {str(do)[:40]!r}. Reload the page.")
    # the list of columns may have changed, so the map's colors are sent again
    now_open, pane, points = show_selection(session)
    return now_open, pane, points | {"colour": colouring(RUNS.get(session.run), session.run, now_open.colour)}


def _opened(session: Session, diagnosis: Diagnosis, key: str) -> Session:
    kind, _, number = key.partition(":")
    if kind == "set":
        if yours_of(diagnosis).set_of(number) is None:
            raise InvalidInput(GONE)
        return session.only(own_set=number)
    if kind == "sample" and 0 <= as_int(number) < len(diagnosis.samples):
        return session.only(row=as_int(number))
    if kind in ("cluster", "candidate"):
        return session.only(**{kind: as_int(number)})
    raise InvalidInput(GONE)


def _say(session: Session, payload: dict[str, Any]) -> None:
    """Save only the changed fields: another page may have changed the others meanwhile."""
    changes: dict[str, Any] = {"when": now()}
    if payload.get("do") == "pin":
        changes["pinned"] = bool(payload.get("pinned"))
    else:
        for name, read in (("title", read_title), ("note", read_note), ("dismissed", read_title)):
            if name in payload:
                changes[name] = read(str(payload[name]))
    kind, _, number = target(session).partition(":")
    if kind not in ("cluster", "candidate", "sample", "set"):
        raise InvalidInput(STALE)

    def change(diagnosis: Diagnosis) -> Diagnosis:
        yours = yours_of(diagnosis)
        if kind != "set":
            return with_mark(diagnosis, replace(yours.mark_of(kind, int(number)), **changes))  # type: ignore[arg-type]
        own_set = yours.set_of(number)
        if own_set is None:
            raise InvalidInput(GONE)
        if not changes.get("title", own_set.title):
            raise InvalidInput("The set has no title. Add one and save again.")
        return with_set(diagnosis, replace(own_set, **changes))

    RUNS.say(session.run, change)


def _kept(session: Session, diagnosis: Diagnosis, payload: dict[str, Any]) -> Session:
    """Save the selected samples, or those in one cluster, as a set; `rest` saves its other members as a second set."""
    if not session.picked:
        raise InvalidInput("No samples are selected. Outline some on the map, or press a bar below it.")
    rows = selected_rows(session, diagnosis)
    words = made_of(session, diagnosis)
    title = str(payload.get("title", ""))
    sets = list[OwnSet]()
    key = str(payload.get("part", ""))
    if key:
        if key not in dict(parts_of(diagnosis, rows)):
            raise InvalidInput(STALE)
        members = rows_of(diagnosis, yours_of(diagnosis), key)
        assert members is not None
        inside = np.intersect1d(rows, members)
        name = _name(diagnosis, key)
        sets.append(new_set(diagnosis, title, inside, f"{name}, split by {words}", str(payload.get("note", ""))))
        others = np.setdiff1d(members, inside)
        if payload.get("rest") and len(others):
            called = f"{sets[0].title[:100]}: the others"
            sets.append(new_set(diagnosis, called, others, f"{name}, without {sets[0].title}"))
    else:
        sets.append(new_set(diagnosis, title, rows, words, str(payload.get("note", ""))))
    _add(session.run, sets)
    return session.only(own_set=sets[0].id)


def _merged(session: Session, diagnosis: Diagnosis, payload: dict[str, Any]) -> Session:
    """Save the union of the selection and another part as a set."""
    yours = yours_of(diagnosis)
    keys = (target(session), str(payload.get("with", "")))
    parts = [rows_of(diagnosis, yours, key) for key in keys]
    if len(set(keys)) < 2 or any(part is None for part in parts):
        raise InvalidInput("Choose another group or set to merge with.")
    together: I64 = np.unique(np.concatenate([part for part in parts if part is not None]))
    words = " and ".join(_name(diagnosis, key) for key in keys)
    union = new_set(diagnosis, str(payload.get("title", "")), together, f"all of {words}")
    _add(session.run, [union])
    return session.only(own_set=union.id)


def _name(diagnosis: Diagnosis, key: str) -> str:
    kind, _, number = key.partition(":")
    title = dict(mergeable(diagnosis, yours_of(diagnosis)))[key]
    if kind == "cluster":
        return f"group {int(number) + 1} ({title.partition('. ')[2]})"
    return title


def _add(run: str, sets: list[OwnSet]) -> None:
    def change(diagnosis: Diagnosis) -> Diagnosis:
        for own_set in sets:
            diagnosis = with_set(diagnosis, own_set)
        return diagnosis

    RUNS.say(run, change)


def _deleted(session: Session, diagnosis: Diagnosis) -> tuple[Session, Any, Any]:
    """Delete the open set; the list offers to restore it."""
    own_set = yours_of(diagnosis).set_of(session.own_set)
    if own_set is None:
        raise InvalidInput(GONE)
    RUNS.say(session.run, lambda run: without_set(run, own_set.id))
    diagnosis = RUNS.get(session.run)
    session = replace(still_there(session.only(), diagnosis), deleted=own_set)
    pane = cluster_list(diagnosis, patches=patches_of(session.run), undo=own_set.title)
    colours = colouring(diagnosis, session.run, session.colour)
    points = gr.update(selection=NO_SELECTION, view=view_of(session), colour=colours)
    return session, pane, points
