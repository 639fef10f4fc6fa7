"""The list of the visitor's runs: open, rename, delete, and time until deletion."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import InvalidInput
from core.numbers import count
from core.store import SUFFIX, load
from webapp.explore.patches import prune_patches
from webapp.explore.picked import show_selection
from webapp.explore.tab import Opened, show_run, skips
from webapp.markup.components import script, upload
from webapp.markup.render import render
from webapp.panels import Opening, Page
from webapp.state.events import event_data
from webapp.state.home import kept_in
from webapp.state.jobs import JOBS, LIGHT, PLAIN, PRIVATE, QUICK, duration
from webapp.state.notes import MAX_TITLE, Note
from webapp.state.picker import runs_to_open
from webapp.state.query import view_of
from webapp.state.runs import RUNS
from webapp.state.session import Session, shows_errors
from webapp.state.shelf import stay

SAMPLE_NOUNS = {"image": "image", "text": "text", "clip": "clip", "scan": "scan"}
"""Noun for a sample of each modality."""


def listed(run: str, note: Note, opened: str) -> dict[str, Any]:
    """Return the row of a run, as `data/runs.html.j2` shows it. opened: id of the open run."""
    created = datetime.fromtimestamp(note.made, UTC)
    name = note.encoder.partition(" ")[0]
    left = RUNS.left_s(note)
    encoder = name
    if name == "given":
        encoder = "own vectors"
    groups = "no group"
    if note.n_clusters:
        groups = count(note.n_clusters, "group")
    deletion = ""
    if left is not None:
        deletion = f"deleted in {duration(max(left, 0.0))}"
    return {
        "run": run,
        "title": note.title,
        "created": created.isoformat(timespec="seconds"),  # the browser converts it to local time
        "day": f"{created:%d %b %Y, %H:%M} UTC",
        "data": count(note.n_samples, SAMPLE_NOUNS.get(note.kind, "sample")),
        "encoder": encoder,
        "groups": groups,
        "deletion": deletion,
        "is_open": run == opened,
    }


def runs_list(session: Session) -> str:
    """Render the current visit's runs, latest first."""
    RUNS.adopt([])
    opened = next((run for run, _ in RUNS.list_own() if RUNS.link(run) == RUNS.link(session.run)), "")
    rows = [listed(run, note, opened) for run, note in reversed(RUNS.own_notes())]
    return _shown(rows)


def _shown(rows: list[dict[str, Any]]) -> str:
    has_notes = RUNS.offered.has_notes()
    outlives = kept_in() is not None
    return render("data/runs.html.j2", rows=rows, stays=stay(), kept=outlives, most=MAX_TITLE, has_notes=has_notes)


def on_act(session: Session, examples: list[tuple[str, str]], event: gr.EventData) -> tuple[Any, ...]:
    """Handle a button of the list: returns (list, tabs, picker, then what `show_run` fills).

    Raises:
        InvalidInput: the run was deleted.
    """
    payload = event_data(event)
    do, run, title = (str(payload.get(part, "")) for part in ("do", "run", "title"))
    if run not in {own_id for own_id, _ in RUNS.list_own()}:  # deleted in another tab, or never this visit's
        do = ""
    is_open = RUNS.link(run) == RUNS.link(session.run)
    same = skips()
    if do == "open":
        shown = show_run(run)
        return runs_list(shown[0]), gr.update(selected="explore"), runs_to_open(run, examples), *shown
    if do == "rename":
        RUNS.entitle(run, title)
        if is_open:
            same = same._replace(failure_map=gr.update(view=view_of(session)))  # the page shows its name
    elif do == "delete":
        RUNS.remove(run)
        prune_patches()
        if is_open and examples:
            shown = show_run(examples[0][1])
            return runs_list(shown[0]), gr.skip(), runs_to_open(examples[0][1], examples), *shown
        same = same._replace(failure_map=gr.update(view=view_of(session)))  # the browser forgets its id
    return runs_list(session), gr.skip(), runs_to_open(session.run, examples), *same


def on_copy(session: Session, examples: list[tuple[str, str]]) -> tuple[Any, ...]:
    """Copy a shared run to the visitor's runs, with the selection: returns (picker, then what `show_run` fills).

    Raises:
        InvalidInput: the open run is not shared, or the server has no room.
    """
    if not RUNS.is_example(session.run):
        raise InvalidInput("Only an example or a shared run can be copied. Open one first.")
    diagnosis = RUNS.get(session.run)
    run = RUNS.add(diagnosis)
    RUNS.entitle(run, f"Your copy: {diagnosis.samples.name}")
    shown = show_run(run, session.colour)
    opened = replace(session, run=run, beside="", past=())
    if session.picked:
        opened, pane, points = show_selection(opened)
        shown = Opened(
            opened,
            shown.strip,
            shown.failure_map | {"selection": points["selection"], "view": points["view"]},
            gr.update(value=pane, run=run),
        )
    return runs_to_open(run, examples), *shown


def on_bring(examples: list[tuple[str, str]], file: str | None) -> tuple[Any, ...]:
    """Import a run downloaded from a page or written by `diagnose --out`: returns (list, field, tabs, picker, then what
    `show_run` fills).

    Raises:
        InvalidInput: the file is not a run or is damaged, or the server has no room.
    """
    if not file:
        return gr.skip(), gr.skip(), gr.skip(), gr.skip(), *skips()
    RUNS.require_room()
    run = RUNS.add(JOBS.look(lambda _: load(file, f"The run {Path(file).name!r}")))
    shown = show_run(run)
    return runs_list(shown[0]), None, gr.update(selected="explore"), runs_to_open(run, examples), *shown


def build(page: Page, opening: Opening) -> None:
    """Lay out and wire the list."""
    session = page.session
    view = page.view
    tabs = page.tabs
    examples = page.examples
    mine = gr.HTML(_shown([]), js_on_load=script("runs"), elem_id="my-runs", **PLAIN)

    def act(session: Session, event: gr.EventData) -> tuple[Any, ...]:
        return on_act(session, examples, event)

    mine.act(shows_errors(act), [session], [mine, tabs, view.picker, *view.opened(session)], **QUICK)

    with gr.Row(elem_classes="bring"):
        field = upload("Open a saved run: NAME.errata", [SUFFIX], "bring-run", 84)
    filled = [mine, field, tabs, view.picker, *view.opened(session)]
    field.upload(shows_errors(lambda file: on_bring(examples, file)), [field], filled, **PRIVATE, **LIGHT)

    opening.select(shows_errors(runs_list), [session], [mine], **QUICK)


def wire_copy(page: Page) -> None:
    """Wire the button that copies a shared run."""
    copied = [page.view.picker, *page.view.opened(page.session)]
    page.view.pane.adopt(
        shows_errors(lambda session: on_copy(session, page.examples)), [page.session], copied, **PRIVATE, **LIGHT
    )
