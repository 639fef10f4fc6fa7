"""Your data, above the columns: what the files are, which task a run tests, and the second file of detections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from core.data.tasks.recognise import DETECTIONS, LABELS, MASKS, ROWS, recognise_task
from webapp.markup.components import upload
from webapp.markup.render import render
from webapp.state.choices import Column
from webapp.state.jobs import PLAIN, PRIVATE

CHOICES = (
    ("One row per sample", ROWS),
    ("Several labels per image", LABELS),
    ("Masks, each class of an image", MASKS),
    ("Detections, each true object", DETECTIONS),
)


@dataclass(frozen=True)
class TaskForm:
    """The components of the task."""

    second: gr.File
    """The other JSON file of detections."""
    recognized: gr.HTML
    task: gr.Dropdown


def build_second() -> gr.File:
    """Lay out the field for the second file, hidden until the table field holds detections."""
    return upload("Detections: the other JSON file", (".json",), "second-json", 112, visible=False)


def build_task(second: gr.File) -> TaskForm:
    """Lay out the sentence on what was recognized, and the task."""
    recognized = gr.HTML("", **PLAIN, elem_id="recognized")
    task = gr.Dropdown(list(CHOICES), value=ROWS, label="Task", elem_id="task")
    return TaskForm(second, recognized, task)


def on_task(first: str | None, second: str | None, columns: Sequence[Column]) -> tuple[str, str, Any]:
    """Recognize the files: returns (sentence, task, the second file's field)."""
    roles = {name: role for name, role, _ in columns}
    task, sentence = recognise_task(_path(first), _path(second), roles)
    return render("data/recognized.html.j2", sentence=sentence), task, gr.update(visible=task == DETECTIONS)


def wire_task(form: TaskForm, table: gr.File, columns: gr.State, read: Any) -> None:
    """Wire the task to the files.

    Args:
        read: the event in which the table's columns are read.
    """
    outputs = [form.recognized, form.task, form.second]
    read.then(on_task, [table, form.second, columns], outputs, **PRIVATE)
    form.second.change(on_task, [table, form.second, columns], outputs, **PRIVATE)
    form.task.input(_on_chosen, [form.task], [form.second], **PRIVATE)


def _on_chosen(task: str) -> Any:
    return gr.update(visible=task == DETECTIONS)


def _path(upload: str | None) -> Path | None:
    if not upload:
        return None
    return Path(upload)
