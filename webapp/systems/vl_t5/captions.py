"""Captions, below the visual words of the tab Ask: the clusters of the open run described by the nearest of a visitor's
captions, whose words are tested."""

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
    from core.systems.vl_t5.describe import CaptionedCluster, SaidWord

FILES = (
    ("captions.json", "Captions (JSON)"),
    ("caption_words.csv", "Words (CSV)"),
    ("captions_of_samples.csv", "Samples (CSV)"),
)
MAX_CAPTIONS = 2000
"""Different ones of a list; the command takes more."""
ELSEWHERE = "These captions are of another run. Open that run again to see them."
LIST = "The list of captions"
QUIET = 3
MOST = 40
"""Words that are shown beside those that pass, and of a cluster at most."""
PICTURES = 8


@dataclass(frozen=True, slots=True, eq=False)
class DescribedRun:
    """A run's clusters as they are shown with their captions, and the files to take away."""

    run: str
    view: str
    clusters: tuple[int, ...]
    """Ids of those that are shown."""
    files: tuple[Path, ...]
    lists: int
    """So many lists were tested on this run in this visit."""


@dataclass(frozen=True, slots=True)
class CaptionedView:
    """A cluster as it is shown."""

    found: CaptionedCluster
    sizes: str
    said: str
    words: tuple[SaidWord, ...]
    more: int
    """Words that were tested and are not shown."""
    tiles: tuple[Tile, ...]


def checked_captions(said: str | None, where: str = LIST) -> tuple[str, ...]:
    """The captions that were pasted, or stand in the file `where`.

    Raises:
        InvalidInput: there are none or too many, or one is too long.
    """
    from core.systems.vl_t5.describe import parse_captions

    text = said or ""
    check_characters(text, "captions", "Shorten them, or use the command `answers`.")
    return parse_captions(text, where, MAX_CAPTIONS)


def is_offered(diagnosis: Diagnosis | None) -> bool:
    """Whether the part is shown: captions are of pictures."""
    return diagnosis is None or diagnosis.samples.modality == "image"


def lacking(diagnosis: Diagnosis) -> str:
    """What the run lacks for captions: "words", "clusters", or "" where they can be used."""
    if diagnosis.words is None or not diagnosis.words.encoder:
        return "words"
    return "" if diagnosis.clusters else "clusters"


def make_captions(session: Session, captions: Sequence[str], lists: int, progress: Progress) -> DescribedRun:
    """Describe the open run's clusters and write what may be taken away.

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
    ids = tuple(one.cluster for one in clusters)
    return DescribedRun(session.run, captions_view(diagnosis, clusters, how, lists), ids, files, lists)


def captions_view(diagnosis: Diagnosis, clusters: Sequence[CaptionedCluster], how: str, lists: int) -> str:
    """What the captions come to, and each cluster with its quotations and words.

    Args:
        how: where the captions come from.
        lists: how many lists this visit has tested on the run: each is a family of its own.
    """
    from core.systems.vl_t5.wording import DESCRIBED_RULE, NEAREST_NOTE, headline

    return render(
        "captions.html.j2",
        headline=headline(clusters),
        how=how,
        rule=DESCRIBED_RULE,
        note=NEAREST_NOTE,
        clusters=[_shown(diagnosis, one) for one in clusters],
        lists=lists,
    )


def _shown(diagnosis: Diagnosis, one: CaptionedCluster) -> CaptionedView:
    from core.systems.vl_t5.wording import sizes, summary

    words = one.words[: min(len(one.confirmed) + QUIET, MOST)]
    membership = next(cluster.membership for cluster in diagnosis.clusters if cluster.id == one.cluster)
    rows = np.argsort(-membership, kind="stable")[: min(PICTURES, one.size)].tolist()
    tiles = tuple(tile_of(diagnosis, row, mark_wrong=True) for row in rows)
    return CaptionedView(one, sizes(one), summary(one), words, len(one.words) - len(words), tiles)


def on_captions(session: Session, state: KeptState[DescribedRun], said: str | None) -> Iterator[tuple[Any, ...]]:
    """Describe the clusters; yields (job id, status, what was made)."""
    require_run(session)
    captions = checked_captions(said)
    before = next((one.lists for one in state.saved if one.run == session.run), 0)
    job = Job(lambda progress: make_captions(session, captions, before + 1, progress))
    yield from follow(job, "The clusters were not described", None)


def on_described(session: Session, state: KeptState[DescribedRun], made: DescribedRun | None) -> tuple[Any, ...]:
    """Show what was made: returns (state, status, view, downloads); of another run than the open one it is kept, and
    said."""
    return receive(session, state, made, FILES, ELSEWHERE)


def on_file(path: str | None) -> tuple[Any, ...]:
    """A file came: returns (its captions for the field, no file, status), so that what is described is what is seen.

    Raises:
        InvalidInput: it is no text, or holds no captions that can be taken.
    """
    if not path:
        return tuple(gr.skip() for _ in range(3))
    text = read_text(Path(path), most=4 * MAX_CHARACTERS)
    name = Path(path).name[:80]
    captions = checked_captions(text, name)
    said = f"{count(len(captions), 'caption')} of {name} {'stand' if len(captions) > 1 else 'stands'} in the field."
    return "\n".join(captions), None, closing("Read", said)


def on_show(session: Session, state: KeptState[DescribedRun], event: gr.EventData) -> tuple[Any, ...]:
    """Show a cluster on the map: returns (tabs, session, pane, map)."""
    place = as_int(event_data(event).get("place"))
    found = state.current
    if found is None or state.run != session.run or not 0 <= place < len(found.clusters):
        raise InvalidInput("These captions are of another run than the open one. Describe it again.")
    mapped = show_selection(session.only(cluster=found.clusters[place]))
    return gr.update(selected="explore"), *mapped


def intro(diagnosis: Diagnosis | None) -> str:
    """What captions are for, or what this run lacks."""
    lacks = "" if diagnosis is None else lacking(diagnosis)
    noun = "sample" if diagnosis is None else diagnosis.samples.modality
    return render("captions_intro.html.j2", lacks=lacks, noun=noun)


def on_run(session: Session, state: KeptState[DescribedRun]) -> tuple[Any, ...]:
    """The tab is shown: returns (accordion, then what `reopened` gives); there is none where the run is not of
    pictures."""
    there = gr.update(visible=is_offered(RUNS.get(session.run))) if session.run else gr.skip()
    return there, *reopened(session, state, intro, FILES, lambda diagnosis: not lacking(diagnosis))


def build(page: Page, tab: gr.Tab) -> None:
    """Lay out the accordion and wire it."""
    session = page.session
    view = page.view
    tabs = page.tabs
    first = page.first
    diagnosis = page.diagnosis
    state = gr.State(KeptState(first), time_to_live=STATE_S)
    job = gr.State("")
    made = gr.State(None)
    title = "Captions: what do the clusters show, in your sentences?"
    there = is_offered(diagnosis)
    with gr.Accordion(title, open=False, visible=there, elem_id="captions") as fold:
        said = gr.HTML(intro(diagnosis), elem_id="captions-intro", **PLAIN)
        text, file, parts = _fields(diagnosis, first)
    file.upload(shows_errors(on_file), [file], [text, file, parts.status], **PRIVATE)
    described = parts.run.click(
        shows_errors(on_captions), [session, state, text], [job, parts.status, made], **HEAVY, **PRIVATE
    )
    told = [parts.status, parts.view, *parts.buttons]
    described.success(shows_errors(on_described), [session, state, made], [state, *told], **PRIVATE)
    wire_cancel(parts.cancel, job)
    mapped = [tabs, session, view.pane, view.failure_map]
    parts.view.act(shows_errors(on_show), [session, state], mapped, **QUICK)
    tab.select(shows_errors(on_run), [session, state], [fold, state, said, parts.run, *told], **QUICK)


def _fields(diagnosis: Diagnosis | None, first: str) -> tuple[gr.Textbox, gr.File, MadeParts]:
    with gr.Row(elem_classes="captions-row"):
        text = gr.Textbox(
            label=f"Captions, one a line (2 to {MAX_CAPTIONS:,})",
            placeholder="a shoe seen from the side\na dress with stripes\na bag with handles",
            elem_id="captions-text",
            lines=5,
            max_lines=12,
            scale=3,
            min_width=280,
        )
        file = upload("Or a text file of them", (".txt",), "captions-file", 150, scale=1, min_width=200)
    usable = diagnosis is None or not lacking(diagnosis)
    return text, file, made_parts("captions", "Describe", FILES, first, width=130, interactive=usable)
