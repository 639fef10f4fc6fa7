"""Tags below the questions of the tab Ask: a list of suspected causes, tagged by words alone and tested as one family
on the open run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from core.errors import InvalidInput
from core.records import EVERYTHING, Diagnosis, Progress
from core.systems.label_descriptions.tags import SHIPPED, read_tags
from webapp.ask.kept import KeptState, Made, Part, build_part, check_characters, has_words, pane, wire_map, write_files
from webapp.panels import Opening, Page
from webapp.state.caches import own_cache
from webapp.state.events import event_data
from webapp.state.jobs import PRIVATE, QUICK
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, shows_errors
from webapp.systems.label_descriptions.view import carriers, render, tagged_view, tags_view

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


def make_tags(session: Session, names: str, lists: int, progress: Progress) -> Made:
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
    files = write_files("tags", FILES, tags_document(diagnosis, report), *tables)
    picks = list[dict[str, Any]]()
    for i, tag in enumerate(report.tags):
        rows = tuple(carriers(report, i).tolist())
        picks.append({"rows": rows, "title": f"Tagged “{tag.name}”", "scope": EVERYTHING})
    view = tags_view(report, lists, diagnosis.prediction)
    return Made(session.run, view, files, tuple(picks), lists, report)


def tags_work(session: Session, state: KeptState, names: str | None) -> Callable[[Progress], Made]:
    """Check the names, and return the work that tests them."""
    text = checked_names(names)
    return lambda progress: make_tags(session, text, state.next_count(session.run), progress)


def first_list(diagnosis: Diagnosis) -> str:
    """The first list of an example's modality, or "" where it has none."""
    lists = EXAMPLES.get(diagnosis.samples.modality, ())
    if not lists or not has_words(diagnosis):
        return ""
    return lists[0][0]


def on_strongest(session: Session, state: KeptState) -> Any:
    """Show the samples of the strongest tag of the shown list; nothing without a list."""
    view = ""
    if state.current is not None:
        view = tagged_view(RUNS.get(state.run), state.current.about, 0)
    return gr.update(value=view, run=state.run)


def on_pick(session: Session, state: KeptState, event: gr.EventData) -> Any:
    """Show the samples of a pressed tag."""
    if event_data(event).get("do") != "tag":
        return gr.skip()
    made, index = state.pressed(session, event)
    return tagged_view(RUNS.get(session.run), made.about, index)


def intro(diagnosis: Diagnosis) -> str:
    """Introduce tags with example lists."""
    return render("tags_intro.html.j2", chips=EXAMPLES.get(diagnosis.samples.modality, ()))


def fields() -> list[Any]:
    """The field of the names."""
    names = gr.Textbox(
        label="Tags: names separated by commas or line breaks, or JSON with descriptions",
        placeholder='negation, sarcasm; or {"negation": ["not", "a text that denies something"]}',
        elem_id="tag-names",
        lines=2,
        max_lines=8,
    )
    return [names]


PART = Part(
    "tags",
    "Tags: test several causes at once",
    "Test the tags",
    FILES,
    failed="The tags were not tested",
    intro=intro,
    work=tags_work,
    offered=has_words,
    first=first_list,
)


def build(page: Page, opening: Opening) -> None:
    """Lay out the accordion and wire it."""
    built = build_part(PART, page, opening, fields)
    with built.fold:
        tagged = gr.HTML("", run="", elem_id="tagged", **pane())
    seen = [page.session, built.state]
    for event in (*built.made, built.opened):
        event.success(shows_errors(on_strongest), seen, tagged, **PRIVATE)
    picked = built.view.act(shows_errors(on_pick), seen, tagged, **QUICK)
    picked.success(None, None, None, js=TO_TAGGED, **PRIVATE)
    wire_map(page, built, tagged)


TO_TAGGED = (
    "() => { const title = document.querySelector('#tagged h3');"
    " title?.scrollIntoView({ block: 'start' }); title?.focus({ preventScroll: true }); return []; }"
)
