"""Charts and a table of a run that read the same selection as the map, and change it."""

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
from webapp.explore.confusion import MOST_CLASSES
from webapp.explore.table import selection_csv, sorted_rows, table
from webapp.failure_map import row_mask
from webapp.markup.components import script
from webapp.markup.render import render
from webapp.state.events import as_int, event_data, in_turn
from webapp.state.filters import MAX_FILTERS, MAX_VALUES, TEXT, parsed, read_filter, said, shown_column
from webapp.state.jobs import LIGHT, PLAIN, PRIVATE, QUICK
from webapp.state.query import session_of
from webapp.state.runs import RUNS
from webapp.state.session import Session, picked_cluster, require_run, row_of, selected_rows, shows_errors, still_there

MOST_ADDED = 8
"""Charts that a visitor may add."""


LIKE = "likeness"
"""Key of the column of a search by words."""


@dataclass(frozen=True, slots=True)
class LinkedState:
    """How the table is sorted, and what the visitor added; of one run."""

    run: str = ""
    sort: str = "loss"
    falling: bool = True
    page: int = 0
    more: tuple[str, ...] = ()
    found: ShownColumn | None = field(default=None, compare=False)
    """How like each sample is to the words of the last search, in deviations; it means the selection's title."""

    def alike(self, session: Session) -> ShownColumn | None:
        """That column, while what the search found is selected."""
        return self.found if self.found is not None and session.rows and session.title == self.found.meaning else None


def linked_view(session: Session, state: LinkedState) -> str:
    """The charts and the table for what the session has picked, whatever sample is open."""
    diagnosis = RUNS.get(session.run)
    now_open = session.row
    session = still_there(session.closed, diagnosis)
    rows = selected_rows(session, diagnosis) if session.picked else None
    more = tuple(dict.fromkeys([*state.more, *keys_first(diagnosis)]))
    shown = np.arange(len(diagnosis.samples)) if rows is None else rows

    def picked(key: str) -> I64 | None:
        others = tuple(one for one in session.filters if one.key != key)
        if len(others) == len(session.filters):
            return rows
        without = replace(session, filters=others)
        return selected_rows(without, diagnosis) if without.picked else None

    columns = [(c.key, c.title) for c in columns_of(diagnosis) if c.key not in more]
    alike = state.alike(session)
    sort = "loss" if state.sort == LIKE and alike is None else state.sort
    return render(
        "explore/linked.html.j2",
        diagnosis=diagnosis,
        charts=charts(diagnosis, picked, session.filters, state.more),
        chips=_chips(session, diagnosis),
        row=now_open,
        opened="" if now_open is None else diagnosis.samples.ids[now_open],
        can_undo=bool(session.past),
        text=next((one.values[0] for one in session.filters if one.key == TEXT), ""),
        can_like=diagnosis.words is not None and bool(diagnosis.words.encoder),
        columns=columns,
        table=table(diagnosis, shown, more, sort, falling=state.falling, page=state.page, first=alike),
        picked=rows is not None,
        most_classes=MOST_CLASSES,
        sort="loss" if sort == LIKE else sort,  # of the file, which has no likeness
        falling=state.falling,
    )


def _chips(session: Session, diagnosis: Diagnosis) -> list[tuple[str, str]]:
    """(key, words) of each part of the selection that can be taken away; the key of what is no filter is ""."""
    chips = list[tuple[str, str]]()
    if session.based:
        chips.append(("", _base(session, diagnosis)))
    return chips + [(one.key, said(diagnosis, one)) for one in session.filters]


def _base(session: Session, diagnosis: Diagnosis) -> str:
    """What is picked beside the filters."""
    cluster = picked_cluster(session, diagnosis)
    if cluster is not None:  # by its number too: its name may read like a filter, which it is not
        return f"{f'cluster {cluster.id + 1}: ' if cluster.confirmed else ''}{cluster_title(diagnosis, cluster)}"
    if session.own and (kept := yours_of(diagnosis).set_of(session.own)):
        return kept.title
    return (session.title or "matches") if session.rows else "outline on the map"


def filtered(session: Session, diagnosis: Diagnosis, event: dict[str, Any]) -> Session:
    """The session with one filter more, less or wider.

    Args:
        event: "part", a filter as JSON; with "extend" a range reaches from the one before to the new one; the values of
            a category are added and, pressed again, taken away.

    Raises:
        InvalidInput: the part is no filter of this run, or there are too many for a link to hold.
    """
    part = read_filter(parsed(str(event.get("part", ""))[:20_000]), diagnosis)
    held = next((one for one in session.filters if one.key == part.key), None)
    others = tuple(one for one in session.filters if one.key != part.key)
    is_range = not part.values
    if part.key != TEXT and held is not None:
        if is_range and event.get("extend") and not held.values:
            part = replace(part, low=min(held.low, part.low), high=max(held.high, part.high))
        elif not is_range and shown_column(diagnosis, part.key).kind == "category":
            values = [v for v in held.values if v not in part.values]
            values += [v for v in part.values if v not in held.values]
            part = replace(part, values=tuple(values))
    empty = part == held or (not is_range and not part.values)
    filters = others if empty else (*others, part)
    if len(filters) > MAX_FILTERS or len(part.values) > MAX_VALUES:
        raise InvalidInput(
            f"At most {MAX_FILTERS} columns can be filtered at once, each by {MAX_VALUES} values. Take one away first."
        )
    return session.filtered(filters)


def celled(session: Session, diagnosis: Diagnosis, part: str) -> Session:
    """The session with the filters of a cell of the matrix in place of those of their columns; without them where they
    are all there. Raises InvalidInput as `filtered` does."""
    said = parsed(part[:20_000])
    parts = tuple(read_filter(one, diagnosis) for one in said) if isinstance(said, list) and len(said) == 2 else ()
    keys = {one.key for one in parts}
    if len(keys) != 2:
        raise InvalidInput("That is no cell of the matrix. Reload the page.")
    others = tuple(one for one in session.filters if one.key not in keys)
    filters = others if all(one in session.filters for one in parts) else (*others, *parts)
    if len(filters) > MAX_FILTERS:
        raise InvalidInput(f"At most {MAX_FILTERS} columns can be filtered at once. Take one away first.")
    return session.filtered(filters)


def like_text(session: Session, diagnosis: Diagnosis, text: str) -> tuple[Session, ShownColumn]:
    """The samples that a question of the same words would show, as `ask` finds them, and how like it each sample is.

    Raises:
        InvalidInput: the run cannot be asked, the text is empty or too long, or nothing shows it.
    """
    from core.checks.questions import ask  # brings the encoder
    from core.language.chance import standardised

    answer = ask(diagnosis, [text], tested=False)[0]
    if not answer.shown or not len(answer.rows):
        raise InvalidInput(f"No sample clearly matches {quoted(text)}. Use other words, or “Find these letters”.")
    title = f"Looks like “{text}”"
    within = np.isfinite(answer.scores)
    values = np.full(len(within), np.nan)
    values[within] = standardised(answer.scores[within])[0]
    found = session.only(rows=tuple(answer.rows.tolist()), title=title, scope=answer.scope)
    return found, ShownColumn(LIKE, LIKE, "number", values, title)


def on_linked(session: Session, state: LinkedState, show: Callable[..., Any], event: gr.EventData) -> tuple[Any, ...]:
    """Something was pressed in the charts or the table: returns (session, pane, map, state, linked).

    Args:
        show: `webapp.explore.picked.show_selection`.
    """
    said = event_data(event)
    diagnosis = require_run(session)
    state = state if state.run == session.run else LinkedState(session.run)
    if (changed := _rearranged(state, diagnosis, said)) is not None:
        return gr.skip(), gr.skip(), gr.skip(), changed, linked_view(session, changed)
    stays = said.get("do") == "row"  # the reader's place in the table, too
    before = session if stays or said.get("do") in ("undo", "clear") else session.closed
    if said.get("do") == "like":
        picked, column = like_text(before, diagnosis, str(said.get("text", "")).strip())
        return *show(picked), replace(state, page=0, sort=LIKE, falling=True, found=column), gr.skip()
    following, pane, points = show(_selected(before, diagnosis, said))
    return following, pane, points, state if stays else replace(state, page=0), gr.skip()


def _rearranged(state: LinkedState, diagnosis: Diagnosis, said: dict[str, Any]) -> LinkedState | None:
    """The state after a press that leaves the selection alone; None after another."""
    do = said.get("do")
    key = str(said.get("key", ""))
    if do == "page":
        return replace(state, page=max(0, as_int(said.get("to"))))
    if do in ("sort", "chart") and not (do == "sort" and key == LIKE and state.found is not None):
        shown_column(diagnosis, key)
    if do == "sort":
        return replace(state, sort=key, falling=not state.falling if key == state.sort else True, page=0)
    if do == "chart":
        return replace(state, more=tuple(dict.fromkeys([key, *state.more]))[:MOST_ADDED])
    if do == "unchart":
        return replace(state, more=tuple(one for one in state.more if one != key))
    return None


def _selected(session: Session, diagnosis: Diagnosis, said: dict[str, Any]) -> Session:
    """The session after a press that changes the selection."""
    do = said.get("do")
    key = str(said.get("key", ""))
    text = str(said.get("text", "")).strip()
    if do == "undo":
        return session.undone()
    if do == "filter":
        return filtered(session, diagnosis, said)
    if do == "cell":
        return celled(session, diagnosis, str(said.get("part", "")))
    if do == "unfilter":
        return session.filtered(tuple(one for one in session.filters if one.key != key))
    if do == "unbase":
        return session.only(filters=session.filters)
    if do == "row":
        return session.opened(row_of(diagnosis, said.get("row")))
    if do == "unrow":
        return session
    if do == "find":
        others = tuple(one for one in session.filters if one.key != TEXT)
        return session.filtered((*others, read_filter([TEXT, text], diagnosis)) if text else others)
    return session.only()


def on_refresh(session: Session, state: LinkedState) -> tuple[LinkedState, Any]:
    """The selection has changed elsewhere, or the charts came into sight: returns (state, linked)."""
    if not session.run:
        return LinkedState(), ""
    state = state if state.run == session.run else LinkedState(session.run)
    diagnosis = require_run(session)
    shown = still_there(session.closed, diagnosis)
    mask = row_mask(selected_rows(shown, diagnosis), len(diagnosis.samples)) if shown.picked else ""
    return state, gr.update(value=linked_view(session, state), run=session.run, mask=mask)


def take_csv(asked: Any) -> str | None:
    """The samples of a view as a CSV table for [run, query], query as in the page's address, or for [run, query, mask],
    the samples of that mask (`webapp.failure_map.row_mask`) whatever the query, which can say no matches of a
    question and no outline by hand in full; with [..., key, falling] in the order of that column. None where there are
    none to give: anybody may call this."""
    try:
        run, query, mask, key, falling = [*asked, *(None, None, "", "", False)[len(asked) :]]
        diagnosis = RUNS.get(str(run))
        if mask:
            rows = _rows_of_mask(str(mask), len(diagnosis.samples))
        else:
            session = session_of(query if isinstance(query, dict) else {}, diagnosis, str(run)).closed
            rows = selected_rows(session, diagnosis) if session.picked else np.arange(len(diagnosis.samples))
        if key:
            rows = sorted_rows(shown_column(diagnosis, str(key)), rows, falling=bool(falling))
    except (DiagnosisError, TypeError, ValueError):
        return None
    return selection_csv(diagnosis, rows, keys_first(diagnosis)).decode()


def _rows_of_mask(mask: str, n: int) -> I64:
    """The rows of a mask as `row_mask` writes it; raises ValueError where it is none of n samples."""
    held = np.frombuffer(base64.b64decode(mask, validate=True), np.uint8)
    if len(held) != -(-n // 8):
        raise ValueError(mask[:40])
    return np.flatnonzero(np.unpackbits(held, count=n, bitorder="little")).astype(np.int64)


def build(
    session: gr.State, pane: gr.HTML, points: gr.HTML, show: Callable[..., Any], describe: Callable[..., Any]
) -> gr.HTML:
    """Lay the charts and the table out and wire them; they are drawn when they come into sight.

    Args:
        show, describe: as in `webapp.explore.tab`, which lays this out.
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
    given = [state, linked]
    linked.refresh(shows_errors(on_refresh), [session, state], given, trigger_mode="always_last", **QUICK)
    return linked
