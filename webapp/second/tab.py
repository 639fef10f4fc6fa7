"""Second model tab: what another model, such as a compressed one, breaks and mends of the open run's."""

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
GONE = (
    "The server holds a comparison for a day at most, and not after its data were deleted or it was stopped. "
    "Bring the second model's table again and press Compare."
)
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
    beside: str = ""
    """Id of the comparison, shown or looked for in vain, see webapp/second/kept.py."""


def refusal(diagnosis: Diagnosis) -> str:
    """Why no model can be set beside that of the run (plain text); "" where one can."""
    return LOSSES_ALONE if diagnosis.outcomes.errors is None else ""


def on_open(session: Session, state: SecondState) -> tuple[Any, ...]:
    """The tab is shown: returns (status, state, result, gallery, downloads); nothing changes as long as run and
    comparison are the same."""
    if not session.run:
        return "", SecondState(), empty(NO_RUN), "", *_no_files()
    if (state.run, state.beside) == (session.run, session.beside):
        return tuple(gr.skip() for _ in range(4 + len(FILES)))
    if found := reopened(session.run, session.beside):
        return "", *_shown(session.run, *found)
    from core.checks.second_model import kept_errors  # scipy: not needed to start the page

    diagnosis = RUNS.get(session.run)
    why = refusal(diagnosis)
    kept = list(kept_errors(diagnosis))
    return (
        closing("The comparison of this link is gone", GONE) if session.beside else "",
        SecondState(session.run, beside=session.beside),
        empty(why, "No second model for this run") if why else render("second/waiting.html.j2", kept=kept),
        "",
        *_no_files(),
    )


def on_address(session: Session, state: SecondState) -> tuple[Any, ...]:
    """An address was opened: as `on_open` where it names another comparison than the one that is shown."""
    same = state.beside == session.beside
    return tuple(gr.skip() for _ in range(4 + len(FILES))) if same else on_open(session, state)


def on_kept(session: Session, state: SecondState) -> tuple[Any, Any]:
    """A comparison was made: returns (session, map), by which the page's address names it."""
    if state.second is None or state.run != session.run:
        return gr.skip(), gr.skip()
    session = replace(session, beside=state.beside)
    return session, gr.update(view=view_of(session))


def _shown(run: str, second: SecondModel, folder: Path) -> tuple[Any, ...]:
    """(state, result, gallery, downloads) of a comparison."""
    state = SecondState(run, second, beside=id_of(folder))
    files = [gr.update(value=str(folder / name), interactive=True) for name, _ in FILES]
    return state, second_view(RUNS.get(run), second), _gallery(state), *files


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
    from core.checks.second_model import keep_errors, with_second
    from core.files import write_json
    from core.reports.html.diagnosis import write_comparison
    from core.reports.tables.comparison import comparison_document, comparison_table
    from core.reports.wording.second_model import second_lines

    diagnosis = RUNS.get(run)
    if why := refusal(diagnosis):
        raise InvalidInput(why)
    costs = costs_of(Path(card)) if card else None
    given, name, notes = with_second(diagnosis, _table_of(table), roles, progress=progress)
    progress("compare", 0, 1)
    found = compare(given, "model", name)
    progress("compare", 1, 1)
    progress("write the report", 0, 1)
    noted = replace(found, notes=(*found.notes, *notes))
    write_comparison(given, noted, folder / FILES[0][0], second_lines(diagnosis, found, costs))
    told = comparison_table(given, found)
    (folder / FILES[1][0]).write_bytes(csv_of(told.columns, told.itertuples(index=False)))
    write_json(folder / FILES[2][0], comparison_document(given, noted))
    progress("write the report", 1, 1)
    if not RUNS.is_example(run) and not RUNS.is_linked(run):  # its map and charts then know them
        RUNS.change(run, lambda now: keep_errors(now, other_models(given)[-1]))
    second = SecondModel(other_models(given)[-1], found, notes, costs)
    keep(run, second, card, folder)
    return second


def _table_of(table: str | None) -> Path:
    if not table:
        raise InvalidInput(
            "Bring the second model's answers first: a table with the run's ids, the label, and predictions or "
            "probabilities, as `python -m core classify` writes it."
        )
    return Path(table)


def on_compare(
    session: Session, table: str | None, card: str | None, as_is: bool, *columns: str
) -> Iterator[tuple[Any, ...]]:
    """Compare what was given; yields (job id, status, state, result, gallery, downloads)."""
    waiting = render("second/waiting.html.j2", kept=())
    kept = "Your files are still here."
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
    yield from follow(job, FAILED, *nothing, reminder=kept, outputs=lambda found: _shown(session.run, found, folder))


def on_press(session: Session, state: SecondState, event: gr.EventData) -> tuple[Any, Any]:
    """A count of the result or a button of the gallery was pressed: returns (state, gallery)."""
    said = event_data(event)
    _of(session, state)
    if said.get("do") == "more":
        state = replace(state, shown=state.shown + MAX_PICTURES)
    elif said.get("do") == "kind":
        scope = str(said.get("scope", "all"))[:16]
        kind = str(said.get("kind", ""))[:12]
        state = replace(state, scope=scope, kind=kind, shown=MAX_PICTURES)
    return state, _gallery(state)


def _can_look(state: SecondState) -> list[Any]:
    return [gr.update(interactive=state.second is not None)] * 2


def on_usable(session: Session) -> Any:
    """Returns Compare: out of use where no model can be set beside that of the open run."""
    return gr.update(interactive=bool(session.run) and not refusal(RUNS.get(session.run)))


def _of(session: Session, state: SecondState) -> SecondModel:
    """The comparison that is shown; raises InvalidInput where it is none of the open run."""
    if state.second is None or state.run != session.run:
        raise InvalidInput("This comparison is of another run than the open one. Bring the table again.")
    return state.second


def on_mapped(session: Session, state: SecondState) -> tuple[Any, ...]:
    """Show the samples that are looked at on the map: returns (tabs, session, pane, map)."""
    result = _of(session, state).result
    diagnosis = require_run(session)
    places = rows_of_kind(diagnosis, result, state.kind, state.scope)
    if not len(places):
        raise InvalidInput("There is no such sample. Press another count first.")
    title = f"{dict(kinds_of(diagnosis, result)).get(state.kind, 'Samples')}: {result.name}"
    following = session.only(rows=tuple(result.rows[places].tolist()), title=title)
    return gr.update(selected="explore"), *show_selection(following)


def on_worse(session: Session, state: SecondState) -> Iterator[tuple[Any, ...]]:
    """Find where the second model is worse by more than elsewhere; yields (job id, status, the new run)."""
    result = _of(session, state).result
    diagnosis = require_run(session)
    job = Job(lambda progress: find_worse(diagnosis, result, progress))
    yield from follow(job, "The diagnosis did not finish", "", done="Where it is worse stands in the list of runs.")


def find_worse(diagnosis: Diagnosis, result: ModelResult, progress: Progress) -> str:
    """Diagnose the difference of the two models' errors and store it as a run; returns its id."""
    RUNS.require_room()
    from core.checks.second_model import diagnose_regressions
    from core.discovery.settings import Settings

    given = diagnosis.settings
    settings = Settings(alpha=float(given.get("alpha", 0.05)), seed=int(given.get("seed", 0)))
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
    """Lay out the tab and wire its callbacks; returns what opens an address's comparison after such an event."""
    state = gr.State(SecondState(), time_to_live=STATE_S)
    job = gr.State("")
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
            as_is = as_is_box("second-as-is")
            with gr.Row():
                run = gr.Button("Compare", variant="primary", elem_id="second-run")
                cancel = gr.Button("Cancel", elem_id="second-cancel", scale=0, min_width=110, interactive=False)
            line = gr.HTML("", elem_id="second-status", **PLAIN)
        with gr.Column(scale=70, min_width=320):
            waiting = render("second/waiting.html.j2", kept=())
            result = gr.HTML(waiting, js_on_load=script("pane"), elem_id="second-result", **PLAIN)
    gallery = gr.HTML(
        "", run="", js_on_load=script("pane"), server_functions=[describe], elem_id="second-gallery", **PLAIN
    )
    with gr.Row(elem_classes="made-row"):
        usable: dict[str, Any] = {"interactive": False, "scale": 0, "min_width": 210}
        mapped = gr.Button("Show these on the map", elem_id="second-map", **usable)
        worse = gr.Button("Find where it is worse", elem_id="second-worse", **usable)
        stop = gr.Button("Cancel", elem_id="second-worse-cancel", interactive=False, scale=0, min_width=110)
    looking = gr.HTML("", elem_id="second-worse-status", **PLAIN)  # beside its button: the other line is out of sight
    _, buttons = download_row([(f"second-{Path(name).suffix[1:]}", title) for name, title in FILES])
    filled = [state, result, gallery, *buttons]
    opened = tab.select(shows_errors(on_open), [session, state], [line, *filled], **QUICK)
    opened.then(_can_look, [state], [mapped, worse], **QUICK)
    opened.then(shows_errors(on_usable), [session], [run], **QUICK)
    given = [session, table, card, as_is, *columns]
    made = run.click(shows_errors(on_compare), given, [job, line, *filled], **HEAVY, **PRIVATE)
    made.success(shows_errors(on_kept), [session, state], [session, view.failure_map], **QUICK)
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
    """The button that diagnoses the difference.

    Args:
        parts: the button, the one that stops it, and the line on how it goes.
    """
    worse, stop, line = parts
    job = gr.State("")
    made = gr.State("")
    wire_cancel(stop, job)
    done = worse.click(shows_errors(on_worse), [session, state], [job, line, made], **HEAVY, **PRIVATE)
    wire_made(done, made, (session, view, tabs), began="second", what="Where it is worse", others=examples)
