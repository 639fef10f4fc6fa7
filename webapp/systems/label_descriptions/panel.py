"""Tags, below the questions of the tab Ask: a list of suspected causes, each told from words alone, tested as one
family on the open run."""

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
        (SHIPPED, "sixty causes that ship"),
    ),
}
"""By modality: (what is tested, what its button says)."""
NO_NAMES = (
    "No tag was named. Write what you suspect with commas between, such as “negation, sarcasm”, or paste JSON: "
    '{"negation": ["not", "a text that denies something"], ...}.'
)


@dataclass(frozen=True, slots=True, eq=False)
class TagsState:
    """What a visitor has tested on one run."""

    run: str = ""
    report: TagReport | None = None
    """Of the last list."""
    lists: int = 0
    """So many were tested in this visit."""


@dataclass(frozen=True, slots=True, eq=False)
class TaggedRun:
    """What a list gave, and the files to take away."""

    run: str
    report: TagReport
    files: tuple[Path, ...]


@dataclass(frozen=True)
class TagParts:
    """The components."""

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
        """What a list that was tested fills."""
        return [self.status, self.table, self.tagged, *self.buttons]


def checked_names(said: str | None) -> str:
    """What was typed or pasted, provided that it is names or JSON and no path, which no visitor may give.

    Raises:
        InvalidInput: it is empty, too long, or the name of a file.
    """
    text = (said or "").strip()
    if not text:
        raise InvalidInput(NO_NAMES)
    check_characters(text, "tags", "Shorten them, or use the command `tag`.")
    if not text.startswith(("{", "[")) and text.lower().endswith((".json", ".tsv", ".txt")):
        raise InvalidInput(
            f"The tags must be names, or the JSON itself, here: got {text[-40:]!r}. Paste the file’s text."
        )
    return text


def make_tags(session: Session, said: str, progress: Progress) -> TaggedRun:
    """Tag the open run's samples and write what may be taken away.

    Raises:
        InvalidInput: the names cannot be used, or the run has no words.
    """
    from core.systems.label_descriptions.tagging import tag_samples  # brings the encoder

    diagnosis = require_run(session)
    tags = read_tags(checked_names(said), diagnosis.samples.modality)
    report = tag_samples(diagnosis, tags, cache=own_cache(), progress=progress)
    return TaggedRun(session.run, report, _files(diagnosis, report))


def _files(diagnosis: Diagnosis, report: TagReport) -> tuple[Path, ...]:
    from core.systems.label_descriptions.tables import samples_table, tags_document, tags_table

    tables = tags_table(report), samples_table(diagnosis, report)
    return write_files("tags", FILES, tags_document(diagnosis, report), *tables)


def on_tags(session: Session, said: str | None) -> Iterator[tuple[Any, ...]]:
    """Test a list; yields (job id, status, what was made)."""
    require_run(session)
    text = checked_names(said)
    job = Job(lambda progress: make_tags(session, text, progress))
    yield from follow(job, "The tags were not tested", None)


def on_first(session: Session, state: TagsState) -> Iterator[tuple[Any, ...]]:
    """The accordion is opened: of an example the first list is tested, so that there is something to see; yields
    (field, job id, status, what was made). Of a visitor's own run nothing is tested that they did not name."""
    if state.report is not None or not RUNS.is_example(session.run):
        yield tuple(gr.skip() for _ in range(4))
        return
    diagnosis = RUNS.get(session.run)
    lists = EXAMPLES.get(diagnosis.samples.modality)
    if diagnosis.words is None or not lists:
        yield tuple(gr.skip() for _ in range(4))
        return
    for said in on_tags(session, lists[0][0]):
        yield lists[0][0], *said


def on_tagged(session: Session, state: TagsState, made: TaggedRun | None) -> tuple[Any, ...]:
    """Show what was made: returns (state, status, table, samples of the strongest tag, downloads); where another run is
    open, that is said."""
    if made is None:
        return tuple(gr.skip() for _ in range(4 + len(FILES)))
    if made.run != session.run:
        said = closing("Done", "These tags are of another run. Open that run and test the list again to see them.")
        return gr.skip(), said, *(gr.skip() for _ in range(2 + len(FILES)))
    state = TagsState(made.run, made.report, (state.lists if state.run == made.run else 0) + 1)
    diagnosis = RUNS.get(made.run)
    table = gr.update(value=tags_view(made.report, state.lists, diagnosis.prediction), run=made.run)
    tagged = gr.update(value=tagged_view(diagnosis, made.report, 0), run=made.run)
    return state, gr.skip(), table, tagged, *(gr.update(value=str(path), interactive=True) for path in made.files)


def on_pick(session: Session, state: TagsState, event: gr.EventData) -> Any:
    """A tag was pressed: returns its samples."""
    said = event_data(event)
    return tagged_view(RUNS.get(session.run), *_picked(session, state, said)) if said.get("do") == "tag" else gr.skip()


def on_show(session: Session, state: TagsState, event: gr.EventData) -> tuple[Any, ...]:
    """Show a tag's samples on the map: returns (tabs, session, pane, map)."""
    report, place = _picked(session, state, event_data(event))
    rows = tuple(carriers(report, place).tolist())
    title = f"Carries “{report.tags[place].name}”"
    shown = show_selection(session.only(rows=rows, title=title, scope=EVERYTHING))
    return gr.update(selected="explore"), *shown


def _picked(session: Session, state: TagsState, said: dict[str, Any]) -> tuple[TagReport, int]:
    place = as_int(said.get("place"))
    if state.report is None or state.run != session.run or not 0 <= place < len(state.report.tags):
        raise InvalidInput("These tags are of another run than the open one. Test the list again.")
    return state.report, place


def intro(diagnosis: Diagnosis) -> str:
    """What tags are for, with lists worth a first try, or what the run lacks."""
    chips = EXAMPLES.get(diagnosis.samples.modality, ())
    return render("tags_intro.html.j2", has_words=diagnosis.words is not None, chips=chips)


def on_run(session: Session, state: TagsState) -> tuple[Any, ...]:
    """The tab is shown: returns (accordion, state, field, intro, button, status, table, samples, downloads) for the
    open run; nothing changes if it is the one already shown. There is no accordion where the run has no words."""
    if not session.run or state.run == session.run:
        return tuple(gr.skip() for _ in range(8 + len(FILES)))
    diagnosis = RUNS.get(session.run)
    downloads = (gr.update(value=None, interactive=False) for _ in FILES)
    there = gr.update(visible=has_words(diagnosis))
    button = gr.update(interactive=has_words(diagnosis))
    return there, TagsState(session.run), "", intro(diagnosis), button, "", "", "", *downloads


def on_chip(event: gr.EventData) -> str:
    """A list was pressed: returns it."""
    said = event_data(event)
    return str(said.get("text", ""))[:400] if said.get("do") == "tags" else gr.skip()  # type: ignore[return-value]


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
    made = gr.State(None)
    told = [job, parts.status, made]
    test: dict[str, Any] = {"fn": shows_errors(on_tags), "inputs": [session, parts.names], "outputs": told}
    heavy: dict[str, Any] = {**HEAVY, **PRIVATE}
    chosen = parts.intro.act(shows_errors(on_chip), None, parts.names, **QUICK)
    opened = parts.fold.expand(shows_errors(on_first), [session, state], [parts.names, *told], **heavy)
    for event in (parts.run.click(**test, **heavy), chosen.success(**test, **heavy), opened):
        event.success(shows_errors(on_tagged), [session, state, made], [state, *parts.views()], **PRIVATE)
    wire_cancel(parts.cancel, job)
    picked = parts.table.act(shows_errors(on_pick), [session, state], parts.tagged, **QUICK)
    picked.success(None, None, None, js=TO_TAGGED, **PRIVATE)
    mapped = [tabs, session, view.pane, view.failure_map]
    parts.tagged.act(shows_errors(on_show), [session, state], mapped, **QUICK)
    filled = [parts.fold, state, parts.names, parts.intro, parts.run, *parts.views()]
    tab.select(shows_errors(on_run), [session, state], filled, **QUICK)


def _layout(diagnosis: Diagnosis | None, first: str) -> TagParts:
    title = "Tags: which of many causes do the failures carry?"
    there = has_words(diagnosis)
    with gr.Accordion(title, open=False, visible=there, elem_id="tags") as fold:
        said = gr.HTML("" if diagnosis is None else intro(diagnosis), run=first, elem_id="tags-intro", **pane())
        with gr.Row(elem_classes="ask-row"):
            names = gr.Textbox(
                label="Tags: names with commas or line breaks between, or JSON of what is said of each",
                placeholder='such as: negation, sarcasm; or {"negation": ["not", "a text that denies something"]}',
                elem_id="tag-names",
                lines=2,
                max_lines=8,
                scale=5,
                min_width=260,
            )
            more: dict[str, Any] = {"interactive": there, "scale": 1, "min_width": 130}
            run = gr.Button("Test the tags", variant="primary", elem_id="tags-run", **more)
            cancel = gr.Button("Cancel", elem_id="tags-cancel", scale=0, min_width=110, interactive=False)
        line = gr.HTML("", elem_id="tags-status", **PLAIN)
        table = gr.HTML("", run=first, elem_id="tags-table", **pane())
        tagged = gr.HTML("", run=first, elem_id="tagged", **pane())
        return TagParts(fold, said, names, run, cancel, line, table, tagged, take_buttons(FILES))


TO_TAGGED = (
    "() => { const title = document.querySelector('#tagged h3');"
    " title?.scrollIntoView({ block: 'start' }); title?.focus({ preventScroll: true }); return []; }"
)
