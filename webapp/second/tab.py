"""Second model tab: answers that another model, such as a compressed one, fixes and breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from core.data.tables.roles import Roles
from core.errors import DiagnosisError, InvalidInput
from core.records import Diagnosis, ModelResult, Progress, other_models
from webapp.explore.new_run import wire_made
from webapp.explore.picked import show_selection
from webapp.explore.tab import View, describe
from webapp.markup.components import as_is_box, download_row, script, upload
from webapp.markup.render import empty, render
from webapp.markup.shares import kinds_of, rows_of_kind
from webapp.markup.two_models import MAX_PICTURES, gallery_view
from webapp.second import checkpoints
from webapp.second.kept import KIND, costs_of, id_of, keep, reopened
from webapp.second.view import SecondModel, second_view
from webapp.state.choices import TABLES
from webapp.state.downloads import csv_of, fresh_folder
from webapp.state.events import event_data
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, closing, follow, refused, wire_cancel
from webapp.state.query import view_of
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import NO_RUN, Session, require_run, shows_errors

FILES = (("beside.html", "Report (HTML)"), ("beside.csv", "Table (CSV)"), ("beside.json", "Results (JSON)"))
FAILED = "The comparison did not finish"
GONE = "Comparisons are kept for a day, until the server stops. Add the second model's table again and press Compare."
LOSSES_ALONE = (
    "This run has losses but no right and wrong answers, and losses of two models have no common scale. "
    "Diagnose a table with a label and predictions or probabilities."
)


@dataclass(frozen=True, slots=True, eq=False)
class SecondState:
    """The run shown, the second model, and the samples in the gallery."""

    run: str = ""
    second: SecondModel | None = None
    scope: str = "all"
    kind: str = "broken"
    shown: int = MAX_PICTURES
    beside: str = ""
    """Id of the requested comparison, found or not (webapp/second/kept.py)."""


def refusal(diagnosis: Diagnosis) -> str:
    """Return why the run cannot be compared (plain text), or ""."""
    if diagnosis.outcomes.errors is None:
        return LOSSES_ALONE
    return ""


def on_open(session: Session, state: SecondState) -> tuple[Any, ...]:
    """Show the tab: returns (status, state, result, gallery, downloads); nothing changes for the same run and
    comparison."""
    if not session.run:
        return "", SecondState(), empty(NO_RUN), "", *_no_files()
    if (state.run, state.beside) == (session.run, session.beside):
        return tuple(gr.skip() for _ in range(4 + len(FILES)))
    stored = reopened(session.run, session.beside)
    if stored:
        return "", *_shown(session.run, *stored)
    from core.checks.second_model import kept_errors  # scipy: not needed to start the page

    diagnosis = RUNS.get(session.run)
    why = refusal(diagnosis)
    compared = list(kept_errors(diagnosis))
    status = ""
    if session.beside:
        status = closing("This comparison no longer exists", GONE)
    result = render("second/waiting.html.j2", compared=compared)
    if why:
        result = empty(why, "This run cannot be compared")
    return status, SecondState(session.run, beside=session.beside), result, "", *_no_files()


def on_address(session: Session, state: SecondState) -> tuple[Any, ...]:
    """Open an address: as `on_open` if it names another comparison."""
    same = state.beside == session.beside
    if same:
        return tuple(gr.skip() for _ in range(4 + len(FILES)))
    return on_open(session, state)


def on_kept(session: Session, state: SecondState) -> tuple[Any, Any]:
    """Record a finished comparison in the page's address: returns (session, map)."""
    if state.second is None or state.run != session.run:
        return gr.skip(), gr.skip()
    session = replace(session, beside=state.beside)
    return session, gr.update(view=view_of(session))


def _shown(run: str, second: SecondModel, folder: Path) -> tuple[Any, ...]:
    """Return (state, result, gallery, downloads) of a comparison."""
    state = SecondState(run, second, beside=id_of(folder))
    files = [gr.update(value=str(folder / name), interactive=True) for name, _ in FILES]
    return state, second_view(RUNS.get(run), second), _gallery(state), *files


def _no_files() -> list[Any]:
    return [gr.update(interactive=False)] * len(FILES)


def make_second(
    run: str, table: str | None, card: str | None, roles: Roles, folder: Path, progress: Progress
) -> SecondModel:
    """Read the second model's answers, compare them with the run's, and write the downloads.

    Raises:
        InvalidInput: no table, an invalid table or card, or other samples.
    """
    from core.checks.compare import compare
    from core.checks.second_model import keep_errors, with_second
    from core.files import write_json
    from core.reports.comparison import comparison_section
    from core.reports.html.diagnosis import write_section
    from core.reports.tables.comparison import comparison_document, comparison_table
    from core.reports.wording.second_model import second_lines

    diagnosis = RUNS.get(run)
    why = refusal(diagnosis)
    if why:
        raise InvalidInput(why)
    costs = None
    if card:
        costs = costs_of(Path(card))
    with_answers, name, notes = with_second(diagnosis, _table_of(table), roles, progress=progress)
    progress("comparing", 0, 1)
    comparison = compare(with_answers, "model", name)
    progress("comparing", 1, 1)
    progress("writing the report", 0, 1)
    noted = replace(comparison, notes=(*comparison.notes, *notes))
    lead = second_lines(diagnosis, comparison, costs)
    write_section(with_answers, comparison_section(with_answers, noted), folder / FILES[0][0], lead)
    rows = comparison_table(with_answers, comparison)
    (folder / FILES[1][0]).write_bytes(csv_of(rows.columns, rows.itertuples(index=False)))
    write_json(folder / FILES[2][0], comparison_document(with_answers, noted))
    progress("writing the report", 1, 1)
    if not RUNS.is_example(run) and not RUNS.is_linked(run):  # its map and charts can then show them
        RUNS.change(run, lambda now: keep_errors(now, other_models(with_answers)[-1]))
    second = SecondModel(other_models(with_answers)[-1], comparison, notes, costs)
    keep(run, second, card, folder)
    return second


def _table_of(table: str | None) -> Path:
    if not table:
        raise InvalidInput(
            "No second model. Add a table with the run's ids, the label, and predictions or probabilities, "
            "as `python -m core classify` writes it."
        )
    return Path(table)


def on_compare(
    session: Session, table: str | None, card: str | None, as_is: bool, *columns: str
) -> Iterator[tuple[Any, ...]]:
    """Compare the added table; yields (job id, status, state, result, gallery, downloads)."""
    waiting = render("second/waiting.html.j2", compared=())
    reminder = "Your files are still here."
    nothing = [SecondState(session.run, beside=session.beside), waiting, "", *_no_files()]
    try:
        require_run(session)
        _table_of(table)
    except DiagnosisError as why:
        yield "", refused(FAILED, why), *nothing
        raise
    named = [str(column or "").strip() or None for column in columns]
    roles = Roles(id=named[0], label=named[1], prediction=named[2], as_is=as_is)
    folder = fresh_folder(KIND)
    job = Job(lambda progress: make_second(session.run, table, card, roles, folder, progress))
    yield from follow(
        job, FAILED, *nothing, reminder=reminder, outputs=lambda second: _shown(session.run, second, folder)
    )


def on_press(session: Session, state: SecondState, event: gr.EventData) -> tuple[Any, Any]:
    """Handle a press of a count or a gallery button: returns (state, gallery)."""
    payload = event_data(event)
    _of(session, state)
    if payload.get("do") == "more":
        state = replace(state, shown=state.shown + MAX_PICTURES)
    elif payload.get("do") == "kind":
        scope = str(payload.get("scope", "all"))[:16]
        kind = str(payload.get("kind", ""))[:12]
        state = replace(state, scope=scope, kind=kind, shown=MAX_PICTURES)
    return state, _gallery(state)


def _can_look(state: SecondState) -> list[Any]:
    return [gr.update(interactive=state.second is not None)] * 2


def on_usable(session: Session) -> Any:
    """Return the button Compare, disabled if the open run cannot be compared."""
    return gr.update(interactive=bool(session.run) and not refusal(RUNS.get(session.run)))


def _of(session: Session, state: SecondState) -> SecondModel:
    """Return the comparison shown; raises InvalidInput if it belongs to another run."""
    if state.second is None or state.run != session.run:
        raise InvalidInput("This comparison belongs to another run. Add the table again.")
    return state.second


def on_mapped(session: Session, state: SecondState) -> tuple[Any, ...]:
    """Show the gallery's samples on the map: returns (tabs, session, pane, map)."""
    result = _of(session, state).result
    diagnosis = require_run(session)
    places = rows_of_kind(diagnosis, result, state.kind, state.scope)
    if not len(places):
        raise InvalidInput("No samples to show. Press another count.")
    title = f"{dict(kinds_of(diagnosis, result)).get(state.kind, 'Samples')}: {result.name}"
    following = session.only(rows=tuple(result.rows[places].tolist()), title=title)
    return gr.update(selected="explore"), *show_selection(following)


def on_worse(session: Session, state: SecondState) -> Iterator[tuple[Any, ...]]:
    """Find where the second model is worse by more than elsewhere; yields (job id, status, new run)."""
    result = _of(session, state).result
    diagnosis = require_run(session)
    job = Job(lambda progress: find_worse(diagnosis, result, progress))
    yield from follow(job, "The diagnosis did not finish", "", done="The result is in the list of runs.")


def find_worse(diagnosis: Diagnosis, result: ModelResult, progress: Progress) -> str:
    """Diagnose the difference of the two models' errors and store it as a run; returns its id."""
    RUNS.require_room()
    from core.checks.second_model import diagnose_regressions
    from core.discovery.settings import Settings

    run_settings = diagnosis.settings
    settings = Settings(alpha=float(run_settings.get("alpha", 0.05)), seed=int(run_settings.get("seed", 0)))
    return RUNS.add(diagnose_regressions(diagnosis, result, settings=settings, progress=progress), progress)


def _gallery(state: SecondState) -> Any:
    assert state.second is not None
    second = state.second
    shown = state.scope, state.shown
    view = gallery_view(RUNS.get(state.run), second.result, state.kind, *shown, other=second.called, explained=False)
    return gr.update(value=view, run=state.run)


def build(
    session: gr.State, view: View, tabs: gr.Tabs, tab: gr.Tab, examples: list[tuple[str, str]]
) -> Callable[[Callable[..., Any]], None]:
    """Lay out the tab and wire its callbacks; returns a function that opens an address's comparison after an event."""
    state = gr.State(SecondState(), time_to_live=STATE_S)
    job = gr.State("")
    gr.HTML(render("second/intro.html.j2"), **PLAIN)
    with gr.Row(elem_classes="bring probe-row"):
        with gr.Column(scale=30, min_width=300):
            table = upload("The second model’s answers: a table with the same ids", TABLES, "second-table")
            card = upload("Card of a student, distilled.json (optional)", (".json",), "second-card")
            with gr.Accordion("Columns with unusual names", open=False):
                columns = list[gr.Textbox]()
                for name in ("id", "label", "prediction"):
                    columns.append(gr.Textbox(label=name.capitalize(), max_lines=1, elem_id=f"second-{name}"))
            as_is = as_is_box("second-as-is")
            with gr.Row():
                run = gr.Button("Compare", variant="primary", elem_id="second-run")
                cancel = gr.Button("Cancel", elem_id="second-cancel", scale=0, min_width=110, interactive=False)
            line = gr.HTML("", elem_id="second-status", **PLAIN)
        with gr.Column(scale=70, min_width=320):
            waiting = render("second/waiting.html.j2", compared=())
            result = gr.HTML(waiting, js_on_load=script("pane"), elem_id="second-result", **PLAIN)
    gallery = gr.HTML(
        "", run="", js_on_load=script("pane"), server_functions=[describe], elem_id="second-gallery", **PLAIN
    )
    with gr.Row(elem_classes="made-row"):
        usable: dict[str, Any] = {"interactive": False, "scale": 0, "min_width": 210}
        mapped = gr.Button("Show these on the map", elem_id="second-map", **usable)
        worse = gr.Button("Find where it is worse", elem_id="second-worse", **usable)
        stop = gr.Button("Cancel", elem_id="second-worse-cancel", interactive=False, scale=0, min_width=110)
    looking = gr.HTML(
        "", elem_id="second-worse-status", **PLAIN
    )  # beside its button, because the other status is out of sight
    _, buttons = download_row([(f"second-{Path(name).suffix[1:]}", title) for name, title in FILES])
    filled = [state, result, gallery, *buttons]
    opened = tab.select(shows_errors(on_open), [session, state], [line, *filled], **QUICK)
    opened.then(_can_look, [state], [mapped, worse], **QUICK)
    opened.then(shows_errors(on_usable), [session], [run], **QUICK)
    inputs = [session, table, card, as_is, *columns]
    compared = run.click(shows_errors(on_compare), inputs, [job, line, *filled], **HEAVY, **PRIVATE)
    compared.success(shows_errors(on_kept), [session, state], [session, view.failure_map], **QUICK)
    wire_cancel(cancel, job)
    for part in (result, gallery):
        part.act(shows_errors(on_press), [session, state], [state, gallery], **PRIVATE)
    state.change(_can_look, [state], [mapped, worse], **PRIVATE)
    picked = [tabs, session, view.pane, view.failure_map]
    mapped.click(shows_errors(on_mapped), [session, state], picked, **QUICK)
    _wire_worse(session, state, [worse, stop, looking], view, tabs, examples)
    checkpoints.build(session, tab)

    def after(event: Callable[..., Any]) -> None:
        shown = event(shows_errors(on_address), [session, state], [line, *filled], **QUICK)
        shown.then(_can_look, [state], [mapped, worse], **QUICK)

    return after


def _wire_worse(
    session: gr.State, state: gr.State, parts: list[Any], view: View, tabs: gr.Tabs, examples: list[tuple[str, str]]
) -> None:
    """Wire the button that diagnoses the difference.

    Args:
        parts: the button, its Cancel button, and the status.
    """
    worse, stop, line = parts
    job = gr.State("")
    new_run = gr.State("")
    wire_cancel(stop, job)
    done = worse.click(shows_errors(on_worse), [session, state], [job, line, new_run], **HEAVY, **PRIVATE)
    wire_made(done, new_run, (session, view, tabs), began="second", what="Where it is worse", others=examples)
