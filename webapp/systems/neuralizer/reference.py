"""Reference masks, below the questions of the tab Ask: what the masks of low-loss scans make of the others, and whether
they may stand in for a true one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.errors import InvalidInput
from core.records import Diagnosis, Progress
from webapp.ask.kept import KeptState, MadeParts, made_parts, receive, reopened, write_files
from webapp.explore.overview import notes_section
from webapp.markup.components import upload
from webapp.panels import Page
from webapp.state.choices import IMAGES, TABLES
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, follow, wire_cancel
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, shows_errors
from webapp.systems.neuralizer.render import render
from webapp.systems.neuralizer.why import ELSEWHERE, MadeFiles, brought

if TYPE_CHECKING:
    from core.systems.neuralizer.reference.html import ShownScan
    from core.systems.neuralizer.reference.standin import Standin

FILES = (("reference.html", "Masks (HTML)"), ("reference.json", "Figures (JSON)"), ("reference.csv", "Scans (CSV)"))
SHOWN = 6
"""Scans whose masks the page shows; the file has more."""


def usable(diagnosis: Diagnosis | None) -> bool:
    """Whether the run is of scans."""
    return diagnosis is not None and diagnosis.samples.modality == "scan"


def intro(diagnosis: Diagnosis | None) -> str:
    """What reference masks are for, or that this run is of no scans."""
    return render("reference_intro.html.j2", scans=usable(diagnosis))


def make_reference(
    session: Session, given: tuple[Path, Path], columns: tuple[str, ...], progress: Progress
) -> MadeFiles:
    """Draw the masks and measure what they are worth; a visitor's own run keeps the figures.

    Args:
        given: table, and scans and masks.
        columns: of true masks, predicted masks, and groups; "" is recognized by name.

    Raises:
        InvalidInput: the run is of no scans, or the files hold no masks to learn from.
    """
    import pandas as pd

    from core.data.tables.roles import Roles
    from core.systems.neuralizer.reference.html import reference_page, shown_scans
    from core.systems.neuralizer.reference.names import KEY
    from core.systems.neuralizer.reference.standin import measure_table  # torch

    diagnosis = require_run(session)
    true, predicted, group = columns
    roles = Roles(masks=(true, predicted) if true and predicted else None, group=group or None, modality="scan")
    scans, standin, found = measure_table(diagnosis, given, roles, progress=progress)
    document = standin.document()
    page = reference_page(diagnosis, scans, standin, found)
    files = write_files("reference", FILES, page, document, pd.DataFrame(standin.columns()))
    if not RUNS.is_linked(session.run):  # who reads by a link sees it, and the run stays as its maker left it
        RUNS.change(session.run, lambda now: replace(now, extras={**now.extras, KEY: document}))
    return MadeFiles(session.run, reference_view(standin, shown_scans(scans, standin, found, SHOWN)), files)


def reference_view(standin: Standin, shown: Sequence[ShownScan]) -> str:
    """Whether the masks may stand in, with all that was measured, and what they look like."""
    from core.systems.neuralizer.reference.html import LEGEND
    from core.systems.neuralizer.reference.wording import RULE, reference_lines

    lines = [*reference_lines(standin.document()), *standin.notes]
    return render(
        "reference_masks.html.j2",
        offered=not standin.refusal,
        lines=lines,
        rule=RULE,
        shown=shown,
        legend=LEGEND,
        more=len(standin.ids) > len(shown),
    )


def on_reference(
    session: Session, table: str | None, images: str | None, true: str | None, predicted: str | None, group: str | None
) -> Iterator[tuple[Any, ...]]:
    """Draw and measure; yields (job id, status, what was made)."""
    if not usable(require_run(session)):
        raise InvalidInput("Reference masks are drawn for scans. Open a run of scans.")
    columns = tuple((one or "").strip() for one in (true, predicted, group))  # None of fields that were never shown
    if bool(columns[0]) != bool(columns[1]):
        raise InvalidInput("Name both columns of masks, the true and the predicted one, or neither.")
    run = session.run
    if bool(table) != bool(images):
        raise InvalidInput("Bring both: the table that was diagnosed, and its scans and masks.")
    given = brought(run, table, "table.csv"), brought(run, images, "images.zip")
    job = Job(lambda progress: make_reference(session, given, columns, progress))
    yield from follow(job, "The masks were not drawn", None)


def on_drawn(session: Session, state: KeptState[MadeFiles], made: MadeFiles | None) -> tuple[Any, ...]:
    """Show what was made: returns (state, status, view, downloads, Explore's notes)."""
    is_open = made is not None and made.run == session.run
    notes = gr.update(value=notes_section(require_run(session)), run=session.run) if is_open else gr.skip()
    return *receive(session, state, made, FILES, ELSEWHERE), notes


def on_run(session: Session, state: KeptState[MadeFiles]) -> tuple[Any, ...]:
    """The tab is shown: returns (accordion, then what `reopened` gives); there is none where the run is of no scans."""
    there = gr.update(visible=usable(RUNS.get(session.run))) if session.run else gr.skip()
    return there, *reopened(session, state, intro, FILES, usable)


def _fields(diagnosis: Diagnosis | None, first: str) -> tuple[gr.File, gr.File, list[Any], MadeParts]:
    with gr.Row(elem_classes="bring"):
        table = upload("The table that was diagnosed (an example has its own)", TABLES, "reference-table")
        images = upload("Its scans and masks: zip or tar", IMAGES, "reference-images")
    with gr.Accordion("Columns, if they have unusual names", open=False), gr.Row():
        columns = [
            gr.Textbox(label=label, max_lines=1, elem_id=f"reference-{name}", min_width=160)
            for name, label in (("true", "True mask"), ("predicted", "Predicted mask"), ("group", "Patient"))
        ]
    parts = made_parts("reference", "Draw the masks", FILES, first, width=160, interactive=usable(diagnosis))
    return table, images, columns, parts


def build(page: Page, tab: gr.Tab) -> None:
    """Lay out the accordion and wire it."""
    session = page.session
    view = page.view
    first = page.first
    diagnosis = page.diagnosis
    state = gr.State(KeptState(first), time_to_live=STATE_S)
    job = gr.State("")
    made = gr.State(None)
    title = "Reference masks: what would a mask look like where there is none?"
    with gr.Accordion(title, open=False, visible=usable(diagnosis), elem_id="reference") as fold:
        said = gr.HTML(intro(diagnosis), elem_id="reference-intro", **PLAIN)
        table, images, columns, parts = _fields(diagnosis, first)
    told = [parts.status, parts.view, *parts.buttons]
    given = [session, table, images, *columns]
    drawn = parts.run.click(shows_errors(on_reference), given, [job, parts.status, made], **HEAVY, **PRIVATE)
    drawn.success(shows_errors(on_drawn), [session, state, made], [state, *told, view.notes], **PRIVATE)
    wire_cancel(parts.cancel, job)
    tab.select(shows_errors(on_run), [session, state], [fold, state, said, parts.run, *told], **QUICK)
