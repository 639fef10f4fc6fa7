"""The fold below the findings: downloads, the static page, and notes on the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from webapp.explore import static_page
from webapp.explore.overview import notes_section
from webapp.explore.picked import show_selection
from webapp.explore.tab import describe
from webapp.explore.worth import on_measure, opened
from webapp.markup.components import script
from webapp.markup.render import render
from webapp.state.downloads import FILES
from webapp.state.events import event_data
from webapp.state.jobs import HEAVY, LIGHT, PLAIN, PRIVATE, QUICK, on_cancel
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, shows_errors

MAKING = '<p role="status">Making the file …</p>'
TAKE = (
    "(file) => { if (file?.url) Object.assign(document.createElement('a'), "
    "{ href: file.url, download: file.orig_name ?? '' }).click(); return []; }"
)
"""Starts the download of a finished file in the browser."""


def on_notes(session: Session) -> Any:
    """Return the notes on the open run."""
    if not session.run:
        return ""
    return gr.update(value=notes_section(opened(session.run)), run=session.run)


def on_measured(session: Session, run: str) -> tuple[Any, Any]:
    """Show how reliable the causes are: returns (pane, notes), unchanged if another run is open."""
    if not run or run != session.run:
        return gr.skip(), gr.skip()
    pane = gr.skip()
    if session.row is not None:
        pane = show_selection(session)[1]
    return pane, gr.update(value=notes_section(opened(run), worth_open=True), run=run)


def on_take(session: Session, name: str) -> Iterator[tuple[str, Any]]:
    """Make a file of the open run; yields (status, file)."""
    require_run(session)
    yield MAKING, gr.skip()
    try:
        path = RUNS.file(session.run, name)
    except Exception:
        yield "", gr.skip()
        raise
    yield "", gr.update(value=str(path))


def _on_press(session: Session, event: gr.EventData) -> Iterator[tuple[str, Any]]:
    """Make the file of a button; yields the same as `on_take`."""
    names = [name for name, _ in FILES]
    name = event_data(event).get("take")
    if name in names:
        yield from on_take(session, str(name))


def build(session: gr.State, pane: gr.HTML, on_open: Callable[..., Any]) -> None:
    """Lay out the fold and wire its callbacks.

    Args:
        on_open: wires a callback that runs each time the fold is opened, as `webapp.panels.Opening.select` does.
    """
    with gr.Row(elem_classes="downloads"):
        markup = render("explore/downloads.html.j2", files=FILES)
        buttons = gr.HTML(markup, js_on_load=script("pane"), server_functions=[describe], elem_id="downloads", **PLAIN)
        line = gr.HTML("", elem_id="download-status", **PLAIN)
        file = gr.DownloadButton("File", visible="hidden", elem_id="download-file")
    made = buttons.act(shows_errors(_on_press), [session], [line, file], **PRIVATE, **LIGHT)
    made.success(None, [file], None, js=TAKE, **PRIVATE)
    static_page.build(session)
    with gr.Row(elem_classes="bring"):
        status = gr.HTML("", elem_id="worth-status", **PLAIN)
        cancel = gr.Button("Cancel", elem_id="worth-cancel", visible=False, scale=0, min_width=110)
    notes = gr.HTML(
        "", run="", js_on_load=script("latest", "pane"), server_functions=[describe], elem_id="notes", **PLAIN
    )
    on_open(shows_errors(on_notes), [session], [notes], **QUICK)
    job = gr.State("")
    measured = gr.State("")
    outputs = [job, status, measured, cancel]
    done = notes.act(shows_errors(on_measure), [session], outputs, **HEAVY, **PRIVATE)
    done.success(shows_errors(on_measured), [session, measured], [pane, notes], **QUICK)
    cancel.click(on_cancel, [job], None, **QUICK)
