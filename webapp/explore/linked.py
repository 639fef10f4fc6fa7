"""Charts and a table of a run, which share their selection with the map."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import gradio as gr
import numpy as np

from core.errors import DiagnosisError, InvalidInput, quoted
from core.records import I64, Diagnosis
from core.reports.tables.columns import ShownColumn, columns_of
from core.reports.wording.findings import cluster_title
from core.yours import yours_of
from webapp.explore.charts import charts, keys_first
from webapp.explore.confusion import MAX_MATRIX_CLASSES
from webapp.explore.table import selection_csv, sorted_rows, table
from webapp.failure_map import row_mask
from webapp.markup.components import script
from webapp.markup.render import render
from webapp.state.events import as_int, event_data, in_turn
from webapp.state.filters import MAX_FILTERS, MAX_VALUES, TEXT, describe_filter, parsed, read_filter, shown_column
from webapp.state.jobs import LIGHT, PLAIN, PRIVATE, QUICK
from webapp.state.query import session_of
from webapp.state.runs import RUNS
from webapp.state.session import Session, picked_cluster, require_run, row_of, selected_rows, shows_errors, still_there

MAX_ADDED_CHARTS = 8
"""Charts that a visitor can add."""


LIKE = "likeness"
"""Key of the similarity column of a search by words."""


@dataclass(frozen=True, slots=True)
class LinkedState:
    """The table's order and the charts that the visitor added, for one run."""

    run: str = ""
    sort: str = "loss"
    falling: bool = True
    page: int = 0
    more: tuple[str, ...] = ()
    matches: ShownColumn | None = field(default=None, compare=False)
    """Similarity of each sample to the words of the last search, in standard deviations; `meaning` is the selection's
    title."""

    def alike(self, session: Session) -> ShownColumn | None:
        """Return that column while its matches are the selection."""
        if self.matches is not None and session.rows and session.title == self.matches.meaning:
            return self.matches
        return None


def linked_view(session: Session, state: LinkedState) -> str:
    """Render the charts and the table for the selection, whichever sample is open."""
    diagnosis = RUNS.get(session.run)
    now_open = session.row
    session = still_there(session.closed, diagnosis)
    rows = None
    if session.picked:
        rows = selected_rows(session, diagnosis)
    more = tuple(dict.fromkeys([*state.more, *keys_first(diagnosis)]))
    shown = rows
    if shown is None:
        shown = np.arange(len(diagnosis.samples))

    def picked(key: str) -> I64 | None:
        others = tuple(part for part in session.filters if part.key != key)
        if len(others) == len(session.filters):
            return rows
        without = replace(session, filters=others)
        if not without.picked:
            return None
        return selected_rows(without, diagnosis)

    columns = [(c.key, c.title) for c in columns_of(diagnosis) if c.key not in more]
    opened = ""
    if now_open is not None:
        opened = diagnosis.samples.ids[now_open]
    alike = state.alike(session)
    sort = state.sort
    if sort == LIKE and alike is None:
        sort = "loss"
    file_sort = sort  # the file has no similarity column
    if sort == LIKE:
        file_sort = "loss"
    return render(
        "explore/linked.html.j2",
        diagnosis=diagnosis,
        charts=charts(diagnosis, picked, session.filters, state.more),
        chips=_chips(session, diagnosis),
        row=now_open,
        opened=opened,
        can_undo=bool(session.past),
        text=next((part.values[0] for part in session.filters if part.key == TEXT), ""),
        can_like=diagnosis.words is not None and bool(diagnosis.words.encoder),
        columns=columns,
        table=table(diagnosis, shown, more, sort, falling=state.falling, page=state.page, first=alike),
        picked=rows is not None,
        most_classes=MAX_MATRIX_CLASSES,
        sort=file_sort,
        falling=state.falling,
    )


def _chips(session: Session, diagnosis: Diagnosis) -> list[tuple[str, str]]:
    """Return (key, words) of each removable part of the selection; only filters have a key."""
    chips = list[tuple[str, str]]()
    if session.based:
        chips.append(("", _base(session, diagnosis)))
    return chips + [(part.key, describe_filter(diagnosis, part)) for part in session.filters]


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
    """Return the session with one filter added, removed, or changed.

    Args:
        event: "part", a filter as JSON. With "extend", the range reaches from the current one to the new one. Values of
            a category are toggled.

    Raises:
        InvalidInput: the part is not a filter of this run, or a link could not hold that many.
    """
    part = read_filter(parsed(str(event.get("part", ""))[:20_000]), diagnosis)
    held = next((other_filter for other_filter in session.filters if other_filter.key == part.key), None)
    others = tuple(other_filter for other_filter in session.filters if other_filter.key != part.key)
    is_range = not part.values
    if part.key != TEXT and held is not None:
        if is_range and event.get("extend") and not held.values:
            part = replace(part, low=min(held.low, part.low), high=max(held.high, part.high))
        elif not is_range and shown_column(diagnosis, part.key).kind == "category":
            values = [v for v in held.values if v not in part.values]
            values += [v for v in part.values if v not in held.values]
            part = replace(part, values=tuple(values))
    empty = part == held or (not is_range and not part.values)
    filters = others
    if not empty:
        filters = (*others, part)
    if len(filters) > MAX_FILTERS or len(part.values) > MAX_VALUES:
        raise InvalidInput(
            f"At most {MAX_FILTERS} columns can be filtered at once, each by {MAX_VALUES} values. Remove one first."
        )
    return session.filtered(filters)


def celled(session: Session, diagnosis: Diagnosis, part: str) -> Session:
    """Return the session with the filters of a matrix cell in place of its columns' filters, or without them if all are
    set. Raises InvalidInput as `filtered` does."""
    parts_json = parsed(part[:20_000])
    parts = ()
    if isinstance(parts_json, list) and len(parts_json) == 2:
        parts = tuple(read_filter(part, diagnosis) for part in parts_json)
    keys = {part.key for part in parts}
    if len(keys) != 2:
        raise InvalidInput("This is not a cell of the matrix. Reload the page.")
    others = tuple(part for part in session.filters if part.key not in keys)
    filters = (*others, *parts)
    if all(part in session.filters for part in parts):
        filters = others
    if len(filters) > MAX_FILTERS:
        raise InvalidInput(f"At most {MAX_FILTERS} columns can be filtered at once. Remove one first.")
    return session.filtered(filters)


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


def on_linked(session: Session, state: LinkedState, show: Callable[..., Any], event: gr.EventData) -> tuple[Any, ...]:
    """Handle a press in the charts or the table: returns (session, pane, map, state, linked).

    Args:
        show: `webapp.explore.picked.show_selection`.
    """
    payload = event_data(event)
    diagnosis = require_run(session)
    if state.run != session.run:
        state = LinkedState(session.run)
    changed = _rearranged(state, diagnosis, payload)
    if changed is not None:
        return gr.skip(), gr.skip(), gr.skip(), changed, linked_view(session, changed)
    stays = payload.get("do") == "row"  # the table keeps its page
    before = session.closed
    if stays or payload.get("do") in ("undo", "clear"):
        before = session
    if payload.get("do") == "like":
        picked, column = like_text(before, diagnosis, str(payload.get("text", "")).strip())
        return *show(picked), replace(state, page=0, sort=LIKE, falling=True, matches=column), gr.skip()
    following, pane, points = show(_selected(before, diagnosis, payload))
    if not stays:
        state = replace(state, page=0)
    return following, pane, points, state, gr.skip()


def _rearranged(state: LinkedState, diagnosis: Diagnosis, payload: dict[str, Any]) -> LinkedState | None:
    """Return the state after a press that keeps the selection; None for any other press."""
    do = payload.get("do")
    key = str(payload.get("key", ""))
    if do == "page":
        return replace(state, page=max(0, as_int(payload.get("to"))))
    if do in ("sort", "chart") and not (do == "sort" and key == LIKE and state.matches is not None):
        shown_column(diagnosis, key)
    if do == "sort":
        falling = key != state.sort or not state.falling
        return replace(state, sort=key, falling=falling, page=0)
    if do == "chart":
        return replace(state, more=tuple(dict.fromkeys([key, *state.more]))[:MAX_ADDED_CHARTS])
    if do == "unchart":
        return replace(state, more=tuple(chart for chart in state.more if chart != key))
    return None


def _selected(session: Session, diagnosis: Diagnosis, payload: dict[str, Any]) -> Session:
    """Return the session after a press that changes the selection."""
    do = payload.get("do")
    key = str(payload.get("key", ""))
    text = str(payload.get("text", "")).strip()
    if do == "undo":
        return session.undone()
    if do == "filter":
        return filtered(session, diagnosis, payload)
    if do == "cell":
        return celled(session, diagnosis, str(payload.get("part", "")))
    if do == "unfilter":
        return session.filtered(tuple(part for part in session.filters if part.key != key))
    if do == "unbase":
        return session.only(filters=session.filters)
    if do == "row":
        return session.opened(row_of(diagnosis, payload.get("row")))
    if do == "unrow":
        return session
    if do == "find":
        filters = tuple(part for part in session.filters if part.key != TEXT)
        if text:
            filters = (*filters, read_filter([TEXT, text], diagnosis))
        return session.filtered(filters)
    return session.only()


def on_refresh(session: Session, state: LinkedState) -> tuple[LinkedState, Any]:
    """Redraw after the selection changed elsewhere, or the charts scrolled into view: returns (state, linked)."""
    if not session.run:
        return LinkedState(), ""
    if state.run != session.run:
        state = LinkedState(session.run)
    diagnosis = require_run(session)
    shown = still_there(session.closed, diagnosis)
    mask = ""
    if shown.picked:
        mask = row_mask(selected_rows(shown, diagnosis), len(diagnosis.samples))
    return state, gr.update(value=linked_view(session, state), run=session.run, mask=mask)


def take_csv(asked: Any) -> str | None:
    """Return the samples of a view as a CSV table; None for an invalid request, since anybody can call this.

    Args:
        asked: [run, query], query as in the page's address. [run, query, mask] takes the samples of that mask
            (`webapp.failure_map.row_mask`), because a query cannot hold a question's matches or a full outline.
            [..., key, falling] sorts by that column.
    """
    try:
        run, query, mask, key, falling = [*asked, *(None, None, "", "", False)[len(asked) :]]
        diagnosis = RUNS.get(str(run))
        if mask:
            rows = _rows_of_mask(str(mask), len(diagnosis.samples))
        else:
            if not isinstance(query, dict):
                query = {}
            session = session_of(query, diagnosis, str(run)).closed
            rows = np.arange(len(diagnosis.samples))
            if session.picked:
                rows = selected_rows(session, diagnosis)
        if key:
            rows = sorted_rows(shown_column(diagnosis, str(key)), rows, falling=bool(falling))
    except (DiagnosisError, TypeError, ValueError):
        return None
    return selection_csv(diagnosis, rows, keys_first(diagnosis)).decode()


def _rows_of_mask(mask: str, n: int) -> I64:
    """Read the rows of a mask written by `row_mask`; raises ValueError if it is not one for n samples."""
    held = np.frombuffer(base64.b64decode(mask, validate=True), np.uint8)
    if len(held) != -(-n // 8):
        raise ValueError(mask[:40])
    return np.flatnonzero(np.unpackbits(held, count=n, bitorder="little")).astype(np.int64)


def build(
    session: gr.State, pane: gr.HTML, points: gr.HTML, show: Callable[..., Any], describe: Callable[..., Any]
) -> gr.HTML:
    """Lay out and wire the charts and the table, which are drawn when they scroll into view.

    Args:
        show, describe: as in `webapp.explore.tab`, which calls this.
    """
    state = gr.State(LinkedState())
    linked = gr.HTML(
        render("explore/linked_waiting.html.j2"),
        run="",
        mask="",
        js_on_load=script("latest", "pane", "linked"),
        server_functions=[describe, take_csv],
        elem_id="linked",
        **PLAIN,
    )

    def act(session: Session, state: LinkedState, event: gr.EventData) -> tuple[Any, ...]:
        return in_turn(event, lambda s, t, e: on_linked(s, t, show, e), session, state, places=(0, 3), n=5)

    linked.act(
        shows_errors(act),
        [session, state],
        [session, pane, points, state, linked],
        trigger_mode="always_last",
        **PRIVATE,
        **LIGHT,
    )
    outputs = [state, linked]
    linked.refresh(shows_errors(on_refresh), [session, state], outputs, trigger_mode="always_last", **QUICK)
    return linked
