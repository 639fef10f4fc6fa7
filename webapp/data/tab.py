"""The form of a new run: drop a table with images or embeddings, check its columns, run, and cancel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.data.tables.roles import LOSS_KINDS, Roles
from core.data.tasks.recognise import DETECTIONS, LABELS, MASKS, ROWS, recognise_task, side_of_detections
from core.errors import InvalidInput
from core.reports.wording.understood import AS_UNDERSTOOD, rows_as_understood
from webapp.data import by_address
from webapp.data.brought import ACCEPTED, sort_files
from webapp.data.draft import (
    FILES,
    HELD_PX,
    NAMES,
    SETTINGS,
    build_kept,
    on_files,
    on_pressed,
    on_restore,
    read_choices,
    shown_file,
)
from webapp.data.following import wire_following
from webapp.data.run import AUTOMATIC, HIDDEN
from webapp.markup.components import as_is_box, script, upload
from webapp.markup.render import render
from webapp.panels import Opening, Page
from webapp.state.boxes import on_page
from webapp.state.choices import (
    IMAGES,
    OF_DATA,
    PHRASES,
    RELATIONS,
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
from webapp.state.jobs import JOBS, PLAIN, PRIVATE, QUICK, closing, wire_cancel
from webapp.state.session import shows_errors

if TYPE_CHECKING:
    from core.data.samples import TableDescription

IDLE = closing("No run in progress")
WITHIN_NOTE = (
    "Search only these classes, and all samples together (default: every class). Fewer tests reveal smaller groups. "
    "Choose before seeing results: chosen afterwards, the p-values would be too small."
)
TASK_CHOICES = (
    ("One row per sample", ROWS),
    ("Several labels per image", LABELS),
    ("Masks, each class of an image", MASKS),
    ("Detections, each true object", DETECTIONS),
)
HELD_FILES = (
    ("table", "Table", TABLES),
    ("images", "Images, scans, or clips", IMAGES),
    ("vectors", "Your own embeddings", VECTORS),
)
"""(name, label, suffixes) of the fields for one file, shown once they hold one."""
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
            if role == "group":
                choices += [choice for choice in RELATIONS if choice[1] not in names]
            dropdowns.append(gr.update(choices=choices, value=roles.get(role) or ""))
    return tuple(columns), shown, tick, classes, *dropdowns


def on_task(first: str | None, second: str | None, columns: Sequence[Column]) -> tuple[str, str, Any]:
    """Recognize the files: returns (sentence, task, the second file's field)."""
    roles = {name: role for name, role, _ in columns}
    task, sentence = recognise_task(Path(first) if first else None, Path(second) if second else None, roles)
    return render("data/recognized.html.j2", sentence=sentence), task, gr.update(visible=task == DETECTIONS)


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


def on_brought(paths: list[str] | None, table: str | None = None) -> list[Any]:
    """Sort files that were dropped together: returns (status, drop zone, emptied, then one update per FILES). What the
    status said of a run that did not start was of the files before."""
    by_field = sort_files(paths or [], table or "")
    return [IDLE, None, *(shown_file(by_field.get(name)) for name in FILES)]


def build(page: Page, opening: Opening) -> None:
    """Lay out the form and wire its callbacks."""
    gr.HTML("<h2>New run</h2>", **PLAIN)
    columns = gr.State(())
    job = gr.State("")
    finished = gr.Textbox(visible=False, label="run id")
    fields: dict[str, Any] = {}  # by NAMES
    with gr.Row(elem_classes="bring"):
        with gr.Column(scale=46, min_width=320):
            label = "Drop a table and its images together: CSV or Parquet, zip or folder"
            brought = upload(label, ACCEPTED, "brought", 150, file_count="multiple")
            gr.HTML(render("data/folder.html.j2"), js_on_load=script("drop"), **PLAIN)
            for name, label, kinds in HELD_FILES:
                fields[name] = upload(label, kinds, name, HELD_PX, visible=False)
            by_address.build(fields["table"], page.files_from)
            on_server = data_sets(page.root)
            fields["chosen"] = gr.Dropdown(
                ["", *on_server], value="", label="Data set on this server", visible=bool(on_server), elem_id="chosen"
            )
            second = upload("Detections: the other JSON file", (".json",), "second-json", HELD_PX, visible=False)
            fields["second"] = second
            sentence = gr.HTML("", **PLAIN, elem_id="recognized")
            with gr.Row():
                run = gr.Button("Run the diagnosis", variant="primary", elem_id="run")
                cancel = gr.Button("Cancel", elem_id="cancel", interactive=False)
            status = gr.HTML(IDLE, **PLAIN, elem_id="status")
        with gr.Column(scale=54, min_width=320):
            read_as = gr.HTML(render("data/hint.html.j2"), **PLAIN, elem_id="columns")
            as_is = as_is_box("as-is", visible=False)
            with gr.Accordion("Options", open=False, elem_id="options"):
                fields |= _options() | {"as_is": as_is}
    kept_files, kept_choices = build_kept()
    table = fields["table"]
    task = fields["task"]
    higher = fields["higher"]
    within = fields["within"]
    roles = [fields[role] for role in ROLE_NAMES]
    files = [fields[name] for name in FILES]
    settings = [fields[name] for name in SETTINGS]
    inputs = [fields[name] for name in NAMES]
    brought.upload(shows_errors(on_brought), [brought, table], [status, brought, *files], **PRIVATE)
    outputs = [columns, read_as, as_is, within, *roles]
    read = table.change(shows_errors(on_table), [table, kept_choices], outputs, **PRIVATE)
    for changed in (read.then, second.change):
        changed(on_task, [table, second, columns], [sentence, task, second], **PRIVATE)
    task.input(lambda chosen: gr.update(visible=chosen == DETECTIONS), [task], [second], **PRIVATE)
    table.change(on_direction, [table, kept_choices], higher, **QUICK)
    for corrected in (*roles, higher):
        corrected.input(shows_errors(on_roles), [table, columns, higher, *roles], [read_as, as_is], **PRIVATE)
    fields["label"].input(shows_errors(on_label), [table, fields["label"]], within, **PRIVATE)
    gr.on([file.change for file in files], on_files, files, kept_files, **QUICK)
    run.click(on_pressed, inputs, kept_choices, **QUICK)  # first, because later events of the press wait for the run
    kept_files.go(on_restore, None, [kept_files, kept_choices, *files, *settings], **QUICK)
    wire_following([columns, *inputs], [job, status, finished, run, as_is], page, opening)
    wire_cancel(cancel, job)


def _options() -> dict[str, Any]:
    """Lay out the fields below Options; returns them by NAMES."""
    fields: dict[str, Any] = {}
    fields["task"] = gr.Dropdown(list(TASK_CHOICES), value=ROWS, label="Task", elem_id="task")
    with gr.Row():
        fields["encoder"] = gr.Dropdown(
            list(OF_DATA), value="embedded", label="Encoder", min_width=150, elem_id="encoder"
        )
        fields["loss kind"] = gr.Dropdown(
            [AUTOMATIC, *LOSS_KINDS], value=AUTOMATIC, label="Loss", min_width=150, elem_id="loss-kind"
        )
    gr.HTML(render("data/encoder_note.html.j2"), **PLAIN)
    fields["hidden"] = gr.Radio(
        list(HIDDEN), value=0.0, label="Hold out a part to check findings", info=HIDDEN_NOTE, elem_id="hidden"
    )
    fields["within"] = gr.Dropdown(
        [], value=[], label="Search inside", multiselect=True, allow_custom_value=True, info=WITHIN_NOTE,
        elem_id="within",
    )  # fmt: skip
    with gr.Accordion("Fix columns", open=False), gr.Row(elem_classes="roles"):
        for name, label in SINGLE_ROLES:
            elem_id = f"role-{name.replace(' ', '-')}"
            fields[name] = gr.Dropdown([], value=None, label=label, min_width=150, elem_id=elem_id)
        for name, label in SEVERAL_ROLES:
            fields[name] = gr.Dropdown(
                [], value=[], label=label, multiselect=True, min_width=220, elem_id=f"role-{name}"
            )
    with gr.Accordion("Your own phrases", open=False):
        gr.HTML(render("data/phrases_note.html.j2"), **PLAIN)
        fields["phrases"] = upload("Phrases: txt or json", PHRASES, "phrases")
    with gr.Accordion("More settings", open=False), gr.Row():
        fields["higher"] = gr.Checkbox(False, label="The loss column is a score: higher is better")
        fields["alpha"] = gr.Slider(0.01, 0.2, 0.05, step=0.01, label="Significance level (alpha)")
        fields["seed"] = gr.Number(0, precision=0, label="Seed", minimum=0)
    return fields
