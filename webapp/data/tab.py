"""Your data tab: add a table with images or embeddings, fix the roles of its columns, run, and cancel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.data.tables.roles import LOSS_KINDS, Roles
from core.data.tasks.recognise import side_of_detections
from core.errors import InvalidInput
from core.reports.wording.understood import AS_UNDERSTOOD, rows_as_understood
from webapp.data.draft import Kept, build_kept, inherit, read_choices, read_files
from webapp.data.following import wire_following
from webapp.data.run import AUTOMATIC, HIDDEN
from webapp.data.runs import STORED, own_ids
from webapp.data.task import TaskForm, build_second, build_task, wire_task
from webapp.explore.patches import prune_patches
from webapp.explore.tab import View
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
from webapp.state.jobs import JOBS, PLAIN, PRIVATE, QUICK, closing, wire_cancel
from webapp.state.runs import RUNS
from webapp.state.session import shows_errors
from webapp.state.visitor import address, visitor

if TYPE_CHECKING:
    from core.data.samples import TableDescription

WITHIN_NOTE = (
    "Search only these classes, and all samples together (default: every class). Fewer tests reveal smaller groups. "
    "Choose before seeing results: chosen afterwards, the p-values would be too small."
)
HIDDEN_NOTE = (
    "Recommended: a quarter. The findings from the other samples are frozen, then checked on the held-out part."
)


def on_table(table: str | None, kept: str = "") -> tuple[Any, ...]:
    """Read a new table: returns (columns, columns table, checkbox to accept the table, classes to search, then one
    dropdown per ROLE_NAMES).

    Args:
        kept: choices that the browser keeps; those of an earlier run of the same table apply again.
    """
    held = _look(table)
    columns: Sequence[Column] = ()
    if held:
        columns = held.columns
    roles = recognized(columns)
    shown = _shown(columns, held)
    tick = _tick(held, value=False)  # it applied to the previous table
    classes = _classes(held)
    again = read_choices(kept, table or "")
    if held and again:
        roles = {role: again.get(role) for role in ROLE_NAMES}
        shown, tick = on_roles(table, columns, bool(again.get("higher")), *roles.values())
        if tick["visible"]:
            tick["value"] = again.get("as_is", False)
        classes = on_label(table, roles["label"])
        classes["value"] = again.get("within", [])
    names = [name for name, _, _ in columns]
    several = dict(SEVERAL_ROLES)
    dropdowns = list[Any]()
    for role in ROLE_NAMES:
        if role in several:
            dropdowns.append(gr.update(choices=names, value=roles.get(role) or []))
        else:
            choices = [("–", ""), *zip(names, names)]
            dropdowns.append(gr.update(choices=choices, value=roles.get(role) or ""))
    return tuple(columns), shown, tick, classes, *dropdowns


def on_direction(table: str | None, kept: str) -> bool:
    """Return whether the loss of a new table is a score: not unless an earlier run of the same table said so."""
    return bool(read_choices(kept, table or "").get("higher"))


def on_label(table: str | None, label: str | None) -> Any:
    """Change the label column: returns the classes to search."""
    return _classes(_look(table, Roles(label=label or None)))


def on_roles(table: str | None, columns: Sequence[Column], higher: bool, *picked: Any) -> tuple[str, Any]:
    """Change a role: returns the columns table with the new roles and rows, and the checkbox to accept the table.

    Args:
        columns: as recognized.
        higher: the loss column is a score.
        picked: values of the dropdowns, in the order of ROLE_NAMES.
    """
    roles: dict[str, str] = {}
    for role, value in zip(ROLE_NAMES, picked):
        if isinstance(value, str):
            value = [value]
        roles |= dict.fromkeys(value or [], role)
    shown = list[Column]()
    for name, role, examples in columns:
        if role in ROLE_NAMES:
            role = ""
        shown.append((name, roles.get(name, role), examples))
    if picked[ROLE_NAMES.index("labels")]:  # the losses are computed in the run
        return _shown(shown, None), _tick(None)
    try:
        roles_ = roles_from(dict(zip(ROLE_NAMES, picked)), recognized(columns), loss_kind=None, higher_is_better=higher)
    except InvalidInput:  # only one mask of two so far
        return _shown(shown, None), _tick(None)
    held = _look(table, roles_)
    return _shown(shown, held), _tick(held)


def _look(table: str | None, roles: Roles = Roles()) -> TableDescription | None:
    if not table or side_of_detections(Path(table)):
        return None
    from core.data.samples import describe_table  # pandas

    return JOBS.look(lambda progress: describe_table(table, roles=roles, progress=progress))


def _shown(columns: Sequence[Column], held: TableDescription | None) -> str:
    """Render the columns with their roles, the doubts and notes, and five rows as understood."""
    if not columns:
        return render("data/hint.html.j2")
    rows = []
    if held and held.read:
        rows = rows_as_understood(*held.read)
    doubts: Sequence[str] = ()
    notes: Sequence[str] = ()
    if held:
        doubts = held.doubts
        notes = held.notes
    stops = "This stops a run"
    if rows:
        stops = "This looks like a mistake and stops a run"
    return render(
        "data/columns.html.j2",
        columns=columns,
        rows=rows,
        as_understood=AS_UNDERSTOOD,
        stops=stops,
        doubts=[on_page(doubt) for doubt in doubts],
        notes=[on_page(note) for note in notes],
    )


def _tick(held: TableDescription | None, **also: Any) -> Any:
    """Update "Accept the table as it is": visible if the table is readable but looks wrong, else unset."""
    looks_wrong = bool(held and held.read and held.doubts)
    if looks_wrong:
        return gr.update(visible=True, **also)
    return gr.update(visible=False, value=False)


def _classes(held: TableDescription | None) -> Any:
    """Return the classes of a table that are large enough to search, with their rows; none selected."""
    from core.discovery.design import searchable

    sizes = {}
    if held:
        sizes = held.classes
    return gr.update(choices=[(f"{name} ({sizes[name]:,} rows)", name) for name in searchable(sizes)], value=[])


def on_forget(own_runs: str = "", files: str = "", *brought: str | list[str] | None) -> str:
    """Stop the visit's jobs, delete its uploads and runs, and those of other tabs of its browser; returns the status.

    Args:
        own_runs: ids of the runs and jobs that the browser stores, as JSON.
        files: files of the form that the browser stores.
    """
    ids = own_ids(own_runs)
    JOBS.lasting.adopt(ids, visitor())
    RUNS.adopt(ids)
    inherit(read_files(files))
    paths = list[str]()
    for value in brought:
        if value and isinstance(value, str):
            value = [value]
        paths.extend(value or [])
    forget_visit(visitor(), address(), paths)
    prune_patches()
    return closing("Deleted", "The server no longer has the runs, files, and uploads of this page. The page restarts.")


def on_brought(file: str | list[str] | None) -> None:
    """Do nothing: the call itself links the file to this visit, which an upload does not."""


@dataclass(frozen=True)
class Form:
    """The tab's components."""

    sources: list[Any]
    """Table, images, embeddings, data set on the server."""
    settings: list[Any]
    """Loss, direction, encoder, phrases, alpha, seed, part to hold out, classes to search, accept the table."""
    roles: list[Any]
    """One dropdown per ROLE_NAMES."""
    columns: gr.HTML
    as_is: gr.Checkbox
    within: gr.Dropdown
    task: TaskForm
    higher: gr.Checkbox
    run: gr.Button
    cancel: gr.Button
    status: gr.HTML
    forget: gr.Button
    kept: Kept
    link: gr.State
    """Link id of the job that the page's address names."""

    def inputs(self) -> list[Any]:
        """Return the inputs of `make_run`, in order."""
        return [*self.sources, *self.settings, *self.roles, self.task.task, self.task.second]


def build(session: gr.State, view: View, tabs: gr.Tabs, root: Path | None, examples: list[tuple[str, str]]) -> Form:
    """Lay out the tab and wire its callbacks."""
    with gr.Row(elem_classes="bring"):
        with gr.Column(scale=46, min_width=320):
            files, second = _sources(root)
            status_line = gr.HTML(closing("No run in progress"), **PLAIN, elem_id="status")
        with gr.Column(scale=54, min_width=320):
            form = _form(files, second, status_line)
    _wire(form, session, view, tabs, root, examples)
    return form


def _sources(root: Path | None) -> tuple[list[Any], gr.File]:
    gr.HTML("<h2>1. Add a table, with images, scans, or texts</h2>", **PLAIN)
    table = upload("Table: CSV, TSV, JSON Lines or Parquet; or COCO JSON of detections", TABLES, "table", 112)
    second = build_second()
    images = upload("Images or scans: zip or tar", IMAGES, "images", 112)
    on_server = data_sets(root)
    title = "Your own embeddings"
    if on_server:
        title = f"{title}, or a data set on this server"
    with gr.Accordion(title, open=bool(on_server)):
        vectors = upload("Embeddings: npy, npz, safetensors or Parquet", VECTORS, "vectors", 112)
        chosen = gr.Dropdown(
            ["", *on_server], value="", label="Data set on this server", visible=bool(on_server), elem_id="chosen"
        )
    return [table, images, vectors, chosen], second


def _form(files: list[Any], second: gr.File, status_line: gr.HTML) -> Form:
    gr.HTML("<h2>2. Check the columns</h2>", **PLAIN)
    task = build_task(second)
    columns = gr.HTML(render("data/hint.html.j2"), **PLAIN, elem_id="columns")
    as_is = as_is_box("as-is", visible=False)
    with gr.Accordion("Fix columns", open=False), gr.Row(elem_classes="roles"):
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
    hidden = gr.Radio(
        list(HIDDEN), value=0.0, label="Hold out a part to check findings", info=HIDDEN_NOTE, elem_id="hidden"
    )
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
        alpha = gr.Slider(0.01, 0.2, 0.05, step=0.01, label="Significance level (alpha)")
        seed = gr.Number(0, precision=0, label="Seed", minimum=0)
    with gr.Row():
        run = gr.Button("Run the diagnosis", variant="primary", elem_id="run")
        cancel = gr.Button("Cancel", elem_id="cancel", interactive=False)
        forget = gr.Button("Delete my data now", elem_id="forget")
    settings: list[Any] = [loss_kind, higher, encoder, phrases, alpha, seed, hidden, within, as_is]
    link = gr.State("")
    kept = build_kept()
    return Form(
        files, settings, roles, columns, as_is, within, task, higher, run, cancel, status_line, forget, kept, link
    )


def _wire(
    form: Form, session: gr.State, view: View, tabs: gr.Tabs, root: Path | None, examples: list[tuple[str, str]]
) -> None:
    columns = gr.State(())
    job = gr.State("")
    finished = gr.Textbox(visible=False, label="run id")
    table = form.sources[0]
    read = table.change(
        shows_errors(on_table),
        [table, form.kept.choices],
        [columns, form.columns, form.as_is, form.within, *form.roles],
        **PRIVATE,
    )
    wire_task(form.task, table, columns, read)
    table.change(on_direction, [table, form.kept.choices], form.higher, **QUICK)
    for corrected in (*form.roles, form.higher):
        inputs = [table, columns, form.higher, *form.roles]
        corrected.input(shows_errors(on_roles), inputs, [form.columns, form.as_is], **PRIVATE)
    label = form.roles[ROLE_NAMES.index("label")]
    label.input(shows_errors(on_label), [table, label], form.within, **PRIVATE)
    form.kept.wire(form.run, form.inputs())  # first, because later events of the press wait for the run
    outputs = [job, form.status, finished, form.run, form.as_is]
    wire_following([columns, *form.inputs()], outputs, form.link, root, (session, view, tabs), examples)
    wire_cancel(form.cancel, job)


def wire_forget(form: Form, files: list[gr.File]) -> None:
    """Wire "Delete my data now" to delete the files of all upload fields, and everything made from them."""
    for file in files:
        file.upload(on_brought, [file], None, preprocess=False, **QUICK)
    own_runs = gr.Textbox(visible=False, label="own runs")
    own_files = gr.Textbox(visible=False, label="own files")
    gone = form.forget.click(shows_errors(on_forget), [own_runs, own_files, *files], form.status, js=STORED, **QUICK)
    gone.success(None, None, None, js=START_AFRESH, **PRIVATE)


START_AFRESH = """() => {
  try {
    for (const key of ["errata-files", "errata-choices"]) localStorage.removeItem(key);
  } catch { /* no storage */ }
  const said = document.querySelector("#status").innerText.replaceAll("\\n", " ");
  try { sessionStorage.setItem("errata-said", said); } catch { /* said for a moment alone */ }
  const at = new URL(location.href);
  for (const part of ["job", "run", "cluster", "candidate", "row", "set", "lasso", "filter", "colour", "beside"])
    at.searchParams.delete(part);
  setTimeout(() => location.replace(at), 1500);
  return [];
}"""
"""Reloads the page without the deleted run; assets/js/connection.js repeats the status afterwards."""
