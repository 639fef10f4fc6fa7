"""A person's own hand in the open run: what the form and the list of `own_part` do, kept with the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
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
from webapp.failure_map import NO_SELECTION
from webapp.state.events import as_int, event_data, in_turn
from webapp.state.jobs import LIGHT, PRIVATE
from webapp.state.query import view_of
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, selected_rows, shows_errors, still_there

Show = Callable[[Session], tuple[Session, Any, Any]]
STALE = "The page has changed since. Look at what is picked now, and press again."
GONE = "This set is no longer kept with the run: it was deleted, or it is of another run."


@dataclass(frozen=True, slots=True, eq=False)
class Deleted:
    """The set that was deleted last, as long as it can come back."""

    run: str = ""
    one: OwnSet | None = None


def require_hand(session: Session) -> Diagnosis:
    """The open run, for what stays with it; raises InvalidInput where it is not the visitor's own."""
    diagnosis = require_run(session)
    if why := read_only(session.run):
        raise InvalidInput(why)
    return diagnosis


def on_yours(session: Session, gone: Deleted, show: Show, event: gr.EventData) -> tuple[Any, ...]:
    """Something of the form or the list was pressed: returns (session, pane, map, what was deleted).

    Args:
        show: `webapp.explore.picked.show_selection`.
    """
    said = event_data(event)
    if said.get("run") != session.run:
        raise InvalidInput(STALE)
    do = said.get("do")
    if do == "open":
        return *show(_opened(session, require_run(session), str(said.get("key")))), gone
    diagnosis = require_hand(session)
    if do == "undo":
        session, gone = _undone(session, gone)
    elif str(said.get("of", "")) != target(session):
        raise InvalidInput(STALE)
    elif do == "delete":
        return _deleted(session, diagnosis)
    elif do == "keep":
        session = _kept(session, diagnosis, said)
    elif do == "merge":
        session = _merged(session, diagnosis, said)
    elif do in ("save", "pin"):
        _say(session, said)
    else:
        raise InvalidInput("That is nothing to keep. Reload the page.")
    return *_shown(session, show), gone


def _shown(session: Session, show: Show) -> tuple[Session, Any, Any]:
    """As `show`, with the map's colors as they are now: its list of columns may have changed."""
    now_open, pane, points = show(session)
    return now_open, pane, points | {"colour": colouring(RUNS.get(session.run), session.run, now_open.colour)}


def _opened(session: Session, diagnosis: Diagnosis, key: str) -> Session:
    kind, _, number = key.partition(":")
    if kind == "set":
        if yours_of(diagnosis).set_of(number) is None:
            raise InvalidInput(GONE)
        return session.only(own=number)
    if kind == "sample" and 0 <= as_int(number) < len(diagnosis.samples):
        return session.only(row=as_int(number))
    if kind in ("cluster", "candidate"):
        return session.only(**{kind: as_int(number)})
    raise InvalidInput(GONE)


def _say(session: Session, said: dict[str, Any]) -> None:
    """Keep what was changed, and that alone: another page may have changed the rest meanwhile."""
    given: dict[str, Any] = {"when": now()}
    if said.get("do") == "pin":
        given["pinned"] = bool(said.get("pinned"))
    else:
        for name, read in (("title", read_title), ("note", read_note), ("dismissed", read_title)):
            if name in said:
                given[name] = read(str(said[name]))
    kind, _, number = target(session).partition(":")
    if kind not in ("cluster", "candidate", "sample", "set"):
        raise InvalidInput(STALE)

    def change(diagnosis: Diagnosis) -> Diagnosis:
        yours = yours_of(diagnosis)
        if kind != "set":
            return with_mark(diagnosis, replace(yours.mark_of(kind, int(number)), **given))  # type: ignore[arg-type]
        if (one := yours.set_of(number)) is None:
            raise InvalidInput(GONE)
        if not given.get("title", one.title):
            raise InvalidInput("A set needs a title of yours. Write one and save it again.")
        return with_set(diagnosis, replace(one, **given))

    RUNS.say(session.run, change)


def _kept(session: Session, diagnosis: Diagnosis, said: dict[str, Any]) -> Session:
    """Keep the picked samples, or those of them in one cluster; with `rest` the cluster's others too."""
    if not session.picked:
        raise InvalidInput("Nothing is picked. Outline samples on the map, or press a bar below it, first.")
    rows = selected_rows(session, diagnosis)
    words = made_of(session, diagnosis)
    title = str(said.get("title", ""))
    sets = list[OwnSet]()
    if key := str(said.get("part", "")):
        if key not in dict(parts_of(diagnosis, rows)):
            raise InvalidInput(STALE)
        members = rows_of(diagnosis, yours_of(diagnosis), key)
        assert members is not None
        inside = np.intersect1d(rows, members)
        name = _name(diagnosis, key)
        sets.append(new_set(diagnosis, title, inside, f"{name}, split by {words}", str(said.get("note", ""))))
        others = np.setdiff1d(members, inside)
        if said.get("rest") and len(others):
            called = f"{sets[0].title[:100]}: the rest"
            sets.append(new_set(diagnosis, called, others, f"{name}, without {sets[0].title}"))
    else:
        sets.append(new_set(diagnosis, title, rows, words, str(said.get("note", ""))))
    _add(session.run, sets)
    return session.only(own=sets[0].id)


def _merged(session: Session, diagnosis: Diagnosis, said: dict[str, Any]) -> Session:
    """Keep the union of what is picked and another."""
    yours = yours_of(diagnosis)
    keys = (target(session), str(said.get("with", "")))
    parts = [rows_of(diagnosis, yours, key) for key in keys]
    if len(set(keys)) < 2 or any(part is None for part in parts):
        raise InvalidInput("Choose another cluster or set to merge it with.")
    together: I64 = np.unique(np.concatenate([part for part in parts if part is not None]))
    words = " and ".join(_name(diagnosis, key) for key in keys)
    made = new_set(diagnosis, str(said.get("title", "")), together, f"all of {words}")
    _add(session.run, [made])
    return session.only(own=made.id)


def _name(diagnosis: Diagnosis, key: str) -> str:
    kind, _, number = key.partition(":")
    title = dict(mergeable(diagnosis, yours_of(diagnosis)))[key]
    return f"cluster {int(number) + 1} ({title.partition('. ')[2]})" if kind == "cluster" else title


def _add(run: str, sets: list[OwnSet]) -> None:
    def change(diagnosis: Diagnosis) -> Diagnosis:
        for made in sets:
            diagnosis = with_set(diagnosis, made)
        return diagnosis

    RUNS.say(run, change)


def _deleted(session: Session, diagnosis: Diagnosis) -> tuple[Any, ...]:
    """The set that is open goes, and the list offers it back."""
    one = yours_of(diagnosis).set_of(session.own)
    if one is None:
        raise InvalidInput(GONE)
    RUNS.say(session.run, lambda run: without_set(run, one.id))
    diagnosis = RUNS.get(session.run)
    session = still_there(session.only(), diagnosis)
    pane = cluster_list(diagnosis, patches=patches_of(session.run), undo=one.title)
    colours = colouring(diagnosis, session.run, session.colour)
    points = gr.update(selection=NO_SELECTION, view=view_of(session), colour=colours)
    return session, pane, points, Deleted(session.run, one)


def _undone(session: Session, gone: Deleted) -> tuple[Session, Deleted]:
    one = gone.one if gone.run == session.run else None
    if one is None:
        raise InvalidInput("There is nothing to bring back.")
    _add(session.run, [one])
    return session.only(own=one.id), Deleted()


def build(session: gr.State, pane: gr.HTML, points: gr.HTML, show: Show) -> None:
    """Wire the form and the list."""
    gone = gr.State(Deleted())

    def act(session: Session, gone: Deleted, event: gr.EventData) -> tuple[Any, ...]:
        return in_turn(event, lambda s, g, e: on_yours(s, g, show, e), session, gone, places=(0, 3), n=4)

    given = [session, pane, points, gone]
    pane.yours(shows_errors(act), [session, gone], given, trigger_mode="always_last", **PRIVATE, **LIGHT)
