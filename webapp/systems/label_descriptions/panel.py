"""Tags below the questions of the tab Ask: a list of suspected causes, tagged by words alone and tested as one family
on the open run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.errors import InvalidInput
from core.records import EVERYTHING, Diagnosis, Progress
from core.systems.label_descriptions.tags import SHIPPED, read_tags
from webapp.ask.kept import check_characters, has_words, pane, take_buttons, write_files
from webapp.explore.picked import show_selection
from webapp.panels import Page
from webapp.state.caches import own_cache
from webapp.state.events import as_int, event_data
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, closing, follow, wire_cancel
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, shows_errors
from webapp.systems.label_descriptions.render import render
from webapp.systems.label_descriptions.view import carriers, tagged_view, tags_view

if TYPE_CHECKING:
    from core.systems.label_descriptions.tagging import TagReport

FILES = (("tags.json", "Tags (JSON)"), ("tags.csv", "Tags (CSV)"), ("tags_of_samples.csv", "Samples (CSV)"))
EXAMPLES = {
    "image": (
        ("darkness, falling snow, fog, a small object far away, a desert, flowers", "light, weather, size, place"),
        ("motion blur, overexposure, several things, people, water, indoors", "quality and company"),
    ),
    "text": (
        ("negation, sarcasm, numbers, a question, money, names of people", "six causes"),
        (SHIPPED, "sixty shipped causes"),
    ),
}
"""By modality: (names, label of the button)."""
NO_NAMES = (
    "Name at least one tag. Separate names by commas, or paste JSON: "
    '{"negation": ["not", "a text that denies something"], ...}.'
)


@dataclass(frozen=True, slots=True, eq=False)
class TagsState:
    """Lists that a visitor has tested on one run."""

    run: str = ""
    report: TagReport | None = None
    """Of the last list."""
    lists: int = 0
    """Number tested in this visit."""


@dataclass(frozen=True, slots=True, eq=False)
class TaggedRun:
    """Report of a list, and its files for download."""

    run: str
    report: TagReport
    files: tuple[Path, ...]


@dataclass(frozen=True)
class TagParts:
    """Components of the accordion."""

    fold: gr.Accordion
    intro: gr.HTML
    names: gr.Textbox
    run: gr.Button
    cancel: gr.Button
    status: gr.HTML
    table: gr.HTML
    tagged: gr.HTML
    buttons: list[Any]

    def views(self) -> list[Any]:
        """Components that a tested list fills."""
        return [self.status, self.table, self.tagged, *self.buttons]


def checked_names(typed: str | None) -> str:
    """Check that the text is names or JSON. A path is refused, since a visitor must not read the server's files.

    Raises:
        InvalidInput: the text is empty, too long, or the name of a file.
    """
    text = (typed or "").strip()
    if not text:
        raise InvalidInput(NO_NAMES)
    check_characters(text, "tags", "Shorten them, or use the command `tag`.")
    if not text.startswith(("{", "[")) and text.lower().endswith((".json", ".tsv", ".txt")):
        raise InvalidInput(f"The tags must be names or JSON, not a file: got {text[-40:]!r}. Paste the file’s text.")
    return text


def make_tags(session: Session, names: str, progress: Progress) -> TaggedRun:
    """Tag the open run's samples and write the files for download.

    Raises:
        InvalidInput: the names cannot be used, or the run has no words.
    """
    from core.systems.label_descriptions.tables import samples_table, tags_document, tags_table
    from core.systems.label_descriptions.tagging import tag_samples  # imports the encoder

    diagnosis = require_run(session)
    tags = read_tags(checked_names(names), diagnosis.samples.modality)
    report = tag_samples(diagnosis, tags, cache=own_cache(), progress=progress)
    tables = tags_table(report), samples_table(diagnosis, report)
    return TaggedRun(session.run, report, write_files("tags", FILES, tags_document(diagnosis, report), *tables))


def on_tags(session: Session, names: str | None) -> Iterator[tuple[Any, ...]]:
    """Test a list; yields (job id, status, `TaggedRun`)."""
    require_run(session)
    text = checked_names(names)
    job = Job(lambda progress: make_tags(session, text, progress))
    yield from follow(job, "The tags were not tested", None)


def on_first(session: Session, state: TagsState) -> Iterator[tuple[Any, ...]]:
    """Test the first list of an example when the accordion opens, so that it is not empty; yields (field, job id,
    status, `TaggedRun`). On a visitor's run only lists that they name are tested."""
    if state.report is not None or not RUNS.is_example(session.run):
        yield tuple(gr.skip() for _ in range(4))
        return
    diagnosis = RUNS.get(session.run)
    lists = EXAMPLES.get(diagnosis.samples.modality)
    if diagnosis.words is None or not lists:
        yield tuple(gr.skip() for _ in range(4))
        return
    names, _ = lists[0]
    for updates in on_tags(session, names):
        yield names, *updates


def on_tagged(session: Session, state: TagsState, tested: TaggedRun | None) -> tuple[Any, ...]:
    """Show a tested list; returns (state, status, table, samples of the strongest tag, downloads). If another run is
    open, only a message."""
    if tested is None:
        return tuple(gr.skip() for _ in range(4 + len(FILES)))
    if tested.run != session.run:
        message = closing("Done", "These tags belong to another run. Open that run and test the list again.")
        return gr.skip(), message, *(gr.skip() for _ in range(2 + len(FILES)))
    n_before = state.lists if state.run == tested.run else 0
    state = TagsState(tested.run, tested.report, n_before + 1)
    diagnosis = RUNS.get(tested.run)
    table = gr.update(value=tags_view(tested.report, state.lists, diagnosis.prediction), run=tested.run)
    tagged = gr.update(value=tagged_view(diagnosis, tested.report, 0), run=tested.run)
    return state, gr.skip(), table, tagged, *(gr.update(value=str(path), interactive=True) for path in tested.files)


def on_pick(session: Session, state: TagsState, event: gr.EventData) -> Any:
    """Show the samples of a pressed tag."""
    data = event_data(event)
    if data.get("do") != "tag":
        return gr.skip()
    return tagged_view(RUNS.get(session.run), *_picked(session, state, data))


def on_show(session: Session, state: TagsState, event: gr.EventData) -> tuple[Any, ...]:
    """Show a tag's samples on the map; returns (tabs, session, pane, map)."""
    report, index = _picked(session, state, event_data(event))
    rows = tuple(carriers(report, index).tolist())
    title = f"Tagged “{report.tags[index].name}”"
    shown = show_selection(session.only(rows=rows, title=title, scope=EVERYTHING))
    return gr.update(selected="explore"), *shown


def _picked(session: Session, state: TagsState, data: dict[str, Any]) -> tuple[TagReport, int]:
    index = as_int(data.get("place"))
    if state.report is None or state.run != session.run or not 0 <= index < len(state.report.tags):
        raise InvalidInput("These tags belong to another run. Test the list again.")
    return state.report, index


def intro(diagnosis: Diagnosis) -> str:
    """Introduce tags with example lists; or say that the run lacks a text encoder."""
    chips = EXAMPLES.get(diagnosis.samples.modality, ())
    return render("tags_intro.html.j2", has_words=diagnosis.words is not None, chips=chips)


def on_run(session: Session, state: TagsState) -> tuple[Any, ...]:
    """Fill the accordion for the open run; returns (accordion, state, field, intro, button, status, table, samples,
    downloads). Nothing changes for a run already shown; the accordion is hidden for a run without words."""
    if not session.run or state.run == session.run:
        return tuple(gr.skip() for _ in range(8 + len(FILES)))
    diagnosis = RUNS.get(session.run)
    downloads = (gr.update(value=None, interactive=False) for _ in FILES)
    accordion = gr.update(visible=has_words(diagnosis))
    button = gr.update(interactive=has_words(diagnosis))
    return accordion, TagsState(session.run), "", intro(diagnosis), button, "", "", "", *downloads


def on_chip(event: gr.EventData) -> str:
    """Put the names of a pressed example into the field."""
    data = event_data(event)
    if data.get("do") != "tags":
        return gr.skip()  # type: ignore[return-value]
    return str(data.get("text", ""))[:400]


def build(page: Page, tab: gr.Tab) -> None:
    """Lay out the accordion and wire it."""
    session = page.session
    view = page.view
    tabs = page.tabs
    first = page.first
    diagnosis = page.diagnosis
    parts = _layout(diagnosis, first)
    state = gr.State(TagsState(first), time_to_live=STATE_S)
    job = gr.State("")
    tested = gr.State(None)
    progress = [job, parts.status, tested]
    test: dict[str, Any] = {"fn": shows_errors(on_tags), "inputs": [session, parts.names], "outputs": progress}
    heavy: dict[str, Any] = {**HEAVY, **PRIVATE}
    chosen = parts.intro.act(shows_errors(on_chip), None, parts.names, **QUICK)
    opened = parts.fold.expand(shows_errors(on_first), [session, state], [parts.names, *progress], **heavy)
    for event in (parts.run.click(**test, **heavy), chosen.success(**test, **heavy), opened):
        event.success(shows_errors(on_tagged), [session, state, tested], [state, *parts.views()], **PRIVATE)
    wire_cancel(parts.cancel, job)
    picked = parts.table.act(shows_errors(on_pick), [session, state], parts.tagged, **QUICK)
    picked.success(None, None, None, js=TO_TAGGED, **PRIVATE)
    mapped = [tabs, session, view.pane, view.failure_map]
    parts.tagged.act(shows_errors(on_show), [session, state], mapped, **QUICK)
    filled = [parts.fold, state, parts.names, parts.intro, parts.run, *parts.views()]
    tab.select(shows_errors(on_run), [session, state], filled, **QUICK)


def _layout(diagnosis: Diagnosis | None, first: str) -> TagParts:
    title = "Tags: test several causes at once"
    is_usable = has_words(diagnosis)
    with gr.Accordion(title, open=False, visible=is_usable, elem_id="tags") as fold:
        introduction = gr.HTML("" if diagnosis is None else intro(diagnosis), run=first, elem_id="tags-intro", **pane())
        with gr.Row(elem_classes="ask-row"):
            names = gr.Textbox(
                label="Tags: names separated by commas or line breaks, or JSON with descriptions",
                placeholder='negation, sarcasm; or {"negation": ["not", "a text that denies something"]}',
                elem_id="tag-names",
                lines=2,
                max_lines=8,
                scale=5,
                min_width=260,
            )
            more: dict[str, Any] = {"interactive": is_usable, "scale": 1, "min_width": 130}
            run = gr.Button("Test the tags", variant="primary", elem_id="tags-run", **more)
            cancel = gr.Button("Cancel", elem_id="tags-cancel", scale=0, min_width=110, interactive=False)
        line = gr.HTML("", elem_id="tags-status", **PLAIN)
        table = gr.HTML("", run=first, elem_id="tags-table", **pane())
        tagged = gr.HTML("", run=first, elem_id="tagged", **pane())
        return TagParts(fold, introduction, names, run, cancel, line, table, tagged, take_buttons(FILES))


TO_TAGGED = (
    "() => { const title = document.querySelector('#tagged h3');"
    " title?.scrollIntoView({ block: 'start' }); title?.focus({ preventScroll: true }); return []; }"
)
