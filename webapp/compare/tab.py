"""The place Compare: a new model, checkpoints, or new data beside the open run, by one upload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.errors import DiagnosisError, InvalidInput
from core.records import Progress
from webapp.compare.verdict import NEW_DATA, NEW_MODEL, TITLES, SecondModel, Verdict
from webapp.compare.view import chart_of, verdict_view
from webapp.compare.work import KIND, brought, compare_brought, reopened, verdicts_of
from webapp.explore.new_run import wire_made
from webapp.explore.picked import show_selection
from webapp.explore.tab import describe
from webapp.markup.components import as_is_box, download_row, script, upload
from webapp.markup.render import empty, render
from webapp.markup.shares import kinds_of, rows_of_kind
from webapp.markup.two_models import MAX_PICTURES, gallery_view
from webapp.panels import Opening, Page
from webapp.state.choices import IMAGES, TABLES, VECTORS
from webapp.state.downloads import fresh_folder
from webapp.state.events import event_data
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, closing, follow, refused, wire_cancel
from webapp.state.query import view_of
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import NO_RUN, Session, require_run, shows_errors

if TYPE_CHECKING:
    from core.checks.which_comparison import ComparisonKind

FILES = (("comparison.html", "Report (HTML)"), ("comparison.csv", "Table (CSV)"), ("comparison.json", "Results (JSON)"))
FAILED = "The comparison did not finish"
GONE = "Comparisons are kept for a day, until the server stops. Add the second model's table again and press Compare."
REMINDER = "Your files are still here."
HIDDEN: dict[str, Any] = gr.update(visible=False)
NO_FILES = [HIDDEN] * (1 + len(FILES))
"""The row of downloads and its buttons, hidden."""
CHOICES = [("Decide by ids", ""), *((title, kind) for kind, title in TITLES.items())]


@dataclass(frozen=True, slots=True, eq=False)
class CompareState:
    """The run shown, its finished comparisons, and which of them stands open."""

    run: str = ""
    beside: str = ""
    """Id of the requested comparison, found or not (webapp/compare/work.py)."""
    cluster: int | None = None
    """The group picked in Findings."""
    verdicts: Mapping[ComparisonKind, Verdict] = field(default_factory=dict)
    """The latest of each kind."""
    open: ComparisonKind = NEW_DATA
    scope: str = "all"
    kind: str = "broken"
    shown: int = MAX_PICTURES

    @property
    def verdict(self) -> Verdict | None:
        """The open comparison."""
        return self.verdicts.get(self.open)

    @property
    def second(self) -> SecondModel | None:
        """The second model, if its comparison is open."""
        if self.verdict is None or not isinstance(self.verdict.result, SecondModel):
            return None
        return self.verdict.result


def on_open(session: Session, state: CompareState) -> tuple[Any, ...]:
    """Show the place: returns (status, then what `_shown` gives). What was compared in this visit stays; what the run
    comes with, or the address names, is shown otherwise; the frozen findings without either."""
    if not session.run:
        return "", CompareState(), gr.update(value=empty(NO_RUN), link=""), HIDDEN, "", HIDDEN, *NO_FILES
    same = (state.run, state.beside) == (session.run, session.beside)
    if same and state.cluster == session.cluster:
        return tuple(gr.skip() for _ in range(7 + len(FILES)))
    status = ""
    if not same:
        verdicts = dict(state.verdicts)
        if state.run != session.run:
            verdicts = verdicts_of(session.run)
        stored = reopened(session.run, session.beside)
        if stored:
            second, folder = stored
            verdicts[NEW_MODEL] = Verdict(NEW_MODEL, second, "", folder, session.beside)
        elif session.beside:
            status = closing("This comparison no longer exists", GONE)
        latest = NEW_DATA
        if NEW_MODEL in verdicts and (stored or NEW_DATA not in verdicts):
            latest = NEW_MODEL
        state = CompareState(session.run, session.beside, verdicts=verdicts, open=latest)
    if session.cluster is not None and not session.beside:
        state = replace(state, open=NEW_DATA)  # the visitor asks whether the group holds on new data
    return status, *_shown(replace(state, cluster=session.cluster))


def on_reopen(session: Session, state: CompareState) -> tuple[Any, ...]:
    """Show the place, and empty its form of what was added for another run: returns (what `on_open` gives, then the
    files, embeddings, and card)."""
    form: list[Any] = [gr.skip()] * 3
    if state.run not in ("", session.run):
        form = [None] * 3
    return *on_open(session, state), *form


def _shown(state: CompareState) -> tuple[Any, ...]:
    """Return (state, result, chart, gallery, what a second model allows, downloads)."""
    diagnosis = RUNS.get(state.run)
    verdict = state.verdict
    kinds: list[ComparisonKind] = []
    for kind in TITLES:
        if kind == NEW_DATA or kind in state.verdicts:
            kinds.append(kind)
    view = verdict_view(diagnosis, verdict, state.cluster, kinds)
    result = gr.update(value=view, run=state.run, link=RUNS.link(state.run))
    drawn = chart_of(diagnosis, verdict)
    chart = gr.update(value=drawn, visible=drawn is not None)
    gallery: Any = ""
    second = HIDDEN
    if state.second is not None:
        gallery = _gallery(state, state.second)
        second = gr.update(visible=True)
    downloads = list(NO_FILES)
    if verdict is not None and verdict.folder is not None:
        downloads[0] = gr.update(visible=True)
        for place, (name, _) in enumerate(FILES, 1):
            path = verdict.folder / name
            if path.is_file():
                downloads[place] = gr.update(value=str(path), interactive=True, visible=True)
    return state, result, chart, gallery, second, *downloads


def on_compare(
    session: Session,
    state: CompareState,
    files: Sequence[str] | None,
    chosen: str,
    vectors: str | None,
    card: str | None,
    as_is: bool,
    *columns: str,
) -> Iterator[tuple[Any, ...]]:
    """Compare what was added; yields (job id, status, then what `_shown` gives). Meanwhile what is shown stays."""
    nothing = [gr.skip() for _ in range(6 + len(FILES))]
    try:
        require_run(session)
        added = brought(files, chosen, vectors, card, as_is, *columns)
    except DiagnosisError as why:
        yield "", refused(FAILED, why, REMINDER), *nothing
        raise
    folder = fresh_folder(KIND)
    job = Job(lambda progress: compare_brought(session, added, folder, progress))

    def outputs(verdict: Verdict) -> tuple[Any, ...]:
        verdicts: dict[ComparisonKind, Verdict] = {verdict.kind: verdict}
        if state.run == session.run:
            verdicts = {**state.verdicts, **verdicts}
        beside = verdict.beside or session.beside
        return _shown(CompareState(session.run, beside, session.cluster, verdicts, verdict.kind))

    yield from follow(job, FAILED, *nothing, reminder=REMINDER, outputs=outputs)


def on_kept(session: Session, state: CompareState) -> tuple[Any, Any]:
    """Record a finished comparison in the page's address: returns (session, map)."""
    if state.second is None or state.run != session.run:
        return gr.skip(), gr.skip()
    session = replace(session, beside=state.beside)
    return session, gr.update(view=view_of(session))


def on_press(session: Session, state: CompareState, event: gr.EventData) -> tuple[Any, ...]:
    """Handle a press of a verdict's name, a count, or a gallery button: returns what `_shown` gives."""
    payload = event_data(event)
    do = payload.get("do")
    if do == "show":
        if state.run != session.run:
            return on_open(session, state)[1:]
        kind = next((kind for kind in TITLES if kind == payload.get("kind")), NEW_DATA)
        return _shown(replace(state, open=kind))
    second = _second_of(session, state)
    if do == "more":
        state = replace(state, shown=state.shown + MAX_PICTURES)
    elif do == "kind":
        scope = str(payload.get("scope", "all"))[:16]
        state = replace(state, scope=scope, kind=str(payload.get("kind", ""))[:12], shown=MAX_PICTURES)
    return state, gr.skip(), gr.skip(), _gallery(state, second), *(gr.skip() for _ in range(2 + len(FILES)))


def _second_of(session: Session, state: CompareState) -> SecondModel:
    """Return the second model shown; raises InvalidInput if it belongs to another run."""
    if state.second is None or state.run != session.run:
        raise InvalidInput("This comparison belongs to another run. Add the table again.")
    return state.second


def on_mapped(session: Session, state: CompareState) -> tuple[Any, ...]:
    """Show the gallery's samples on the map: returns (tabs, session, pane, map)."""
    result = _second_of(session, state).result
    diagnosis = require_run(session)
    places = rows_of_kind(diagnosis, result, state.kind, state.scope)
    if not len(places):
        raise InvalidInput("No samples to show. Press another count.")
    title = f"{dict(kinds_of(diagnosis, result)).get(state.kind, 'Samples')}: {result.name}"
    following = session.only(rows=tuple(result.rows[places].tolist()), title=title)
    return gr.update(selected="explore"), *show_selection(following)


def on_worse(session: Session, state: CompareState) -> Iterator[tuple[Any, ...]]:
    """Find where the second model is worse by more than elsewhere; yields (job id, status, id of the new run)."""
    result = _second_of(session, state).result
    diagnosis = require_run(session)

    def work(progress: Progress) -> str:
        RUNS.require_room()
        from core.checks.second_model import diagnose_regressions
        from core.discovery.settings import Settings

        chosen = diagnosis.settings
        settings = Settings(alpha=float(chosen.get("alpha", 0.05)), seed=int(chosen.get("seed", 0)))
        return RUNS.add(diagnose_regressions(diagnosis, result, settings=settings, progress=progress), progress)

    yield from follow(Job(work), "The diagnosis did not finish", "", done="The result is in the list of runs.")


def _gallery(state: CompareState, second: SecondModel) -> Any:
    shown = state.scope, state.shown
    view = gallery_view(RUNS.get(state.run), second.result, state.kind, *shown, other=second.called, explained=False)
    return gr.update(value=view, run=state.run)


def build(page: Page, opening: Opening) -> None:
    """Lay out the place and wire its callbacks."""
    session = page.session
    state = gr.State(CompareState(), time_to_live=STATE_S)
    job = gr.State("")
    with gr.Row(elem_classes="bring probe-row compare"):
        with gr.Column(scale=70, min_width=320):
            result = _pane("compare-result", "of_run", link="")
            chart = gr.Plot(visible=False, show_label=False, elem_id="compare-chart")
        with gr.Column(scale=30, min_width=300):
            gr.HTML(render("compare/intro.html.j2"), **PLAIN)
            files = upload(
                "Tables, and a zip of images", (*TABLES, *IMAGES), "compare-files", 130, file_count="multiple"
            )
            chosen = gr.Dropdown(CHOICES, value="", label="These are", elem_id="compare-these-are")
            with gr.Accordion("More options", open=False):
                card = upload("Card of a student, distilled.json", (".json",), "compare-card")
                vectors = upload("Your own embeddings, of new data", VECTORS, "compare-vectors")
                inputs: list[Any] = [files, chosen, vectors, card]
                columns = list[gr.Textbox]()
                for name in ("id", "label", "prediction"):
                    columns.append(gr.Textbox(label=f"Column of the {name}", max_lines=1, elem_id=f"compare-{name}"))
                inputs += [as_is_box("compare-as-is"), *columns]
            with gr.Row():
                run = gr.Button("Compare", variant="primary", elem_id="compare-run")
                cancel = gr.Button("Cancel", elem_id="compare-cancel", scale=0, min_width=110, interactive=False)
            line = gr.HTML("", elem_id="compare-status", **PLAIN)
    gallery = _pane("compare-gallery")
    with gr.Row(elem_classes="made-row", visible=False) as second:
        mapped = gr.Button("Show these on the map", elem_id="compare-map", scale=0, min_width=210)
        worse = gr.Button("Find where it is worse", elem_id="compare-worse", scale=0, min_width=210)
        stop = gr.Button("Cancel", elem_id="compare-worse-cancel", interactive=False, scale=0, min_width=110)
    looking = gr.HTML("", elem_id="compare-worse-status", **PLAIN)  # beside its button, as the other is out of sight
    downloads, buttons = download_row([(name.replace(".", "-"), title) for name, title in FILES], visible=False)
    filled = [state, result, chart, gallery, second, downloads, *buttons]
    opened = [line, *filled, files, vectors, card]
    opening.select(shows_errors(on_reopen), [session, state], opened, **QUICK)
    compared = run.click(shows_errors(on_compare), [session, state, *inputs], [job, line, *filled], **HEAVY, **PRIVATE)
    kept = compared.success(shows_errors(on_kept), [session, state], [session, page.view.failure_map], **QUICK)
    kept.then(shows_errors(on_open), [session, state], [line, *filled], **QUICK)  # another run was opened meanwhile
    wire_cancel(cancel, job)
    for part in (result, gallery):
        part.act(shows_errors(on_press), [session, state], filled, **PRIVATE)
    picked = [page.tabs, session, page.view.pane, page.view.failure_map]
    mapped.click(shows_errors(on_mapped), [session, state], picked, **QUICK)
    worse_job = gr.State("")
    new_run = gr.State("")
    wire_cancel(stop, worse_job)
    done = worse.click(shows_errors(on_worse), [session, state], [worse_job, looking, new_run], **HEAVY, **PRIVATE)
    parts = (session, page.view, page.tabs)
    wire_made(done, new_run, parts, began="compare", what="Where it is worse", others=page.examples)


def _pane(elem_id: str, *scripts: str, **props: str) -> gr.HTML:
    js = script("pane", *scripts)
    return gr.HTML("", run="", js_on_load=js, server_functions=[describe], elem_id=elem_id, **props, **PLAIN)
