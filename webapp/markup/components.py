"""Gradio components that several tabs are made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from core.files import ASSETS


def script(*names: str | Path) -> str:
    """These scripts, each in a block of its own where there are several: a name is of assets/js, a path any file."""
    paths = [name if isinstance(name, Path) else ASSETS / "js" / f"{name}.js" for name in names]
    texts = [path.read_text("utf-8") for path in paths]
    return texts[0] if len(texts) == 1 else "\n".join(f"{{\n{text}\n}}" for text in texts)


def upload(label: str, kinds: Sequence[str], elem_id: str, height: int = 96, **more: Any) -> gr.File:
    """A field for a file of one of these kinds; its value is the path."""
    return gr.File(label=label, file_types=list(kinds), type="filepath", height=height, elem_id=elem_id, **more)


def as_is_box(elem_id: str, **more: Any) -> gr.Checkbox:
    """Says that a table is right, however odd it looks (`core.data.tables.roles.Roles.as_is`)."""
    info = "You have looked, and it is right: what looks like a mistake is noted, and stops nothing."
    return gr.Checkbox(False, label="Take the table as it is", info=info, elem_id=elem_id, **more)


def json_object(label: str, value: dict[str, Any] | None = None) -> gr.JSON:
    """A field for programs alone, which holds an object: what Gradio says of its own is no valid JSON schema."""
    field = gr.JSON(value, visible=False, label=label)
    field.api_info = lambda: {"type": "object"}  # pyright: ignore[reportAttributeAccessIssue]
    return field


def download_row(buttons: Sequence[tuple[str, str]], *, visible: bool = True) -> tuple[gr.Row, list[Any]]:
    """Files to take away: (element's id, title) of each button, out of use until its file is ready."""
    with gr.Row(elem_classes="downloads", visible=visible) as row:
        gr.HTML("<span>Take it with you</span>", elem_classes="downloads-title", apply_default_css=False)
        made = [gr.DownloadButton(title, interactive=False, size="sm", elem_id=name) for name, title in buttons]
    return row, made
