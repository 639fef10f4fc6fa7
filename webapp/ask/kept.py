"""Parts of the place Ask that make a result of the open run: their fields, their job, their view, and their files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.errors import InvalidInput
from core.files import write_json, write_text
from core.records import Diagnosis, Progress
from webapp.explore.picked import show_selection
from webapp.explore.tab import describe
from webapp.markup.components import download_row, script
from webapp.panels import Opening, Page
from webapp.state.downloads import csv_of, fresh_folder
from webapp.state.events import as_int, event_data
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, closing, follow, wire_cancel
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, shows_errors

if TYPE_CHECKING:
    import pandas as pd

MAX_SAVED_RUNS = 3
"""Runs whose results a visit keeps."""
MAX_CHARACTERS = 200_000
"""Of typed or pasted text."""
MAX_EXAMPLE = 400
"""Characters of an example that a press puts into a field."""
ELSEWHERE = "This result belongs to another run. Open that run to see it."

Files = Sequence[tuple[str, str]]
"""(file name, button title) pairs."""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A part's result on a run."""

    run: str
    view: str
    files: tuple[Path, ...]
    picks: tuple[dict[str, Any], ...] = ()
    """What each place of the view shows on the map, as arguments of `Session.only`."""
    count: int = 1
    """Number of results on this run in this visit."""
    about: Any = None
    """What else the part shows of it."""


@dataclass(frozen=True, slots=True, eq=False)
class KeptState:
    """A visitor's results on the last runs."""

    run: str = ""
    """The run shown."""
    saved: tuple[Made, ...] = ()
    """Results of the last runs, shown again when they are opened."""

    @property
    def current(self) -> Made | None:
        """The result of this run, or None."""
        return next((made for made in self.saved if made.run == self.run), None)

    def next_count(self, run: str) -> int:
        """Return the number of the next result on a run."""
        return 1 + next((made.count for made in self.saved if made.run == run), 0)

    def pressed(self, session: Session, event: gr.EventData) -> tuple[Made, int]:
        """Return the result of the open run and the pressed place of its view.

        Raises:
            InvalidInput: the result belongs to another run, or has no such place.
        """
        index = as_int(event_data(event).get("place"))
        made = self.current
        if made is None or self.run != session.run or not 0 <= index < len(made.picks):
            raise InvalidInput("This result belongs to another run. Make it again for the open run.")
        return made, index


def has_pictures(diagnosis: Diagnosis) -> bool:
    """Whether the run has stored images."""
    return diagnosis.samples.items is not None and diagnosis.samples.modality == "image"


def has_words(diagnosis: Diagnosis | None) -> bool:
    """Whether the run can be asked in words; True without a run."""
    return diagnosis is None or diagnosis.words is not None


def shown(made: Made | None, files: Files) -> tuple[Any, ...]:
    """Return (view, downloads) of a result, empty without one."""
    if made is None:
        return "", *(gr.update(value=None, interactive=False) for _ in files)
    view = gr.update(value=made.view, run=made.run)
    return view, *(gr.update(value=str(path), interactive=True) for path in made.files)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of Ask: a button makes a result of the open run, which later visits to the run show again."""

    key: str
    """Begins the ids of its components."""
    title: str
    button: str
    files: Files
    failed: str
    """Title of the status after an error."""
    intro: Callable[[Diagnosis], str]
    """What the part is for, or what the run lacks though the part is visible."""
    work: Callable[..., Callable[[Progress], Made]]
    """(session, state, values of the fields) -> the work of the job; raises InvalidInput for unusable fields."""
    offered: Callable[[Diagnosis], bool] = has_pictures
    """Whether the part is visible."""
    usable: Callable[[Diagnosis], bool] | None = None
    """Whether the button of the visible part can be pressed; None where it always can."""
    first: Callable[[Diagnosis], str] | None = None
    """The text with which the part of a shared example opens, or ""."""

    def start(self, session: Session, state: KeptState, *fields: Any) -> Iterator[tuple[Any, ...]]:
        """Make a result; yields (job id, status, result)."""
        require_run(session)
        job = Job(self.work(session, state, *fields))
        yield from follow(job, self.failed, None)

    def start_first(self, session: Session, state: KeptState) -> Iterator[tuple[Any, ...]]:
        """Make the first result of a shared example, so that the part is not empty; yields (field, then as `start`).
        On a visitor's own run only what they ask is tested."""
        text = ""
        if self.first and state.current is None and RUNS.is_example(session.run):
            text = self.first(RUNS.get(session.run))
        if not text:
            yield tuple(gr.skip() for _ in range(4))
            return
        for updates in self.start(session, state, text):
            yield text, *updates

    def receive(self, session: Session, state: KeptState, made: Made | None) -> tuple[Any, ...]:
        """Show a result: returns (state, status, view, downloads). A result on another run is saved for it."""
        if made is None:
            return tuple(gr.skip() for _ in range(3 + len(self.files)))
        saved = (*(earlier for earlier in state.saved if earlier.run != made.run), made)[-MAX_SAVED_RUNS:]
        if made.run != session.run:
            skipped = (gr.skip() for _ in range(1 + len(self.files)))
            return replace(state, saved=saved), closing("Done", ELSEWHERE), *skipped
        return KeptState(made.run, saved), closing("Done", ""), *shown(made, self.files)

    def reopen(self, session: Session, state: KeptState) -> tuple[Any, ...]:
        """Show the open run's earlier result: returns (part, intro, run button, then as `receive`); nothing changes for
        the run already shown."""
        if not session.run or state.run == session.run:
            return tuple(gr.skip() for _ in range(6 + len(self.files)))
        diagnosis = RUNS.get(session.run)
        opened = KeptState(session.run, state.saved)
        fold = gr.update(visible=self.offered(diagnosis))
        button = gr.update(interactive=self.usable is None or self.usable(diagnosis))
        return fold, self.intro(diagnosis), button, opened, "", *shown(opened.current, self.files)


def on_show(session: Session, state: KeptState, event: gr.EventData) -> tuple[Any, ...]:
    """Show what a pressed place of the view stands for on the map: returns (tabs, session, pane, map)."""
    made, index = state.pressed(session, event)
    return gr.update(selected="explore"), *show_selection(session.only(**made.picks[index]))


def on_example(event: gr.EventData) -> str:
    """Return the text of a pressed example."""
    return str(event_data(event).get("text", ""))[:MAX_EXAMPLE]


@dataclass(frozen=True)
class BuiltPart:
    """The components of a part, and what follows its results."""

    fold: Any
    fields: list[Any]
    status: gr.HTML
    view: gr.HTML
    state: gr.State
    made: list[Any]
    """Events after which a new result is shown."""
    opened: Any
    """The event after which the result of the open run is shown."""


def build_part(
    part: Part, page: Page, opening: Opening, fields: Callable[[], list[Any]] = list, fold: Any = None
) -> BuiltPart:
    """Lay out a part and wire it. Examples in its intro, and a submit of its first field, start it.

    Args:
        fields: lays out the fields; their values go to `part.work`.
        fold: the block around the part; None makes an accordion.
    """
    session = page.session
    state = gr.State(KeptState(), time_to_live=STATE_S)
    job = gr.State("")
    result = gr.State(None)
    if fold is None:
        fold = gr.Accordion(part.title, open=False, visible=False, elem_id=part.key)
    with fold:
        intro = gr.HTML("", run="", elem_id=f"{part.key}-intro", **pane())
        inputs = fields()
        with gr.Row(elem_classes="made-row"):
            run = gr.Button(part.button, variant="primary", elem_id=f"{part.key}-run", scale=0, min_width=180)
            cancel = gr.Button("Cancel", elem_id=f"{part.key}-cancel", scale=0, min_width=110, interactive=False)
        status = gr.HTML("", elem_id=f"{part.key}-status", **PLAIN)
        view = gr.HTML("", run="", elem_id=f"{part.key}-made", **pane())
        titles = [(f"take-{name.replace('.', '-')}", title) for name, title in part.files]
        files = download_row(titles, visible=bool(titles))[1]
    progress = [job, status, result]
    how: dict[str, Any] = {**HEAVY, **PRIVATE}
    start: dict[str, Any] = {"fn": shows_errors(part.start), "inputs": [session, state, *inputs], "outputs": progress}
    pressed = [run.click]
    started = list[Any]()
    if inputs and isinstance(inputs[0], gr.Textbox):
        pressed.append(inputs[0].submit)
        chosen = intro.act(shows_errors(on_example), None, inputs[:1], **QUICK)
        started.append(chosen.success(**start, **how))
    if part.first:
        begin = shows_errors(part.start_first)
        started.append(fold.expand(begin, [session, state], [inputs[0], *progress], **how))
    started.append(gr.on(pressed, **start, **how))
    outputs = [state, status, view, *files]
    receive = shows_errors(part.receive)
    made = [event.success(receive, [session, state, result], outputs, **PRIVATE) for event in started]
    wire_cancel(cancel, job)
    opened = opening.select(shows_errors(part.reopen), [session, state], [fold, intro, run, *outputs], **QUICK)
    return BuiltPart(fold, inputs, status, view, state, made, opened)


def wire_map(page: Page, built: BuiltPart, view: gr.HTML) -> None:
    """Let a press of a place in the view show it on the map."""
    mapped = [page.tabs, page.session, page.view.pane, page.view.failure_map]
    view.act(shows_errors(on_show), [page.session, built.state], mapped, **QUICK)


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
