"""Presses that change the selection: filters by column, a search, and their removal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from core.errors import InvalidInput, quoted
from core.records import Diagnosis
from core.reports.tables.columns import ShownColumn
from core.reports.wording.findings import cluster_title
from core.yours import yours_of
from webapp.samples.listing import LIKE
from webapp.state.filters import (
    MAX_FILTERS,
    MAX_VALUES,
    TEXT,
    Filter,
    describe_filter,
    parsed,
    read_filter,
    shown_column,
)
from webapp.state.session import Session, picked_cluster


def chips(session: Session, diagnosis: Diagnosis) -> list[tuple[str, str]]:
    """Return (key, words) of each removable part of the selection; only filters have a key."""
    parts = [(part.key, describe_filter(diagnosis, part)) for part in session.filters]
    if session.based:
        parts.insert(0, ("", _base(session, diagnosis)))
    return parts


def _base(session: Session, diagnosis: Diagnosis) -> str:
    """Describe the selection without its filters."""
    cluster = picked_cluster(session, diagnosis)
    if cluster is not None:
        title = cluster_title(diagnosis, cluster)
        if cluster.confirmed:  # the number too, because the title may read like a filter
            title = f"group {cluster.id + 1}: {title}"
        return title
    if session.own_set:
        own_set = yours_of(diagnosis).set_of(session.own_set)
        if own_set:
            return own_set.title
    if not session.rows:
        return "outline on the map"
    return session.title or "matches"


def filtered(session: Session, diagnosis: Diagnosis, event: dict[str, Any]) -> Session:
    """Return the session with filters added, removed, or changed.

    Args:
        event: "part", a filter as JSON, or a list of two, those of a cell of the matrix. With "extend", a range reaches
            from the current one to the new one. Values of a category are toggled, and so are the filters of a cell.

    Raises:
        InvalidInput: the part is not a filter of this run, or a link could not hold that many.
    """
    read = parsed(str(event.get("part", ""))[:20_000])
    if isinstance(read, list) and len(read) == 2 and isinstance(read[0], list):
        parts = tuple(read_filter(part, diagnosis) for part in read)
        keys = {part.key for part in parts}
        if len(keys) != 2:
            raise InvalidInput("This is not a cell of the matrix. Reload the page.")
        if all(part in session.filters for part in parts):
            parts = ()
    else:
        part = read_filter(read, diagnosis)
        keys = {part.key}
        held = next((other for other in session.filters if other.key == part.key), None)
        changed = _combined(held, part, diagnosis, extend=bool(event.get("extend")))
        parts = ()
        if changed is not None:
            parts = (changed,)
    filters = (*(other for other in session.filters if other.key not in keys), *parts)
    if len(filters) > MAX_FILTERS or any(len(part.values) > MAX_VALUES for part in parts):
        raise InvalidInput(
            f"At most {MAX_FILTERS} columns can be filtered at once, each by {MAX_VALUES} values. Remove one first."
        )
    return session.filtered(filters)


def _combined(held: Filter | None, part: Filter, diagnosis: Diagnosis, *, extend: bool) -> Filter | None:
    """Return a column's filter after a press of the bar with the filter `part`; None without one."""
    if held is None or part.key == TEXT:
        return part
    if not part.values and not held.values and extend:
        part = replace(part, low=min(held.low, part.low), high=max(held.high, part.high))
    if part == held:
        return None
    if part.values and shown_column(diagnosis, part.key).kind == "category":
        values = [value for value in held.values if value not in part.values]
        values += [value for value in part.values if value not in held.values]
        if not values:
            return None
        return replace(part, values=tuple(values))
    return part


def like_text(session: Session, diagnosis: Diagnosis, text: str) -> tuple[Session, ShownColumn]:
    """Select the samples that `ask` would show for the text, and return the similarity of each sample.

    Raises:
        InvalidInput: the run has no words, the text is empty or too long, or no sample matches it.
    """
    from core.checks.questions import ask  # brings the encoder
    from core.language.chance import standardised

    answer = ask(diagnosis, [text], tested=False)[0]
    if not answer.shown or not len(answer.rows):
        raise InvalidInput(f"No sample clearly matches {quoted(text)}. Use other words, or “Search text”.")
    title = f"Looks like “{text}”"
    within = np.isfinite(answer.scores)
    values = np.full(len(within), np.nan)
    values[within] = standardised(answer.scores[within])[0]
    picked = session.only(rows=tuple(answer.rows.tolist()), title=title, scope=answer.scope)
    return picked, ShownColumn(LIKE, LIKE, "number", values, title)


def selected(session: Session, diagnosis: Diagnosis, payload: dict[str, Any]) -> Session:
    """Return the session after a press that changes the selection."""
    do = payload.get("do")
    key = str(payload.get("key", ""))
    text = str(payload.get("text", "")).strip()
    if do == "undo":
        return session.undone()
    session = session.closed
    if do == "filter":
        return filtered(session, diagnosis, payload)
    if do == "unfilter":
        return session.filtered(tuple(part for part in session.filters if part.key != key))
    if do == "unbase":
        return session.only(filters=session.filters)
    if do == "unrow":
        return session
    if do == "find":
        filters = tuple(part for part in session.filters if part.key != TEXT)
        if text:
            filters = (*filters, read_filter([TEXT, text], diagnosis))
        return session.filtered(filters)
    return session.only()
