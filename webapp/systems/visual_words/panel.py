"""Visual words, below the tags of the tab Ask: which parts of the open run's images go with failure."""

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
    from core.systems.visual_words.findings import WordFinding
    from core.systems.visual_words.html import ShownName, ShownWord
    from core.systems.visual_words.search import VisualSearch

FILES = (
    ("visual_words.html", "Visual words (HTML)"),
    ("visual_words.json", "Words (JSON)"),
    ("visual_words_of_samples.csv", "Images (CSV)"),
)

ELSEWHERE = "These visual words are of another run. Open that run again to see them."
FIRST = 3
"""Words that stand open where none is confirmed."""
render = renderer(Path(__file__).parent / "templates")


@dataclass(frozen=True, slots=True, eq=False)
class FoundWords:
    """The words of a run as they are shown, and the files to take away."""

    run: str
    view: str
    findings: tuple[tuple[str, str, tuple[int, ...]], ...]
    """Name, scope and the run's rows of each word that is shown, in their order."""
    files: tuple[Path, ...]
    patches: WordPatches
    """What Explore shows of them."""


def make_words(session: Session, progress: Progress) -> FoundWords:
    """Look for visual words in the open run's images and write what may be taken away.

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
    found = tuple(_found(search, word.finding) for word in words)
    patches = WordPatches(maps_of(search), tuple(names))
    keep_patches(session.run, patches)
    return FoundWords(session.run, words_view(search, words, names), found, paths, patches)


def _found(search: VisualSearch, finding: WordFinding) -> tuple[str, str, tuple[int, ...]]:
    return finding.name, finding.scope, tuple(search.rows[np.flatnonzero(finding.rows)].tolist())


def words_view(search: VisualSearch, shown: Sequence[ShownWord], names: Sequence[ShownName] = ()) -> str:
    """The verdict, the clusters that a word tells, and each listed word with its crops."""
    from core.systems.visual_words.wording import RULE, unnamed_sentence, verdict

    n_open = len(search.confirmed) or FIRST
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
    """Look for them; yields (job id, status, what was found)."""
    require_run(session)
    job = Job(lambda progress: make_words(session, progress))
    yield from follow(job, "The visual words were not found", None)


def on_found(session: Session, state: KeptState[FoundWords], found: FoundWords | None) -> tuple[Any, ...]:
    """Show what was found: returns (state, status, view, downloads, Explore's pane); of another run than the open one
    it is kept, and said."""
    is_open = found is not None and found.run == session.run
    return *receive(session, state, found, FILES, ELSEWHERE), show_selection(session)[1] if is_open else gr.skip()


def on_show(session: Session, state: KeptState[FoundWords], event: gr.EventData) -> tuple[Any, ...]:
    """Show the samples with a word on the map: returns (tabs, session, pane, map)."""
    place = as_int(event_data(event).get("place"))
    found = state.current
    if found is None or state.run != session.run or not 0 <= place < len(found.findings):
        raise InvalidInput("These visual words are of another run than the open one. Look for them again.")
    name, scope, rows = found.findings[place]
    mapped = show_selection(session.only(rows=rows, title=f"Has {name}", scope=scope))
    return gr.update(selected="explore"), *mapped


def on_run(session: Session, state: KeptState[FoundWords]) -> tuple[Any, ...]:
    """The tab is shown: returns (accordion, then what `reopened` gives); there is none where the run has no
    images."""
    there = gr.update(visible=has_pictures(RUNS.get(session.run))) if session.run else gr.skip()
    return there, *reopened(session, state, intro, FILES)


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
    named: dict[str, Any] = {"label": "Visual words: which parts of the images fail?", "elem_id": "visual"}
    with gr.Accordion(open=False, visible=diagnosis is None or has_pictures(diagnosis), **named) as folded:
        said = gr.HTML(intro(diagnosis), elem_id="visual-intro", **PLAIN)
        parts = made_parts("visual", "Look for visual words", FILES, first)
    line = parts.status
    words = parts.view
    looked = parts.run.click(shows_errors(on_words), [session], [job, line, found], **HEAVY, **PRIVATE)
    told = [state, line, words, *parts.buttons, view.pane]
    looked.success(shows_errors(on_found), [session, state, found], told, **PRIVATE)
    wire_cancel(parts.cancel, job)
    mapped = [tabs, session, view.pane, view.failure_map]
    words.act(shows_errors(on_show), [session, state], mapped, **QUICK)
    opened = [folded, state, said, parts.run, line, words, *parts.buttons]
    tab.select(shows_errors(on_run), [session, state], opened, **QUICK)
