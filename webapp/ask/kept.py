"""What a part of the tab Ask made of a run: its files, how it is shown, and that a visit keeps it for the last runs."""

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

KEPT = 3
"""Runs of which a visit keeps what was made."""

MAX_CHARACTERS = 200_000
"""Of what is typed or pasted."""

Files = Sequence[tuple[str, str]]
"""(name, what its button says) of each."""


class MadeOfRun(Protocol):
    """What was made of a run."""

    @property
    def run(self) -> str: ...
    @property
    def view(self) -> str: ...
    @property
    def files(self) -> tuple[Path, ...]: ...


M = TypeVar("M", bound=MadeOfRun)


@dataclass(frozen=True, slots=True, eq=False)
class KeptState(Generic[M]):
    """What a visitor has made of the last runs."""

    run: str = ""
    """The one that is shown."""
    saved: tuple[M, ...] = ()
    """Of the last runs, to be shown again when they are opened."""

    @property
    def current(self) -> M | None:
        """Of this run."""
        return next((one for one in self.saved if one.run == self.run), None)


@dataclass(frozen=True)
class MadeParts:
    """The components below the fields of a part."""

    run: gr.Button
    cancel: gr.Button
    status: gr.HTML
    view: gr.HTML
    buttons: list[Any]


def has_pictures(diagnosis: Diagnosis) -> bool:
    """Whether the run is of images and keeps them."""
    return diagnosis.samples.items is not None and diagnosis.samples.modality == "image"


def has_words(diagnosis: Diagnosis | None) -> bool:
    """Whether the run may be asked in words; so is a page that opens on none."""
    return diagnosis is None or diagnosis.words is not None


def reopened(
    session: Session,
    state: KeptState[M],
    intro: Callable[[Diagnosis], str],
    files: Files,
    usable: Callable[[Diagnosis], bool] = has_pictures,
) -> tuple[Any, ...]:
    """The tab is shown: (state, intro, run button, status, view, downloads) for the open run, with what was made of it
    before; nothing changes if it is the one already shown."""
    if not session.run or state.run == session.run:
        return tuple(gr.skip() for _ in range(5 + len(files)))
    diagnosis = RUNS.get(session.run)
    opened = KeptState(session.run, state.saved)
    return opened, intro(diagnosis), gr.update(interactive=usable(diagnosis)), "", *shown(opened.current, files)


def receive(
    session: Session, state: KeptState[M], result: M | None, files: Files, elsewhere: str
) -> tuple[KeptState[M] | Any, ...]:
    """Show what was made: returns (state, status, view, downloads); of another run than the open one it is kept, and
    `elsewhere` is said."""
    if result is None:
        return tuple(gr.skip() for _ in range(3 + len(files)))
    saved = (*(one for one in state.saved if one.run != result.run), result)[-KEPT:]
    if result.run != session.run:
        return replace(state, saved=saved), closing("Done", elsewhere), *(gr.skip() for _ in range(1 + len(files)))
    return KeptState(result.run, saved), closing("Done", ""), *shown(result, files)


def shown(result: MadeOfRun | None, files: Files) -> tuple[Any, ...]:
    """(view, downloads) of what was made, or nothing in their places."""
    if result is None:
        return "", *(gr.update(value=None, interactive=False) for _ in files)
    view = gr.update(value=result.view, run=result.run)
    return view, *(gr.update(value=str(path), interactive=True) for path in result.files)


def write_files(kind: str, files: Files, *contents: str | dict[str, Any] | pd.DataFrame) -> tuple[Path, ...]:
    """Write what may be taken away, in the order of `files`: a page, a document for JSON, or a table for CSV each."""
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
    """What a `gr.HTML` needs whose presses and samples do something."""
    return {"js_on_load": script("pane"), "server_functions": [describe], **PLAIN}


def check_characters(text: str, what: str, instead: str) -> None:
    """Refuse what is too long for the page.

    Args:
        what: a plural, such as "tags".
        instead: what to do about it, a sentence.

    Raises:
        InvalidInput: it has more than 200,000 characters.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput(
            f"The {what} may have {MAX_CHARACTERS:,} characters here: these have {len(text):,}. {instead}"
        )


def made_parts(
    kind: str, title: str, files: Files, first: str, *, width: int = 210, interactive: bool = True
) -> MadeParts:
    """Lay out the buttons, the line on how it goes, the view, and the downloads."""
    with gr.Row(elem_classes="made-row"):
        more: dict[str, Any] = {"scale": 0, "min_width": width, "interactive": interactive}
        run = gr.Button(title, variant="primary", elem_id=f"{kind}-run", **more)
        cancel = gr.Button("Cancel", elem_id=f"{kind}-cancel", scale=0, min_width=110, interactive=False)
    line = gr.HTML("", elem_id=f"{kind}-status", **PLAIN)
    view = gr.HTML("", run=first, elem_id=f"{kind}-made", **pane())
    return MadeParts(run, cancel, line, view, take_buttons(files))


def take_buttons(files: Files) -> list[Any]:
    """A row of buttons, one for each file."""
    return download_row([(f"take-{name.replace('.', '-')}", title) for name, title in files])[1]
