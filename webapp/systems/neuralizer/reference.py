"""The part Reference masks of the tab Ask: masks drawn from low-loss scans, and whether they may stand in for a true
one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.errors import InvalidInput
from core.records import Diagnosis, Progress
from webapp.ask.kept import KeptState, Made, Part, build_part, write_files
from webapp.markup.components import upload
from webapp.panels import Opening, Page
from webapp.state.choices import IMAGES, TABLES
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run
from webapp.systems.neuralizer.why import file_or_example, render

if TYPE_CHECKING:
    from core.systems.neuralizer.reference.html import ShownScan
    from core.systems.neuralizer.reference.standin import Standin

FILES = (("reference.html", "Masks (HTML)"), ("reference.json", "Figures (JSON)"), ("reference.csv", "Scans (CSV)"))
SHOWN_SCANS = 6
"""Scans on the page; the file shows more."""


def usable(diagnosis: Diagnosis) -> bool:
    """Whether the run has scans."""
    return diagnosis.samples.modality == "scan"


def make_reference(session: Session, files: tuple[Path, Path], columns: tuple[str, ...], progress: Progress) -> Made:
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
    from core.systems.neuralizer.reference.standin import measure_table  # torch
    from core.systems.neuralizer.reference.wording import KEY

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
    return Made(session.run, view, downloads)


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


def reference_work(
    session: Session,
    state: KeptState,
    table: str | None,
    images: str | None,
    true: str | None,
    predicted: str | None,
    group: str | None,
) -> Callable[[Progress], Made]:
    """Check the fields, and return the work that draws and measures."""
    if not usable(require_run(session)):
        raise InvalidInput("Reference masks need scans. Open a run of scans.")
    columns = tuple((name or "").strip() for name in (true, predicted, group))  # None from fields never shown
    if bool(columns[0]) != bool(columns[1]):
        raise InvalidInput("Name both columns of masks, the true and the predicted one, or neither.")
    if bool(table) != bool(images):
        raise InvalidInput("Add both: the diagnosed table, and its scans and masks.")
    run = session.run
    files = file_or_example(run, table, "table.csv"), file_or_example(run, images, "images.zip")
    return lambda progress: make_reference(session, files, columns, progress)


def fields() -> list[Any]:
    """Fields for the table, the images, and the columns of both."""
    with gr.Row(elem_classes="bring"):
        table = upload("Diagnosed table (examples include it)", TABLES, "reference-table")
        images = upload("Its scans and masks: zip or tar", IMAGES, "reference-images")
    with gr.Accordion("Columns with unusual names", open=False), gr.Row():
        columns = list[Any]()
        for name, label in (("true", "True mask"), ("predicted", "Predicted mask"), ("group", "Patient")):
            columns.append(gr.Textbox(label=label, max_lines=1, elem_id=f"reference-{name}", min_width=160))
    return [table, images, *columns]


PART = Part(
    "reference",
    "Reference masks: a likely mask for scans without a true one",
    "Draw the masks",
    FILES,
    failed="The masks were not drawn",
    intro=lambda _: render("reference_intro.html.j2"),
    work=reference_work,
    offered=usable,
)


def build(page: Page, opening: Opening) -> None:
    """Lay out the accordion and wire it."""
    build_part(PART, page, opening, fields)
