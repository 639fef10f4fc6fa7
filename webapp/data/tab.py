"""Your data tab: bring a table with images or embeddings, correct the roles of its columns, run, and stop if
wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.data.tables.roles import LOSS_KINDS, Roles
from core.errors import DiagnosisError, InvalidInput
from core.records.ledger import AS_IS
from core.reports.wording.understood import AS_UNDERSTOOD, rows_as_understood
from webapp.data.run import AUTOMATIC, DRAWN, HIDDEN, make_run
from webapp.data.runs import OWN_RUNS, own_ids
from webapp.explore.new_run import wire_made
from webapp.explore.patches import prune_patches
from webapp.explore.tab import View
from webapp.failure_map import map_points
from webapp.markup.components import as_is_box, upload
from webapp.markup.render import render
from webapp.state.boxes import on_page
from webapp.state.choices import (
    IMAGES,
    OF_DATA,
    PHRASES,
    ROLE_NAMES,
    SEVERAL_ROLES,
    SINGLE_ROLES,
    TABLES,
    VECTORS,
    Column,
    data_sets,
    recognized,
    roles_from,
)
from webapp.state.forget import forget_visit
from webapp.state.jobs import HEAVY, JOBS, PLAIN, PRIVATE, QUICK, closing, follow, on_wait, refused, wire_cancel
from webapp.state.runs import RUNS
from webapp.state.session import Session, shows_errors
from webapp.state.visitor import address, visitor

if TYPE_CHECKING:
    from core.data.samples import TableDescription

WITHIN_NOTE = (
    "Name beforehand the classes you care about: these and all samples as a whole are searched, and you do not pay for "
    "the other classes, so smaller failures can be found. None named: every class is searched. Whoever names them "
    "after a look at the results has looked at all of them."
)
HIDDEN_NOTE = (
    "What is found in the rest is frozen and then tried on the hidden part: whatever was luck does not come back."
)


def on_table(table: str | None) -> tuple[Any, ...]:
    """A table was chosen: returns (columns, columns table, the tick for a table that looks wrong, the classes to search
    inside, then one dropdown for each of ROLE_NAMES)."""
    held = _look(table)
    columns: Sequence[Column] = held.columns if held else ()
    found = recognized(columns)
    names = [name for name, _, _ in columns]
    several = dict(SEVERAL_ROLES)
    return (
        tuple(columns),
        _shown(columns, held),
        _tick(held, value=False),  # it was said of the table before
        _classes(held),
        *(
            gr.update(choices=names, value=found.get(role, []))
            if role in several
            else gr.update(choices=[("–", ""), *zip(names, names)], value=found.get(role, ""))
            for role in ROLE_NAMES
        ),
    )


def on_label(table: str | None, label: str | None) -> Any:
    """Another column is the label: returns the classes to search inside."""
    return _classes(_look(table, Roles(label=label or None)))


def on_roles(table: str | None, columns: Sequence[Column], higher: bool, *picked: Any) -> tuple[str, Any]:
    """A role was corrected: returns the columns table with each column as it will now be taken and rows read so, and
    the tick for a table that looks wrong.

    Args:
        columns: as recognized.
        higher: the loss column is a score.
        picked: what stands in the dropdowns, in the order of ROLE_NAMES.
    """
    roles: dict[str, str] = {}
    for role, value in zip(ROLE_NAMES, picked):
        roles |= dict.fromkeys([value] if isinstance(value, str) else value or [], role)
    shown = [(name, roles.get(name, "" if role in ROLE_NAMES else role), examples) for name, role, examples in columns]
    try:
        roles_ = roles_from(dict(zip(ROLE_NAMES, picked)), recognized(columns), loss_kind=None, higher_is_better=higher)
    except InvalidInput:  # one mask of two as yet
        return _shown(shown, None), _tick(None)
    held = _look(table, roles_)
    return _shown(shown, held), _tick(held)


def _look(table: str | None, roles: Roles = Roles()) -> TableDescription | None:
    if not table:
        return None
    from core.data.samples import describe_table  # pandas

    return JOBS.look(lambda progress: describe_table(table, roles=roles, progress=progress))


def _shown(columns: Sequence[Column], held: TableDescription | None) -> str:
    """The columns with their roles, what the desk says of them, and five rows as they are understood."""
    if not columns:
        return render("data/hint.html.j2")
    rows = rows_as_understood(*held.read) if held and held.read else []
    doubts, notes = (held.doubts, held.notes) if held else ((), ())
    return render(
        "data/columns.html.j2",
        columns=columns,
        rows=rows,
        as_understood=AS_UNDERSTOOD,
        stops="This looks like a mistake, and stops a run" if rows else "This stops a run",
        doubts=[on_page(doubt) for doubt in doubts],
        notes=[on_page(note) for note in notes],
    )


def _tick(held: TableDescription | None, **also: Any) -> Any:
    """ "Take the table as it is", shown where the table can be read and looks wrong; out of sight it is not set."""
    looks_wrong = bool(held and held.read and held.doubts)
    return gr.update(visible=True, **also) if looks_wrong else gr.update(visible=False, value=False)


def _classes(held: TableDescription | None) -> Any:
    """The classes of a table that are large enough to be searched, with their rows; none is chosen."""
    from core.discovery.design import searchable

    sizes = held.classes if held else {}
    return gr.update(choices=[(f"{name} ({sizes[name]:,} rows)", name) for name in searchable(sizes)], value=[])


def on_run(columns: Sequence[Column], root: Path | None, *said: Any) -> Iterator[tuple[Any, str, str]]:
    """Run what stands in the form; yields (job id, status, run id), the run id empty until the run has ended well."""
    kept = "Your files and choices are still here."
    done = "The result stands in the list of runs."
    try:
        job = make_run(columns, root, *said)
    except DiagnosisError as why:
        yield "", refused("The run did not begin", why, kept), ""
        raise
    except Exception:
        yield "", closing("The run did not begin", kept), ""
        raise
    yield from follow(job, "The run did not finish", "", reminder=kept, done=done)


def refine_map(run: str) -> Iterator[bool]:
    """Wait for the better map of a run that has just ended (`draw_map`); yields whether it is there."""
    if drawing := DRAWN.get(run):
        while wait([drawing], 1.0).not_done:
            yield False
        drawing.result()
    if run:
        yield RUNS.get(run).map.method == "umap"


def on_refined(session: Session, run: str, ready: bool) -> tuple[Any, Any]:
    """Returns (session, map) with the better map, if its run is still the open one; an outline on the old map is
    dropped."""
    if not ready or run != session.run:
        return gr.skip(), gr.skip()
    return replace(session, polygon=()), gr.update(value=map_points(RUNS.get(run), run))


def on_forget(own: str = "", *brought: str | list[str] | None) -> str:
    """Delete all that this visit brought and made at once, and what other tabs of its browser made; returns the status.

    Args:
        own: the ids of runs that the browser keeps, as JSON.
    """
    RUNS.adopt(own_ids(own))
    paths = [path for value in brought if value for path in ([value] if isinstance(value, str) else value)]
    forget_visit(visitor(), address(), paths)
    prune_patches()
    return closing("Deleted", "The runs, files and uploads of this page are gone from the server. It starts afresh.")


def on_brought(file: str | list[str] | None) -> None:
    """Nothing: the call alone says that the file was brought by this visit, which an upload itself does not."""


@dataclass(frozen=True)
class Form:
    """The tab's components."""

    sources: list[Any]
    """Table, images, embeddings, data set on the server."""
    settings: list[Any]
    """Loss, direction, encoder, own phrases, alpha, seed, part to hide, classes to search inside, table as it is."""
    roles: list[Any]
    """One dropdown for each of ROLE_NAMES."""
    columns: gr.HTML
    as_is: gr.Checkbox
    within: gr.Dropdown
    higher: gr.Checkbox
    run: gr.Button
    cancel: gr.Button
    status: gr.HTML
    forget: gr.Button

    def said(self) -> list[Any]:
        """What `make_run` reads, in its order."""
        return [*self.sources, *self.settings, *self.roles]


def build(session: gr.State, view: View, tabs: gr.Tabs, root: Path | None, examples: list[tuple[str, str]]) -> Form:
    """Lay out the tab and wire its callbacks."""
    with gr.Row(elem_classes="bring"):
        with gr.Column(scale=46, min_width=320):
            given = _sources(root)
            status_line = gr.HTML(closing("Nothing is running"), **PLAIN, elem_id="status")
        with gr.Column(scale=54, min_width=320):
            form = _form(given, status_line)
    _wire(form, session, view, tabs, root, examples)
    return form


def _sources(root: Path | None) -> list[Any]:
    gr.HTML("<h2>1. Bring a table, with images, scans or texts</h2>", **PLAIN)
    table = upload("Table: CSV, TSV, JSON Lines or Parquet", TABLES, "table", 112)
    images = upload("Images or scans: zip or tar", IMAGES, "images", 112)
    on_server = data_sets(root)
    title = "Embeddings of your own"
    with gr.Accordion(f"{title}, or a data set on this server" if on_server else title, open=bool(on_server)):
        vectors = upload("Embeddings: npy, npz, safetensors or Parquet", VECTORS, "vectors", 112)
        chosen = gr.Dropdown(
            ["", *on_server], value="", label="Data set on this server", visible=bool(on_server), elem_id="chosen"
        )
    return [table, images, vectors, chosen]


def _form(given: list[Any], status_line: gr.HTML) -> Form:
    gr.HTML("<h2>2. Check what was recognized</h2>", **PLAIN)
    columns = gr.HTML(render("data/hint.html.j2"), **PLAIN, elem_id="columns")
    as_is = as_is_box("as-is", visible=False)
    with gr.Accordion("Correct the roles", open=False), gr.Row(elem_classes="roles"):
        roles: list[Any] = [
            gr.Dropdown([], value=None, label=label, min_width=150, elem_id=f"role-{name.replace(' ', '-')}")
            for name, label in SINGLE_ROLES
        ]
        roles += [
            gr.Dropdown([], value=[], label=label, multiselect=True, min_width=220, elem_id=f"role-{name}")
            for name, label in SEVERAL_ROLES
        ]
    gr.HTML("<h2>3. Run</h2>", **PLAIN)
    with gr.Row():
        loss_kind = gr.Dropdown(
            [AUTOMATIC, *LOSS_KINDS], value=AUTOMATIC, label="Loss", min_width=150, elem_id="loss-kind"
        )
        encoder = gr.Dropdown(list(OF_DATA), value="embedded", label="Encoder", min_width=150, elem_id="encoder")
    gr.HTML(render("data/encoder_note.html.j2"), **PLAIN)
    hidden = gr.Radio(list(HIDDEN), value=0.0, label="Hide a part and predict it", info=HIDDEN_NOTE, elem_id="hidden")
    with gr.Accordion("Only some classes", open=False):
        within = gr.Dropdown(
            [], value=[], label="Search inside", multiselect=True, allow_custom_value=True, info=WITHIN_NOTE,
            elem_id="within",
        )  # fmt: skip
    with gr.Accordion("Your own phrases", open=False):
        gr.HTML(render("data/phrases_note.html.j2"), **PLAIN)
        phrases = upload("Phrases: txt or json", PHRASES, "phrases")
    with gr.Accordion("More settings", open=False), gr.Row():
        higher = gr.Checkbox(False, label="The loss column is a score: higher is better")
        alpha = gr.Slider(0.01, 0.2, 0.05, step=0.01, label="Level of the tests (alpha)")
        seed = gr.Number(0, precision=0, label="Seed", minimum=0)
    with gr.Row():
        run = gr.Button("Run the diagnosis", variant="primary", elem_id="run")
        cancel = gr.Button("Cancel", elem_id="cancel", interactive=False)
        forget = gr.Button("Delete my data now", elem_id="forget")
    settings: list[Any] = [loss_kind, higher, encoder, phrases, alpha, seed, hidden, within, as_is]
    return Form(given, settings, roles, columns, as_is, within, higher, run, cancel, status_line, forget)


def _wire(
    form: Form, session: gr.State, view: View, tabs: gr.Tabs, root: Path | None, examples: list[tuple[str, str]]
) -> None:
    columns = gr.State(())
    job = gr.State("")
    finished = gr.Textbox(visible=False, label="run id")
    refined = gr.Checkbox(False, visible=False, label="better map")
    table = form.sources[0]
    table.change(
        shows_errors(on_table), [table], [columns, form.columns, form.as_is, form.within, *form.roles], **PRIVATE
    )
    table.change(lambda: False, None, form.higher, **QUICK)  # it was said of the table before
    for corrected in (*form.roles, form.higher):
        given = [table, columns, form.higher, *form.roles]
        corrected.input(shows_errors(on_roles), given, [form.columns, form.as_is], **PRIVATE)
    label = form.roles[ROLE_NAMES.index("label")]
    label.input(shows_errors(on_label), [table, label], form.within, **PRIVATE)

    def start(columns: Sequence[Column], *said: Any) -> Iterator[tuple[Any, ...]]:
        try:
            for shown in on_run(columns, root, *said):  # Gradio takes no second click meanwhile, and says nothing of it
                yield *shown, gr.update(interactive=not shown[0]), gr.skip()  # in use again however the run has ended
        except InvalidInput as why:  # of the files, which nothing looked at before
            if AS_IS in str(why):
                yield *[gr.skip()] * 4, gr.update(visible=True)
            raise

    form.run.click(on_wait, None, form.status, js=SHOW_STATUS, **QUICK)
    started = form.run.click(
        shows_errors(start),
        [columns, *form.said()],
        [job, form.status, finished, form.run, form.as_is],
        **HEAVY,
        **PRIVATE,
    )
    page = (session, view, tabs)
    opened = wire_made(started, finished, page, began="data", what="Your run", others=examples)
    better = opened.then(shows_errors(refine_map), [finished], [refined], **HEAVY, **PRIVATE)
    better.then(shows_errors(on_refined), [session, finished, refined], [session, view.failure_map], **PRIVATE)
    wire_cancel(form.cancel, job)


def wire_forget(form: Form, files: list[gr.File]) -> None:
    """Let "Delete my data now" delete what came into any of the page's fields for files, and what was made of it."""
    for file in files:
        file.upload(on_brought, [file], None, preprocess=False, **QUICK)
    own = gr.Textbox(visible=False, label="own runs")
    gone = form.forget.click(shows_errors(on_forget), [own, *files], form.status, js=OWN_RUNS, **QUICK)
    gone.success(None, None, None, js=START_AFRESH, **PRIVATE)


START_AFRESH = """() => {
  const said = document.querySelector("#status").innerText.replaceAll("\\n", " ");
  try { sessionStorage.setItem("errata-said", said); } catch { /* said for a moment alone */ }
  const at = new URL(location.href);
  for (const part of ["run", "cluster", "candidate", "row", "set", "lasso", "filter", "colour", "beside"])
    at.searchParams.delete(part);
  setTimeout(() => location.replace(at), 1500);
  return [];
}"""
"""What was said is said again by assets/js/connection.js after the reload, which asks for no deleted run."""
SHOW_STATUS = "() => { document.querySelector('#status').scrollIntoView({ block: 'nearest' }); return []; }"
