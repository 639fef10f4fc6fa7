"""The form of "New run" in the browser's storage: a reload brings its files back, and the choices of the latest run.

The server keeps nothing for it. The files stay where they were uploaded, until they are deleted or swept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from webapp.markup.components import script
from webapp.state.choices import ROLE_NAMES, SEVERAL_ROLES
from webapp.state.events import event_data
from webapp.state.jobs import PLAIN
from webapp.state.uploads import UPLOADS
from webapp.state.visitor import address, visitor

FILES = ("table", "images", "vectors", "phrases", "second")
HELD_PX = 84
"""Height of a field that holds one file, in px."""
SETTINGS = {
    "chosen": str,
    "loss kind": str,
    "encoder": str,
    "alpha": (int, float),
    "seed": (int, float),
    "hidden": (int, float),
}
"""Types of the choices that do not depend on the table."""
SEVERAL = {name for name, _ in SEVERAL_ROLES}
OF_TABLE = {
    "higher": bool,
    "within": list,
    "as_is": bool,
    **{role: list if role in SEVERAL else str for role in ROLE_NAMES},
}
"""Types of the choices that are restored once the table has been read."""
NAMES = (
    "table",
    "images",
    "vectors",
    "chosen",
    "loss kind",
    "higher",
    "encoder",
    "phrases",
    "alpha",
    "seed",
    "hidden",
    "within",
    "as_is",
    *ROLE_NAMES,
    "task",
    "second",
)
"""The form's inputs in the order of `make_run`."""


@dataclass(frozen=True)
class BroughtFiles:
    """The files of the form, as the browser keeps them. They are not trusted."""

    visit: str = ""
    """The visit that wrote this, which holds the uploads."""
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    """Paths of the uploads, by FILES."""

    def text(self) -> str:
        """Return it as JSON, "null" without files."""
        if not self.files:
            return "null"
        return json.dumps(asdict(self))


def read_files(text: Any) -> BroughtFiles:
    """Read the files that a browser kept; none from anything else."""
    document = _read(text)
    visit = document.get("visit")
    if not isinstance(visit, str):
        visit = ""
    return BroughtFiles(visit, _only(document.get("files"), dict.fromkeys(FILES, str)))


def read_choices(text: Any, table: str | None = None) -> dict[str, Any]:
    """Read the choices that a browser kept: those of SETTINGS, or with a table those of OF_TABLE, if the latest run was
    of that table. Values of another type are left out."""
    document = _read(text)
    if table is None:
        return _only(document, SETTINGS)
    if document.get("table") != table:
        return {}
    return _only(document, OF_TABLE)


def _read(text: Any) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}
    if not isinstance(document, dict):
        return {}
    return document


def _only(values: Any, kinds: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(values, dict):
        return {}
    return {name: values[name] for name, kind in kinds.items() if isinstance(values.get(name), kind)}


def on_files(*files: str | None) -> str:
    """Keep the form's files, which have changed: returns them for the browser.

    Args:
        files: paths in the order of FILES.
    """
    return BroughtFiles(visitor(), {name: str(file) for name, file in zip(FILES, files, strict=True) if file}).text()


def on_pressed(*inputs: Any) -> str:
    """Keep the form's choices, with which a run starts: returns them, and the table, for the browser.

    Args:
        inputs: in the order of NAMES.
    """
    return json.dumps(dict(zip(NAMES, inputs, strict=True)))


def on_restore(event: gr.EventData) -> tuple[Any, ...]:
    """Bring the form of a browser back: returns (kept files, kept choices, files by FILES, choices by SETTINGS). Files
    that the server no longer has stay empty."""
    payload = event_data(event)
    choices = payload.get("choices")
    files = inherit(read_files(payload.get("files")))
    settings = read_choices(choices)
    shown = [shown_file(files.get(name)) for name in FILES] + [
        gr.update(value=settings[name]) if name in settings else gr.skip() for name in SETTINGS
    ]
    return BroughtFiles(visitor(), files).text(), str(choices or ""), *shown


def inherit(brought: BroughtFiles) -> dict[str, str]:
    """Let the current visit hold the uploads instead of the one that wrote this; returns those still there."""
    files = {name: path for name, path in brought.files.items() if UPLOADS.holds(Path(path))}
    for path in files.values():
        UPLOADS.inherit(brought.visit, visitor(), address(), Path(path))
    return files


def shown_file(path: str | None) -> Any:
    """Return the update of a field for one file, which is shown once it holds one."""
    if path:
        return gr.update(value=path, visible=True)
    return gr.skip()


def build_kept() -> tuple[gr.HTML, gr.HTML]:
    """Lay out the hidden components that read and write the browser's storage (assets/js/form.js): files, choices."""
    how: dict[str, Any] = {"html_template": "<i hidden></i>", "js_on_load": script("form"), **PLAIN}
    return gr.HTML("", key_in_storage="errata-files", **how), gr.HTML("", key_in_storage="errata-choices", **how)
