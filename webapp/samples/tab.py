"""The place All samples: a grid of images or a table, with filters by column, which share their selection with
Findings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from core.errors import DiagnosisError
from core.records import I64, Diagnosis
from core.reports.tables.columns import columns_of
from webapp.explore.picked import show_selection
from webapp.explore.tab import describe
from webapp.markup.components import script
from webapp.markup.render import render
from webapp.panels import Opening, Page
from webapp.samples.charts import MAX_MATRIX_CLASSES, charts
from webapp.samples.listing import LIKE, LISTINGS, Listing, Order, cells, list_samples, listing_csv, table_columns
from webapp.samples.selecting import chips, like_text, selected
from webapp.state.events import event_data, in_turn
from webapp.state.filters import TEXT, shown_column
from webapp.state.jobs import LIGHT, PLAIN, PRIVATE, QUICK
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, selected_rows, shows_errors

WAITING = '<p class="muted">Loading the samples.</p>'


def samples_view(session: Session, order: Order) -> str:
    """Render the selection's first samples in that order, and hold the listing for the others."""
    diagnosis = RUNS.get(session.run)
    listing = list_samples(session, order, diagnosis)
    opened = ""
    if session.row is not None:
        opened = diagnosis.samples.ids[session.row]
    columns = [column for column in (listing.alike, *columns_of(diagnosis)) if column is not None]
    words = diagnosis.words
    return render(
        "samples/samples.html.j2",
        diagnosis=diagnosis,
        noun=diagnosis.samples.modality,
        n=len(listing.rows),
        token=LISTINGS.keep(listing),
        cells=cells(diagnosis, listing),
        heads=table_columns(diagnosis, listing),
        order=listing.order,
        columns=columns,
        chips=chips(listing.session, diagnosis),
        row=session.row,
        opened=opened,
        picked=listing.session.picked,
        can_undo=bool(session.past),
        text=next((part.values[0] for part in session.filters if part.key == TEXT), ""),
        can_like=words is not None and bool(words.encoder),
    )


def charts_view(diagnosis: Diagnosis, listing: Listing) -> str:
    """Render the charts of the columns for a listing, whose bars filter it."""
    session = listing.session

    def picked(key: str) -> I64 | None:
        others = tuple(part for part in session.filters if part.key != key)
        without = replace(session, filters=others)
        if not without.picked:
            return None
        if len(others) == len(session.filters):
            return listing.rows
        return selected_rows(without, diagnosis)

    return render(
        "samples/charts.html.j2",
        diagnosis=diagnosis,
        charts=charts(diagnosis, picked, session.filters),
        most_classes=MAX_MATRIX_CLASSES,
    )


def on_press(session: Session, order: Order, event: gr.EventData) -> tuple[Any, ...]:
    """Handle a press in the list or the charts: returns (session, pane, map, order, list)."""
    payload = event_data(event)
    diagnosis = require_run(session)
    if order.run != session.run:
        order = Order(session.run, as_table=order.as_table)
    if payload.get("do") == "sort":
        key = str(payload.get("key", ""))
        if key != LIKE or order.matches is None:
            shown_column(diagnosis, key)
        order = replace(order, sort=key, falling=key != order.sort or not order.falling)
        return gr.skip(), gr.skip(), gr.skip(), order, samples_view(session, order)
    if payload.get("do") == "like":
        text = str(payload.get("text", "")).strip()
        matching, column = like_text(session.closed, diagnosis, text)
        return *show_selection(matching), replace(order, sort=LIKE, falling=True, matches=column), gr.skip()
    return *show_selection(selected(session, diagnosis, payload)), order, gr.skip()


def on_refresh(session: Session, order: Order, event: gr.EventData) -> tuple[Order, Any]:
    """List the samples after the selection or the view changed: returns (order, list)."""
    as_table = event_data(event).get("as") == "table"
    if not session.run:
        return Order(as_table=as_table), ""
    if order.run != session.run:
        order = Order(session.run)
    order = replace(order, as_table=as_table)
    return order, gr.update(value=samples_view(session, order), run=session.run)


def more_cells(asked: Any) -> str | None:
    """Return the markup of the next samples, or None for an invalid request, since anybody can call this.

    Args:
        asked: [token of the listing, position of the first sample].
    """
    found = _found(asked)
    if found is None or len(asked) != 2 or not isinstance(asked[1], int):
        return None
    diagnosis, listing = found
    if not 0 <= asked[1] < len(listing.rows):
        return None
    shown = cells(diagnosis, listing, asked[1])
    return render("samples/cells.html.j2", cells=shown, as_table=listing.order.as_table)


def take_csv(asked: Any) -> str | None:
    """Return the samples of a listing as a CSV table, or None for an invalid request; `asked` is [token]."""
    found = _found(asked)
    if found is None:
        return None
    return listing_csv(*found).decode()


def column_charts(asked: Any) -> str | None:
    """Return the markup of the charts for a listing, or None for an invalid request; `asked` is [token]."""
    found = _found(asked)
    if found is None:
        return None
    return charts_view(*found)


def _found(asked: Any) -> tuple[Diagnosis, Listing] | None:
    """Return the listing whose token a browser sent first, with its run; None unless both are there."""
    if not isinstance(asked, list) or not asked:
        return None
    listing = LISTINGS.get(asked[0])
    try:
        if listing is not None:
            return RUNS.get(listing.session.run), listing
    except DiagnosisError:  # the run was deleted
        pass
    return None


def build(page: Page, _: Opening) -> None:
    """Lay out and wire the list, and beside it the folds for filters and map."""
    session = page.session
    order = gr.State(Order())
    with gr.Row(elem_classes="samples-row"):
        side = gr.HTML(
            render("samples/side.html.j2"),
            js_on_load=script("latest", "charts"),
            server_functions=[column_charts],
            elem_id="samples-side",
            **PLAIN,
        )
        listed = gr.HTML(
            WAITING,
            run="",
            js_on_load=script("latest", "pane", "samples"),
            server_functions=[describe, more_cells, take_csv],
            elem_id="samples-list",
            elem_classes="samples-list",
            **PLAIN,
        )

    def act(session: Session, order: Order, event: gr.EventData) -> tuple[Any, ...]:
        return in_turn(event, on_press, session, order, places=(0, 3), n=5)

    outputs = [session, page.view.pane, page.view.failure_map, order, listed]
    for part in (side, listed):
        part.act(shows_errors(act), [session, order], outputs, trigger_mode="always_last", **PRIVATE, **LIGHT)
    listed.refresh(shows_errors(on_refresh), [session, order], [order, listed], trigger_mode="always_last", **QUICK)
