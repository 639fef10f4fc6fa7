"""Visual words, below the tags of the tab Ask: parts of the open run's images that go with failure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from core.errors import InvalidInput
from core.records import Diagnosis, Progress
from webapp.ask.kept import KeptState, has_pictures, made_parts, receive, reopened, write_files
from webapp.explore.patches import keep_patches
from webapp.explore.picked import show_selection
from webapp.markup.render import renderer
from webapp.panels import Page
from webapp.state.caches import own_cache
from webapp.state.events import as_int, event_data
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, follow, wire_cancel
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, shows_errors
from webapp.systems.visual_words.patches import WordPatches

if TYPE_CHECKING:
    from core.systems.visual_words.html import ShownName, ShownWord
    from core.systems.visual_words.search import VisualSearch

FILES = (
    ("visual_words.html", "Visual words (HTML)"),
    ("visual_words.json", "Words (JSON)"),
    ("visual_words_of_samples.csv", "Images (CSV)"),
)

ELSEWHERE = "These visual words belong to another run. Open that run to see them."
OPEN_WORDS = 3
"""Words shown unfolded where no word is confirmed."""
render = renderer(Path(__file__).parent / "templates")


@dataclass(frozen=True, slots=True, eq=False)
class FoundWords:
    """The words of a run as shown, and their files."""

    run: str
    view: str
    findings: tuple[tuple[str, str, tuple[int, ...]], ...]
    """Name, scope and rows of each shown word, in their order."""
    files: tuple[Path, ...]
    patches: WordPatches
    """The patches for Findings."""


def make_words(session: Session, progress: Progress) -> FoundWords:
    """Find visual words in the open run's images, and write the files.

    Raises:
        InvalidInput: the run has no images.
    """
    from core.systems.common.run_pictures import pictures_of
    from core.systems.visual_words.html import shown_maps, shown_names, shown_words, visual_page
    from core.systems.visual_words.maps import maps_of
    from core.systems.visual_words.search import search_words
    from core.systems.visual_words.tables import visual_document, visual_table

    diagnosis = require_run(session)
    images = pictures_of(diagnosis)
    search = search_words(diagnosis, images=images, cache=own_cache(), progress=progress)
    words = shown_words(search, images)
    names = shown_names(search, images, diagnosis)
    page = visual_page(search, words, names, shown_maps(search, images))
    paths = write_files("visual", FILES, page, visual_document(search), visual_table(search))
    findings = list[tuple[str, str, tuple[int, ...]]]()
    for word in words:
        rows = search.rows[np.flatnonzero(word.finding.rows)]
        findings.append((word.finding.name, word.finding.scope, tuple(rows.tolist())))
    patches = WordPatches(maps_of(search), tuple(names))
    keep_patches(session.run, patches)
    return FoundWords(session.run, words_view(search, words, names), tuple(findings), paths, patches)


def words_view(search: VisualSearch, shown: Sequence[ShownWord], names: Sequence[ShownName] = ()) -> str:
    """The verdict, the clusters named by a word, and each listed word with its crops."""
    from core.systems.visual_words.wording import RULE, unnamed_sentence, verdict

    n_open = len(search.confirmed) or OPEN_WORDS
    return render(
        "visual.html.j2",
        verdict=verdict(search),
        rule=RULE,
        names=names,
        unnamed=unnamed_sentence(search),
        words=shown,
        n_open=n_open,
        notes=search.notes,
    )


def intro(diagnosis: Diagnosis | None) -> str:
    """What visual words are for, or that this run has no images."""
    return render("visual_intro.html.j2", pictures=diagnosis is not None and has_pictures(diagnosis))


def on_words(session: Session) -> Iterator[tuple[Any, ...]]:
    """Find visual words; yields (job id, status, found words)."""
    require_run(session)
    job = Job(lambda progress: make_words(session, progress))
    yield from follow(job, "The visual words were not found", None)


def on_found(session: Session, state: KeptState[FoundWords], words: FoundWords | None) -> tuple[Any, ...]:
    """Show the words, or save those of a run that is not open: returns (state, status, view, downloads, pane of
    Explore)."""
    pane = gr.skip()
    if words is not None and words.run == session.run:
        pane = show_selection(session)[1]
    return *receive(session, state, words, FILES, ELSEWHERE), pane


def on_show(session: Session, state: KeptState[FoundWords], event: gr.EventData) -> tuple[Any, ...]:
    """Show the samples with a word on the map: returns (tabs, session, pane, map)."""
    index = as_int(event_data(event).get("place"))
    words = state.current
    if words is None or state.run != session.run or not 0 <= index < len(words.findings):
        raise InvalidInput("These visual words belong to another run. Find those of the open run.")
    name, scope, rows = words.findings[index]
    mapped = show_selection(session.only(rows=rows, title=f"Has {name}", scope=scope))
    return gr.update(selected="explore"), *mapped


def on_run(session: Session, state: KeptState[FoundWords]) -> tuple[Any, ...]:
    """Update the tab: returns (accordion, hidden without images, then the values of `reopened`)."""
    accordion = gr.skip()
    if session.run:
        accordion = gr.update(visible=has_pictures(RUNS.get(session.run)))
    return accordion, *reopened(session, state, intro, FILES)


def build(page: Page, tab: gr.Tab) -> None:
    """Lay out the accordion and wire it."""
    session = page.session
    view = page.view
    tabs = page.tabs
    first = page.first
    diagnosis = page.diagnosis
    state = gr.State(KeptState(first), time_to_live=STATE_S)
    job = gr.State("")
    found = gr.State(None)
    visible = diagnosis is None or has_pictures(diagnosis)
    with gr.Accordion(label="Visual words", open=False, visible=visible, elem_id="visual") as folded:
        intro_pane = gr.HTML(intro(diagnosis), elem_id="visual-intro", **PLAIN)
        parts = made_parts("visual", "Find visual words", FILES, first)
    line = parts.status
    words = parts.view
    searched = parts.run.click(shows_errors(on_words), [session], [job, line, found], **HEAVY, **PRIVATE)
    outputs = [state, line, words, *parts.buttons, view.pane]
    searched.success(shows_errors(on_found), [session, state, found], outputs, **PRIVATE)
    wire_cancel(parts.cancel, job)
    mapped = [tabs, session, view.pane, view.failure_map]
    words.act(shows_errors(on_show), [session, state], mapped, **QUICK)
    opened = [folded, state, intro_pane, parts.run, line, words, *parts.buttons]
    tab.select(shows_errors(on_run), [session, state], opened, **QUICK)
