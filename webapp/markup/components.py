"""Gradio components shared by several tabs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components.plot import PlotData

from core.files import ASSETS
from core.reports.figures.template import Drawing


def script(*names: str | Path) -> str:
    """Return the scripts, each in its own block if there are several; a name means assets/js, a path any file."""
    texts = list[str]()
    for name in names:
        if isinstance(name, str):
            name = ASSETS / "js" / f"{name}.js"
        texts.append(name.read_text("utf-8"))
    if len(texts) == 1:
        return texts[0]
    return "\n".join(f"{{\n{text}\n}}" for text in texts)


def upload(label: str, kinds: Sequence[str], elem_id: str, height: int = 96, **more: Any) -> gr.File:
    """Build an upload field for files of these types; its value is the path, or paths."""
    field = gr.File(label=label, file_types=list(kinds), type="filepath", height=height, elem_id=elem_id, **more)
    field.upload(_claim, [field], None, preprocess=False, queue=False, show_progress="hidden", api_visibility="private")
    return field


def _claim(file: Any) -> None:
    """Do nothing: the call itself links the file to this visit, which an upload does not."""


def as_is_box(elem_id: str, **more: Any) -> gr.Checkbox:
    """Build a checkbox to accept a table that looks wrong (`core.data.tables.roles.Roles.as_is`)."""
    info = "You checked the table and it is right. Doubts become notes and do not stop the run."
    return gr.Checkbox(False, label="Accept the table as it is", info=info, elem_id=elem_id, **more)


def plotly_chart(drawn: Drawing, height: int = 0) -> PlotData:
    """Return the value of a `gr.Plot` for what `core.reports.figures` draws for the page; `height` in pixels."""
    if height:
        drawn["layout"]["height"] = height
    return PlotData(type="plotly", plot=json.dumps(drawn))


def json_object(label: str, value: dict[str, Any] | None = None) -> gr.JSON:
    """Build an object field for programs; Gradio's own description of it is not a valid JSON schema."""
    field = gr.JSON(value, visible=False, label=label)
    field.api_info = lambda: {"type": "object"}  # pyright: ignore[reportAttributeAccessIssue]
    return field


def download_row(buttons: Sequence[tuple[str, str]], *, visible: bool = True) -> tuple[gr.Row, list[Any]]:
    """Lay out download buttons, (element id, title) each, disabled until their files are ready."""
    with gr.Row(elem_classes="downloads", visible=visible) as row:
        gr.HTML("<span>Download</span>", elem_classes="downloads-title", apply_default_css=False)
        components = [gr.DownloadButton(title, interactive=False, size="sm", elem_id=name) for name, title in buttons]
    return row, components
