"""Second model tab: what another model, such as a compressed one, breaks and mends of the open run's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from core.data.tables.roles import Roles
from core.errors import DiagnosisError, InvalidInput
from core.records import Diagnosis, Progress
from webapp.explore.tab import describe
from webapp.markup.components import download_row, script, upload
from webapp.markup.render import empty, render
from webapp.markup.two_models import MAX_PICTURES, gallery_view
from webapp.second.view import SecondModel, second_view
from webapp.state.choices import TABLES
from webapp.state.downloads import fresh_folder
from webapp.state.events import event_data
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, follow, refused, wire_cancel
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import NO_RUN, Session, require_run, shows_errors

FILES = (("beside.html", "Report (HTML)"), ("beside.csv", "Table (CSV)"), ("beside.json", "Results (JSON)"))
FAILED = "The comparison did not finish"
LOSSES_ALONE = (
    "Of this run’s model only losses are known, not which answers were wrong, and losses of two models have no common "
    "scale. Diagnose a table with a label and predictions or probabilities."
)


@dataclass(frozen=True, slots=True, eq=False)
class SecondState:
    """What is shown: a run, the second model beside it, and the samples that are looked at."""

    run: str = ""
    second: SecondModel | None = None
    scope: str = "all"
    kind: str = "broken"
    shown: int = MAX_PICTURES


def refusal(diagnosis: Diagnosis) -> str:
    """Why no model can be set beside that of the run (plain text); "" where one can."""
    return LOSSES_ALONE if diagnosis.outcomes.errors is None else ""


def on_open(session: Session, state: SecondState) -> tuple[Any, ...]:
    """The tab is shown: returns (status, state, result, gallery, downloads); nothing changes as long as the run is the
    same."""
    if not session.run:
        return "", SecondState(), empty(NO_RUN), "", *_no_files()
    if state.run == session.run:
        return tuple(gr.skip() for _ in range(4 + len(FILES)))
    why = refusal(RUNS.get(session.run))
    return (
        "",
        SecondState(session.run),
        empty(why, "No second model for this run") if why else render("second/waiting.html.j2"),
        "",
        *_no_files(),
    )


def _no_files() -> list[Any]:
    return [gr.update(interactive=False)] * len(FILES)


def make_second(
    run: str, table: str | None, card: str | None, roles: Roles, folder: Path, progress: Progress
) -> SecondModel:
    """Read the second model's answers, set them beside the run's, and write what can be taken along.

    Raises:
        InvalidInput: nothing was given, the table or the card cannot be used, or it is of other samples.
    """
    from core.checks.compare import compare
    from core.checks.second_model import with_second
    from core.files import write_json
    from core.reports.html.diagnosis import write_comparison
    from core.reports.tables.probes import comparison_document, comparison_table
    from core.reports.wording.distillation import second_lines

    diagnosis = RUNS.get(run)
    if why := refusal(diagnosis):
        raise InvalidInput(why)
    costs = _costs(card)
    given, name, notes = with_second(diagnosis, _table_of(table), roles, progress=progress)
    progress("compare", 0, 1)
    found = compare(given, "model", name)
    progress("compare", 1, 1)
    progress("write the report", 0, 1)
    noted = replace(found, notes=(*found.notes, *notes))
    write_comparison(given, noted, folder / FILES[0][0], second_lines(diagnosis, found, costs))
    comparison_table(given, found).to_csv(folder / FILES[1][0], index=False)
    write_json(folder / FILES[2][0], comparison_document(given, noted))
    progress("write the report", 1, 1)
    return SecondModel(given.probes[-1], found, notes, costs)


def _table_of(table: str | None) -> Path:
    if not table:
        raise InvalidInput(
            "Bring the second model's answers first: a table with the run's ids, the label, and predictions or "
            "probabilities, as `python -m core classify` writes it."
        )
    return Path(table)


def _costs(card: str | None) -> Any:
    if not card:
        return None
    from core.training.distillation.student_folder import read_costs  # torch: only where a card was given

    return read_costs(Path(card))


def on_compare(session: Session, table: str | None, card: str | None, *columns: str) -> Iterator[tuple[Any, ...]]:
    """Compare what was given; yields (job id, status, state, result, gallery, downloads)."""
    waiting, kept = render("second/waiting.html.j2"), "Your files are still here."
    nothing = [SecondState(session.run), waiting, "", *_no_files()]
    try:
        require_run(session)
        _table_of(table)
    except DiagnosisError as why:
        yield "", refused(FAILED, why), *nothing
        raise
    named = [str(column or "").strip() or None for column in columns]
    roles = Roles(id=named[0], label=named[1], prediction=named[2])
    folder = fresh_folder("second")
    job = Job(lambda progress: make_second(session.run, table, card, roles, folder, progress))

    def made(found: SecondModel) -> tuple[Any, ...]:
        state = SecondState(session.run, found)
        files = [gr.update(value=str(folder / name), interactive=True) for name, _ in FILES]
        return state, second_view(RUNS.get(session.run), found), _gallery(state), *files

    yield from follow(job, FAILED, *nothing, kept=kept, made=made)


def on_press(session: Session, state: SecondState, event: gr.EventData) -> tuple[Any, Any]:
    """A count of the result or a button of the gallery was pressed: returns (state, gallery)."""
    said = event_data(event)
    if state.second is None or state.run != session.run:
        raise InvalidInput("This comparison is of another run than the open one. Bring the table again.")
    if said.get("do") == "more":
        state = replace(state, shown=state.shown + MAX_PICTURES)
    elif said.get("do") == "kind":
        scope, kind = str(said.get("scope", "all"))[:16], str(said.get("kind", ""))[:12]
        state = replace(state, scope=scope, kind=kind, shown=MAX_PICTURES)
    return state, _gallery(state)


def _gallery(state: SecondState) -> Any:
    assert state.second is not None
    second = state.second
    shown = state.scope, state.shown
    view = gallery_view(RUNS.get(state.run), second.result, state.kind, *shown, other=second.called, explained=False)
    return gr.update(value=view, run=state.run)


def build(session: gr.State, tab: gr.Tab) -> None:
    """Lay out the tab and wire its callbacks."""
    state, job = gr.State(SecondState(), time_to_live=STATE_S), gr.State("")
    gr.HTML(render("second/intro.html.j2"), **PLAIN)
    with gr.Row(elem_classes="bring probe-row"):
        with gr.Column(scale=30, min_width=300):
            table = upload("The second model’s answers: a table with the same ids", TABLES, "second-table")
            card = upload("Of a student: its card, distilled.json (optional)", (".json",), "second-card")
            with gr.Accordion("Columns, if they have unusual names", open=False):
                columns = [
                    gr.Textbox(label=label, max_lines=1, elem_id=f"second-{name}")
                    for name, label in (("id", "Id"), ("label", "Label"), ("prediction", "Prediction"))
                ]
            with gr.Row():
                run = gr.Button("Compare", variant="primary", elem_id="second-run")
                cancel = gr.Button("Cancel", elem_id="second-cancel", scale=0, min_width=110, interactive=False)
            line = gr.HTML("", elem_id="second-status", **PLAIN)
        with gr.Column(scale=70, min_width=320):
            waiting = render("second/waiting.html.j2")
            result = gr.HTML(waiting, js_on_load=script("pane"), elem_id="second-result", **PLAIN)
    gallery = gr.HTML(
        "", run="", js_on_load=script("pane"), server_functions=[describe], elem_id="second-gallery", **PLAIN
    )
    _, buttons = download_row([(f"second-{Path(name).suffix[1:]}", title) for name, title in FILES])
    filled = [state, result, gallery, *buttons]
    tab.select(shows_errors(on_open), [session, state], [line, *filled], **QUICK)
    given = [session, table, card, *columns]
    run.click(shows_errors(on_compare), given, [job, line, *filled], **HEAVY, **PRIVATE)
    wire_cancel(cancel, job)
    for part in (result, gallery):
        part.act(shows_errors(on_press), [session, state], [state, gallery], **PRIVATE)
