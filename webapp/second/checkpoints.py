"""The part of the tab Second model that follows clusters over checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from core.data.tables.roles import Roles
from core.errors import DiagnosisError, InvalidInput
from core.records import Diagnosis, Progress
from webapp.markup.components import as_is_box, download_row
from webapp.markup.render import empty, render
from webapp.state.choices import TABLES
from webapp.state.downloads import csv_of, fresh_folder
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, follow as follow_job, refused, wire_cancel
from webapp.state.session import Session, require_run, shows_errors

FAILED = "The comparison of checkpoints did not finish"
FILES = (("checkpoints.html", "Charts (HTML)"), ("checkpoints.csv", "Table (CSV)"))
WAITING = (
    "No checkpoints yet. Add one table of answers per checkpoint, named after it, to plot each group's error rate."
)


def make_followed(diagnosis: Diagnosis, tables: Sequence[str], roles: Roles, folder: Path, progress: Progress) -> str:
    """Follow the clusters and write the files; returns the view.

    Raises:
        InvalidInput: a table cannot be used, or the run's errors are unknown.
    """
    from core.checks.checkpoints.follow import follow, in_order
    from core.reports.checkpoints import READ_CHART, checkpoints_section
    from core.reports.html.checkpoints import checkpoint_charts
    from core.reports.html.diagnosis import write_section
    from core.reports.tables.checkpoints import checkpoints_table
    from core.reports.wording.second_model import FOLLOWED

    followed = follow(diagnosis, in_order([Path(table) for table in tables]), roles, progress=progress)
    write_section(diagnosis, checkpoints_section(diagnosis, followed), folder / FILES[0][0])
    rows = checkpoints_table(diagnosis, followed)
    (folder / FILES[1][0]).write_bytes(csv_of(rows.columns, rows.itertuples(index=False)))
    return render(
        "second/checkpoints.html.j2",
        diagnosis=diagnosis,
        followed=followed,
        charts=checkpoint_charts(diagnosis, followed),
        rule=f"{READ_CHART} {FOLLOWED}",
    )


def on_follow(session: Session, tables: Sequence[str] | None, as_is: bool = False) -> Iterator[tuple[Any, ...]]:
    """Follow the clusters over the added tables; yields (job id, status, run, view, downloads)."""
    nothing = [session.run, *_nothing()]
    try:
        diagnosis = require_run(session)
        if not tables:
            raise InvalidInput("No tables. Add one or more with answers to the run's samples, with the run's ids.")
    except DiagnosisError as why:
        yield "", refused(FAILED, why), *nothing
        raise
    folder = fresh_folder("checkpoints")
    job = Job(lambda progress: make_followed(diagnosis, tables, Roles(as_is=as_is), folder, progress))

    def outputs(view: str) -> tuple[Any, ...]:
        return session.run, view, *(gr.update(value=str(folder / name), interactive=True) for name, _ in FILES)

    yield from follow_job(job, FAILED, *nothing, reminder="Your files are still here.", outputs=outputs)


def _nothing() -> list[Any]:
    """Return the empty view and disabled downloads."""
    return [empty(WAITING), *[gr.update(interactive=False)] * len(FILES)]


def on_open(session: Session, run: str) -> tuple[Any, ...]:
    """Show the tab: returns (status, run, view, downloads); results on another run are cleared."""
    if session.run == run:
        return tuple(gr.skip() for _ in range(3 + len(FILES)))
    return "", session.run, *_nothing()


def build(session: gr.State, tab: gr.Tab) -> None:
    """Lay out and wire the part."""
    job = gr.State("")
    of = gr.State("")
    gr.HTML(render("second/follow_intro.html.j2"), **PLAIN)
    with gr.Row(elem_classes="bring probe-row"):
        with gr.Column(scale=30, min_width=300):
            tables = gr.File(
                label="Answers of checkpoints: tables with the run’s ids",
                file_types=list(TABLES),
                file_count="multiple",
                type="filepath",
                height=120,
                elem_id="checkpoint-tables",
            )
            as_is = as_is_box("checkpoint-as-is")
            with gr.Row():
                run = gr.Button("Follow", variant="primary", elem_id="checkpoint-run")
                cancel = gr.Button("Cancel", elem_id="checkpoint-cancel", scale=0, min_width=110, interactive=False)
            line = gr.HTML("", elem_id="checkpoint-status", **PLAIN)
        with gr.Column(scale=70, min_width=320):
            view = gr.HTML(empty(WAITING), elem_id="checkpoint-view", **PLAIN)
    _, buttons = download_row([(name.replace(".", "-"), title) for name, title in FILES])
    run.click(shows_errors(on_follow), [session, tables, as_is], [job, line, of, view, *buttons], **HEAVY, **PRIVATE)
    wire_cancel(cancel, job)
    tab.select(shows_errors(on_open), [session, of], [line, of, view, *buttons], **QUICK)
