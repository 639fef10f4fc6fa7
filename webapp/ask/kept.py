"""Results of a part of the tab Ask: their files, their view, and their storage for the last runs of a visit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import gradio as gr

from core.errors import InvalidInput
from core.files import write_json, write_text
from webapp.explore.tab import describe
from webapp.markup.components import download_row, script
from webapp.state.downloads import csv_of, fresh_folder
from webapp.state.jobs import PLAIN, closing
from webapp.state.runs import RUNS

if TYPE_CHECKING:
    import pandas as pd

    from core.records import Diagnosis
    from webapp.state.session import Session

MAX_SAVED_RUNS = 3
"""Runs whose results a visit keeps."""

MAX_CHARACTERS = 200_000
"""Of typed or pasted text."""

Files = Sequence[tuple[str, str]]
"""(file name, button title) pairs."""


class MadeOfRun(Protocol):
    """A result on a run."""

    @property
    def run(self) -> str: ...
    @property
    def view(self) -> str: ...
    @property
    def files(self) -> tuple[Path, ...]: ...


M = TypeVar("M", bound=MadeOfRun)


@dataclass(frozen=True, slots=True, eq=False)
class KeptState(Generic[M]):
    """A visitor's results on the last runs."""

    run: str = ""
    """The run shown."""
    saved: tuple[M, ...] = ()
    """Results of the last runs, shown again when they are opened."""

    @property
    def current(self) -> M | None:
        """The result of this run, or None."""
        return next((result for result in self.saved if result.run == self.run), None)


@dataclass(frozen=True)
class MadeParts:
    """The components below the fields of a part."""

    run: gr.Button
    cancel: gr.Button
    status: gr.HTML
    view: gr.HTML
    buttons: list[Any]


def has_pictures(diagnosis: Diagnosis) -> bool:
    """Whether the run has stored images."""
    return diagnosis.samples.items is not None and diagnosis.samples.modality == "image"


def has_words(diagnosis: Diagnosis | None) -> bool:
    """Whether the run can be asked in words; True without a run."""
    return diagnosis is None or diagnosis.words is not None


def reopened(
    session: Session,
    state: KeptState[M],
    intro: Callable[[Diagnosis], str],
    files: Files,
    usable: Callable[[Diagnosis], bool] = has_pictures,
) -> tuple[Any, ...]:
    """Show the open run's earlier result: returns (state, intro, run button, status, view, downloads); nothing changes
    for the run already shown."""
    if not session.run or state.run == session.run:
        return tuple(gr.skip() for _ in range(5 + len(files)))
    diagnosis = RUNS.get(session.run)
    opened = KeptState(session.run, state.saved)
    return opened, intro(diagnosis), gr.update(interactive=usable(diagnosis)), "", *shown(opened.current, files)


def receive(
    session: Session, state: KeptState[M], result: M | None, files: Files, elsewhere: str
) -> tuple[KeptState[M] | Any, ...]:
    """Show a result: returns (state, status, view, downloads). A result on another run is saved, and the status is
    `elsewhere`."""
    if result is None:
        return tuple(gr.skip() for _ in range(3 + len(files)))
    saved = (*(earlier for earlier in state.saved if earlier.run != result.run), result)[-MAX_SAVED_RUNS:]
    if result.run != session.run:
        return replace(state, saved=saved), closing("Done", elsewhere), *(gr.skip() for _ in range(1 + len(files)))
    return KeptState(result.run, saved), closing("Done", ""), *shown(result, files)


def shown(result: MadeOfRun | None, files: Files) -> tuple[Any, ...]:
    """Return (view, downloads) of a result, empty without one."""
    if result is None:
        return "", *(gr.update(value=None, interactive=False) for _ in files)
    view = gr.update(value=result.view, run=result.run)
    return view, *(gr.update(value=str(path), interactive=True) for path in result.files)


def write_files(kind: str, files: Files, *contents: str | dict[str, Any] | pd.DataFrame) -> tuple[Path, ...]:
    """Write the downloads in the order of `files`: str as text, dict as JSON, DataFrame as CSV."""
    folder = fresh_folder(kind)
    paths = tuple(folder / name for name, _ in files)
    for path, content in zip(paths, contents, strict=True):
        if isinstance(content, str):
            write_text(path, content)
        elif isinstance(content, dict):
            write_json(path, content)
        else:
            path.write_bytes(csv_of(content.columns, content.itertuples(index=False)))
    return paths


def pane() -> dict[str, Any]:
    """Return the arguments of a `gr.HTML` with clickable parts and samples."""
    return {"js_on_load": script("pane"), "server_functions": [describe], **PLAIN}


def check_characters(text: str, what: str, instead: str) -> None:
    """Check the length of a text.

    Args:
        what: a plural, such as "tags".
        instead: the next step, a sentence.

    Raises:
        InvalidInput: more than 200,000 characters.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput(f"The {what} have {len(text):,} characters, more than {MAX_CHARACTERS:,}. {instead}")


def made_parts(
    kind: str, title: str, files: Files, first: str, *, width: int = 210, interactive: bool = True
) -> MadeParts:
    """Lay out the buttons, the status, the view, and the downloads."""
    with gr.Row(elem_classes="made-row"):
        more: dict[str, Any] = {"scale": 0, "min_width": width, "interactive": interactive}
        run = gr.Button(title, variant="primary", elem_id=f"{kind}-run", **more)
        cancel = gr.Button("Cancel", elem_id=f"{kind}-cancel", scale=0, min_width=110, interactive=False)
    line = gr.HTML("", elem_id=f"{kind}-status", **PLAIN)
    view = gr.HTML("", run=first, elem_id=f"{kind}-made", **pane())
    return MadeParts(run, cancel, line, view, take_buttons(files))


def take_buttons(files: Files) -> list[Any]:
    """Lay out a row of download buttons, one per file."""
    return download_row([(f"take-{name.replace('.', '-')}", title) for name, title in files])[1]
