"""Captions, below the visual words of the tab Ask: clusters of the open run described by the nearest of a visitor's
captions, with tested words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from core.documents import read_text
from core.errors import InvalidInput
from core.numbers import count
from core.records import Diagnosis, Progress
from webapp.ask.kept import (
    MAX_CHARACTERS,
    KeptState,
    MadeParts,
    check_characters,
    made_parts,
    receive,
    reopened,
    write_files,
)
from webapp.explore.picked import show_selection
from webapp.markup.components import upload
from webapp.markup.html import Tile, tile_of
from webapp.panels import Page
from webapp.state.caches import own_cache
from webapp.state.events import as_int, event_data
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, QUICK, Job, closing, follow, wire_cancel
from webapp.state.quotas import STATE_S
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_run, shows_errors
from webapp.systems.vl_t5.render import render

if TYPE_CHECKING:
    from core.systems.vl_t5.describe import CaptionedCluster, CaptionWord

FILES = (
    ("captions.json", "Captions (JSON)"),
    ("caption_words.csv", "Words (CSV)"),
    ("captions_of_samples.csv", "Samples (CSV)"),
)
MAX_CAPTIONS = 2000
"""Most different captions of a list; the command takes more."""
ELSEWHERE = "These captions belong to another run. Open that run to see them."
LIST = "The list of captions"
SHOWN_UNCONFIRMED_WORDS = 3
"""Words shown after those that pass."""
MAX_SHOWN_WORDS = 40
SHOWN_IMAGES = 8


@dataclass(frozen=True, slots=True, eq=False)
class DescribedRun:
    """A run's clusters with their captions as shown, and their files."""

    run: str
    view: str
    clusters: tuple[int, ...]
    """Ids of the shown clusters."""
    files: tuple[Path, ...]
    lists: int
    """Number of lists tested on this run in this visit."""


@dataclass(frozen=True, slots=True)
class CaptionedView:
    """A cluster as shown."""

    cluster: CaptionedCluster
    sizes: str
    summary: str
    words: tuple[CaptionWord, ...]
    more: int
    """Number of tested words not shown."""
    tiles: tuple[Tile, ...]


def checked_captions(text: str | None, source: str = LIST) -> tuple[str, ...]:
    """The captions in the field or in the file `source`.

    Raises:
        InvalidInput: the text has too few or too many captions, or one is too long.
    """
    from core.systems.vl_t5.describe import parse_captions

    text = text or ""
    check_characters(text, "captions", "Shorten them, or use the command `answers`.")
    return parse_captions(text, source, MAX_CAPTIONS)


def is_offered(diagnosis: Diagnosis | None) -> bool:
    """Whether the part is visible: captions need images."""
    return diagnosis is None or diagnosis.samples.modality == "image"


def lacking(diagnosis: Diagnosis) -> str:
    """What the run lacks for captions: "words", "clusters", or "" where it lacks nothing."""
    if diagnosis.words is None or not diagnosis.words.encoder:
        return "words"
    return "" if diagnosis.clusters else "clusters"


def make_captions(session: Session, captions: Sequence[str], lists: int, progress: Progress) -> DescribedRun:
    """Describe the open run's clusters and write the files.

    Raises:
        InvalidInput: the run has no words, or they are of another edition of its encoder.
    """
    from core.systems.vl_t5.describe import describe_clusters, nearest_captions  # brings the encoder
    from core.systems.vl_t5.tables import described_document, described_table, words_table
    from core.systems.vl_t5.wording import nearest_of

    diagnosis = require_run(session)
    nearest, cosines = nearest_captions(diagnosis, captions, cache=own_cache(), progress=progress)
    clusters = describe_clusters(diagnosis, nearest, cosines=cosines, progress=progress)
    how = nearest_of(captions, "your list")
    document = described_document(diagnosis, clusters, nearest, how, cosines)
    files = write_files(
        "captions", FILES, document, words_table(clusters), described_table(diagnosis, nearest, cosines)
    )
    ids = tuple(described.cluster for described in clusters)
    return DescribedRun(session.run, captions_view(diagnosis, clusters, how, lists), ids, files, lists)


def captions_view(diagnosis: Diagnosis, clusters: Sequence[CaptionedCluster], how: str, lists: int) -> str:
    """The headline, and each cluster with its quotations and words.

    Args:
        how: origin of the captions.
        lists: number of lists tested on the run in this visit: the p-values of each cover that list only.
    """
    from core.systems.vl_t5.wording import DESCRIBED_RULE, NEAREST_NOTE, headline

    return render(
        "captions.html.j2",
        headline=headline(clusters),
        how=how,
        rule=DESCRIBED_RULE,
        note=NEAREST_NOTE,
        clusters=[_view_of(diagnosis, described) for described in clusters],
        lists=lists,
    )


def _view_of(diagnosis: Diagnosis, described: CaptionedCluster) -> CaptionedView:
    from core.systems.vl_t5.wording import sizes, summary

    words = described.words[: min(len(described.confirmed) + SHOWN_UNCONFIRMED_WORDS, MAX_SHOWN_WORDS)]
    membership = next(cluster.membership for cluster in diagnosis.clusters if cluster.id == described.cluster)
    rows = np.argsort(-membership, kind="stable")[: min(SHOWN_IMAGES, described.size)].tolist()
    tiles = tuple(tile_of(diagnosis, row, mark_wrong=True) for row in rows)
    more = len(described.words) - len(words)
    return CaptionedView(described, sizes(described), summary(described), words, more, tiles)


def on_captions(session: Session, state: KeptState[DescribedRun], text: str | None) -> Iterator[tuple[Any, ...]]:
    """Describe the clusters; yields (job id, status, described run)."""
    require_run(session)
    captions = checked_captions(text)
    before = next((described.lists for described in state.saved if described.run == session.run), 0)
    job = Job(lambda progress: make_captions(session, captions, before + 1, progress))
    yield from follow(job, "The groups were not described", None)


def on_described(session: Session, state: KeptState[DescribedRun], described: DescribedRun | None) -> tuple[Any, ...]:
    """Show the captions, or save those of a run that is not open: returns (state, status, view, downloads)."""
    return receive(session, state, described, FILES, ELSEWHERE)


def on_file(path: str | None) -> tuple[Any, ...]:
    """Copy a file's captions to the field, where they stay visible: returns (captions, no file, status).

    Raises:
        InvalidInput: the file is not valid text, or its captions break a rule.
    """
    if not path:
        return gr.skip(), gr.skip(), gr.skip()
    text = read_text(Path(path), most=4 * MAX_CHARACTERS)
    name = Path(path).name[:80]
    captions = checked_captions(text, name)
    return "\n".join(captions), None, closing("Read", f"{count(len(captions), 'caption')} from {name}.")


def on_show(session: Session, state: KeptState[DescribedRun], event: gr.EventData) -> tuple[Any, ...]:
    """Show a cluster on the map: returns (tabs, session, pane, map)."""
    index = as_int(event_data(event).get("place"))
    described = state.current
    if described is None or state.run != session.run or not 0 <= index < len(described.clusters):
        raise InvalidInput("These captions belong to another run. Describe the open run again.")
    mapped = show_selection(session.only(cluster=described.clusters[index]))
    return gr.update(selected="explore"), *mapped


def intro(diagnosis: Diagnosis | None) -> str:
    """What captions are for, or what this run lacks."""
    if diagnosis is None:
        return render("captions_intro.html.j2", lacks="", noun="sample")
    return render("captions_intro.html.j2", lacks=lacking(diagnosis), noun=diagnosis.samples.modality)


def on_run(session: Session, state: KeptState[DescribedRun]) -> tuple[Any, ...]:
    """Update the tab: returns (accordion, visible for runs of images, then the values of `reopened`)."""
    accordion = gr.skip()
    if session.run:
        accordion = gr.update(visible=is_offered(RUNS.get(session.run)))
    return accordion, *reopened(session, state, intro, FILES, lambda diagnosis: not lacking(diagnosis))


def build(page: Page, tab: gr.Tab) -> None:
    """Lay out the accordion and wire it."""
    session = page.session
    view = page.view
    tabs = page.tabs
    first = page.first
    diagnosis = page.diagnosis
    state = gr.State(KeptState(first), time_to_live=STATE_S)
    job = gr.State("")
    result = gr.State(None)
    title = "Describe groups by captions"
    with gr.Accordion(title, open=False, visible=is_offered(diagnosis), elem_id="captions") as fold:
        intro_pane = gr.HTML(intro(diagnosis), elem_id="captions-intro", **PLAIN)
        text, file, parts = _fields(diagnosis, first)
    file.upload(shows_errors(on_file), [file], [text, file, parts.status], **PRIVATE)
    described = parts.run.click(
        shows_errors(on_captions), [session, state, text], [job, parts.status, result], **HEAVY, **PRIVATE
    )
    outputs = [parts.status, parts.view, *parts.buttons]
    described.success(shows_errors(on_described), [session, state, result], [state, *outputs], **PRIVATE)
    wire_cancel(parts.cancel, job)
    mapped = [tabs, session, view.pane, view.failure_map]
    parts.view.act(shows_errors(on_show), [session, state], mapped, **QUICK)
    tab.select(shows_errors(on_run), [session, state], [fold, state, intro_pane, parts.run, *outputs], **QUICK)


def _fields(diagnosis: Diagnosis | None, first: str) -> tuple[gr.Textbox, gr.File, MadeParts]:
    with gr.Row(elem_classes="captions-row"):
        text = gr.Textbox(
            label=f"Captions, one per line (2 to {MAX_CAPTIONS:,})",
            placeholder="a shoe seen from the side\na dress with stripes\na bag with handles",
            elem_id="captions-text",
            lines=5,
            max_lines=12,
            scale=3,
            min_width=280,
        )
        file = upload("Or a text file", (".txt",), "captions-file", 150, scale=1, min_width=200)
    usable = diagnosis is None or not lacking(diagnosis)
    return text, file, made_parts("captions", "Describe", FILES, first, width=130, interactive=usable)
