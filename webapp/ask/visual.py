"""Visual words, below the tags of the tab Ask: which parts of the open run's pictures go with failure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from core.errors import InvalidInput
from core.files import write_json, write_text
from core.records import Diagnosis, Progress
from webapp.explore.patches import Patches, keep_patches
from webapp.explore.tab import View, describe, show_selection
from webapp.markup.components import download_row, script
from webapp.markup.render import render
from webapp.state.caches import own_cache
from webapp.state.downloads import csv_of, fresh_folder
from webapp.state.events import as_int, event_data
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, closing, follow, wire_cancel
from webapp.state.quotas import STATE_S
from webapp.state.session import RUNS, Session, require_run, shows_errors

if TYPE_CHECKING:
    from core.reports.html.visual_words import ShownName, ShownWord
    from core.visual_words.findings import WordFinding
    from core.visual_words.search import VisualSearch

FILES = (
    ("visual_words.html", "Visual words (HTML)"),
    ("visual_words.json", "Words (JSON)"),
    ("visual_words_of_samples.csv", "Pictures (CSV)"),
)

KEPT = 3
"""Runs whose words a visit keeps."""
FIRST = 3
"""Words that stand open where none is confirmed."""


@dataclass(frozen=True, slots=True, eq=False)
class VisualState:
    """What a visitor has found on one run."""

    run: str = ""
    kept: tuple[FoundWords, ...] = ()
    """Of the last runs, to be shown again when they are opened."""

    @property
    def found(self) -> FoundWords | None:
        """Of this run."""
        return next((one for one in self.kept if one.run == self.run), None)


@dataclass(frozen=True, slots=True, eq=False)
class FoundWords:
    """The words of a run as they are shown, and the files to take away."""

    run: str
    view: str
    findings: tuple[tuple[str, str, tuple[int, ...]], ...]
    """Name, scope and the run's rows of each word that is shown, in their order."""
    files: tuple[Path, ...]
    patches: Patches
    """What Explore shows of them."""


def make_words(session: Session, progress: Progress) -> FoundWords:
    """Look for visual words in the open run's pictures and write what may be taken away.

    Raises:
        InvalidInput: the run has no pictures.
    """
    from core.reports.html.visual_words import (  # brings the encoder's runtime
        shown_maps,
        shown_names,
        shown_words,
        visual_page,
    )
    from core.reports.tables.visual_words import visual_document, visual_table
    from core.visual_words.maps import maps_of
    from core.visual_words.search import pictures_of, search_words

    diagnosis = require_run(session)
    images = pictures_of(diagnosis)
    search = search_words(diagnosis, images=images, cache=own_cache(), progress=progress)
    folder = fresh_folder("visual")
    paths = tuple(folder / name for name, _ in FILES)
    shown, names = shown_words(search, images), shown_names(search, images, diagnosis)
    write_text(paths[0], visual_page(search, shown, names, shown_maps(search, images)))
    write_json(paths[1], visual_document(search))
    table = visual_table(search)
    paths[2].write_bytes(csv_of(table.columns, table.itertuples(index=False)))
    found, patches = tuple(_found(search, word.finding) for word in shown), Patches(maps_of(search), tuple(names))
    keep_patches(session.run, patches)
    return FoundWords(session.run, words_view(search, shown, names), found, paths, patches)


def _found(search: VisualSearch, finding: WordFinding) -> tuple[str, str, tuple[int, ...]]:
    return finding.name, finding.scope, tuple(search.rows[np.flatnonzero(finding.rows)].tolist())


def words_view(search: VisualSearch, shown: Sequence[ShownWord], names: Sequence[ShownName] = ()) -> str:
    """The verdict, the clusters that a word tells, and each listed word with its crops."""
    from core.reports.wording.visual_words import RULE, unnamed_sentence, verdict

    n_open = len(search.confirmed) or FIRST
    return render(
        "ask/visual.html.j2",
        verdict=verdict(search),
        rule=RULE,
        names=names,
        unnamed=unnamed_sentence(search),
        words=shown,
        n_open=n_open,
        notes=search.notes,
    )


def intro(diagnosis: Diagnosis | None) -> str:
    """What visual words are for, or that this run has no pictures."""
    return render("ask/visual_intro.html.j2", pictures=diagnosis is not None and _has_pictures(diagnosis))


def _has_pictures(diagnosis: Diagnosis) -> bool:
    return diagnosis.samples.items is not None and diagnosis.samples.modality == "image"


def on_words(session: Session) -> Iterator[tuple[Any, ...]]:
    """Look for them; yields (job id, status, what was found)."""
    require_run(session)
    job = Job(lambda progress: make_words(session, progress))
    yield from follow(job, "The visual words were not found", None)


def on_found(session: Session, state: VisualState, found: FoundWords | None) -> tuple[Any, ...]:
    """Show what was found: returns (state, status, view, Explore's pane, downloads); of another run than the open one
    it is kept, and said."""
    if found is None:
        return tuple(gr.skip() for _ in range(4 + len(FILES)))
    kept = (*(one for one in state.kept if one.run != found.run), found)[-KEPT:]
    if found.run != session.run:
        said = closing("Done", "These visual words are of another run. Open that run again to see them.")
        return replace(state, kept=kept), said, *(gr.skip() for _ in range(2 + len(FILES)))
    view, *files = _shown(found)
    return VisualState(found.run, kept), closing("Done", ""), view, show_selection(session)[1], *files


def _shown(found: FoundWords | None) -> tuple[Any, ...]:
    if found is None:
        return "", *(gr.update(value=None, interactive=False) for _ in FILES)
    view = gr.update(value=found.view, run=found.run)
    return view, *(gr.update(value=str(path), interactive=True) for path in found.files)


def on_show(session: Session, state: VisualState, event: gr.EventData) -> tuple[Any, ...]:
    """Show the samples with a word on the map: returns (tabs, session, pane, map)."""
    place, found = as_int(event_data(event).get("place")), state.found
    if found is None or state.run != session.run or not 0 <= place < len(found.findings):
        raise InvalidInput("These visual words are of another run than the open one. Look for them again.")
    name, scope, rows = found.findings[place]
    shown = show_selection(Session(session.run, rows=rows, title=f"Has {name}", scope=scope))
    return gr.update(selected="explore"), *shown


def on_run(session: Session, state: VisualState) -> tuple[Any, ...]:
    """The tab is shown: returns (state, intro, run button, status, view, downloads) for the open run, with what was
    found of it before; nothing changes if it is the one already shown."""
    if not session.run or state.run == session.run:
        return tuple(gr.skip() for _ in range(5 + len(FILES)))
    diagnosis, opened = RUNS.get(session.run), replace(state, run=session.run)
    button = gr.update(interactive=_has_pictures(diagnosis))
    return opened, intro(diagnosis), button, "", *_shown(opened.found)


def build(session: gr.State, view: View, tabs: gr.Tabs, tab: gr.Tab, diagnosis: Diagnosis | None, first: str) -> None:
    """Lay out the accordion and wire it."""
    state, job, found = gr.State(VisualState(first), time_to_live=STATE_S), gr.State(""), gr.State(None)
    pane: dict[str, Any] = {"js_on_load": script("pane"), "server_functions": [describe], **PLAIN}
    with gr.Accordion("Visual words: which parts of the pictures fail?", open=False, elem_id="visual"):
        said = gr.HTML(intro(diagnosis), elem_id="visual-intro", **PLAIN)
        with gr.Row():
            run = gr.Button("Look for visual words", variant="primary", elem_id="visual-run", scale=0, min_width=210)
            cancel = gr.Button("Cancel", elem_id="visual-cancel", scale=0, min_width=110, interactive=False)
        line = gr.HTML("", elem_id="visual-status", **PLAIN)
        words = gr.HTML("", run=first, elem_id="visual-words", **pane)
        _, buttons = download_row([(f"take-{name.replace('.', '-')}", title) for name, title in FILES])
    looked = run.click(shows_errors(on_words), [session], [job, line, found], **HEAVY, **PRIVATE)
    looked.success(
        shows_errors(on_found), [session, state, found], [state, line, words, view.pane, *buttons], **PRIVATE
    )
    wire_cancel(cancel, job)
    mapped = [tabs, session, view.pane, view.failure_map]
    words.act(shows_errors(on_show), [session, state], mapped, **QUICK)
    tab.select(shows_errors(on_run), [session, state], [state, said, run, line, words, *buttons], **QUICK)
