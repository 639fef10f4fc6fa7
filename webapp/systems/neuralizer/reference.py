"""The part Reference masks of the tab Ask: masks drawn from low-loss scans, and whether they may stand in for a true
one."""

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
from webapp.systems.neuralizer.why import ELSEWHERE, MadeFiles, file_or_example

if TYPE_CHECKING:
    from core.systems.neuralizer.reference.html import ShownScan
    from core.systems.neuralizer.reference.standin import Standin

FILES = (("reference.html", "Masks (HTML)"), ("reference.json", "Figures (JSON)"), ("reference.csv", "Scans (CSV)"))
SHOWN_SCANS = 6
"""Scans on the page; the file shows more."""


def usable(diagnosis: Diagnosis | None) -> bool:
    """Whether the run has scans."""
    return diagnosis is not None and diagnosis.samples.modality == "scan"


def intro(diagnosis: Diagnosis | None) -> str:
    """The purpose of reference masks, or that they need scans."""
    return render("reference_intro.html.j2", scans=usable(diagnosis))


def make_reference(
    session: Session, files: tuple[Path, Path], columns: tuple[str, ...], progress: Progress
) -> MadeFiles:
    """Draw the masks and measure their quality; a visitor's own run stores the figures.

    Args:
        files: table, and scans and masks.
        columns: of true masks, predicted masks, and groups; "" is recognized by name.

    Raises:
        InvalidInput: the run does not have scans, or the files lack masks to learn from.
    """
    import pandas as pd

    from core.data.tables.roles import Roles
    from core.systems.neuralizer.reference.html import reference_page, shown_scans
    from core.systems.neuralizer.reference.names import KEY
    from core.systems.neuralizer.reference.standin import measure_table  # torch

    diagnosis = require_run(session)
    true, predicted, group = columns
    roles = Roles(group=group or None, modality="scan")
    if true and predicted:
        roles = replace(roles, masks=(true, predicted))
    scans, standin, references = measure_table(diagnosis, files, roles, progress=progress)
    document = standin.document()
    page = reference_page(diagnosis, scans, standin, references)
    downloads = write_files("reference", FILES, page, document, pd.DataFrame(standin.columns()))
    if not RUNS.is_linked(session.run):  # a reader with a link sees the result, but does not change the run
        RUNS.change(session.run, lambda now: replace(now, extras={**now.extras, KEY: document}))
    view = reference_view(standin, shown_scans(scans, standin, references, SHOWN_SCANS))
    return MadeFiles(session.run, view, downloads)


def reference_view(standin: Standin, shown: Sequence[ShownScan]) -> str:
    """Whether the masks may stand in, with the figures, and the masks of `shown`."""
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
    """Draw and measure; yields (job id, status, result)."""
    if not usable(require_run(session)):
        raise InvalidInput("Reference masks need scans. Open a run of scans.")
    columns = tuple((name or "").strip() for name in (true, predicted, group))  # None from fields never shown
    if bool(columns[0]) != bool(columns[1]):
        raise InvalidInput("Name both columns of masks, the true and the predicted one, or neither.")
    if bool(table) != bool(images):
        raise InvalidInput("Add both: the diagnosed table, and its scans and masks.")
    run = session.run
    files = file_or_example(run, table, "table.csv"), file_or_example(run, images, "images.zip")
    job = Job(lambda progress: make_reference(session, files, columns, progress))
    yield from follow(job, "The masks were not drawn", None)


def on_drawn(session: Session, state: KeptState[MadeFiles], result: MadeFiles | None) -> tuple[Any, ...]:
    """Show the masks: returns (state, status, view, downloads, notes of the tab Findings)."""
    notes = gr.skip()
    if result is not None and result.run == session.run:
        notes = gr.update(value=notes_section(require_run(session)), run=session.run)
    return *receive(session, state, result, FILES, ELSEWHERE), notes


def on_run(session: Session, state: KeptState[MadeFiles]) -> tuple[Any, ...]:
    """Show the tab: returns (accordion, then `reopened`). The accordion appears only for runs of scans."""
    accordion = gr.skip()
    if session.run:
        accordion = gr.update(visible=usable(RUNS.get(session.run)))
    return accordion, *reopened(session, state, intro, FILES, usable)


def _fields(diagnosis: Diagnosis | None, first: str) -> tuple[gr.File, gr.File, list[Any], MadeParts]:
    with gr.Row(elem_classes="bring"):
        table = upload("Diagnosed table (examples include it)", TABLES, "reference-table")
        images = upload("Its scans and masks: zip or tar", IMAGES, "reference-images")
    with gr.Accordion("Columns with unusual names", open=False), gr.Row():
        columns = list[Any]()
        for name, label in (("true", "True mask"), ("predicted", "Predicted mask"), ("group", "Patient")):
            columns.append(gr.Textbox(label=label, max_lines=1, elem_id=f"reference-{name}", min_width=160))
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
    result = gr.State(None)
    title = "Reference masks: a likely mask for scans without a true one"
    with gr.Accordion(title, open=False, visible=usable(diagnosis), elem_id="reference") as fold:
        lead = gr.HTML(intro(diagnosis), elem_id="reference-intro", **PLAIN)
        table, images, columns, parts = _fields(diagnosis, first)
    outputs = [parts.status, parts.view, *parts.buttons]
    inputs = [session, table, images, *columns]
    drawn = parts.run.click(shows_errors(on_reference), inputs, [job, parts.status, result], **HEAVY, **PRIVATE)
    drawn.success(shows_errors(on_drawn), [session, state, result], [state, *outputs, view.notes], **PRIVATE)
    wire_cancel(parts.cancel, job)
    tab.select(shows_errors(on_run), [session, state], [fold, state, lead, parts.run, *outputs], **QUICK)
