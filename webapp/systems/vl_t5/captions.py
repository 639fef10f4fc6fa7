"""Captions, below the visual words of the tab Ask: clusters of the open run described by the nearest of a visitor's
captions, with tested words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from core.documents import read_text
from core.numbers import count
from core.records import Diagnosis, Progress
from webapp.ask.kept import MAX_CHARACTERS, KeptState, Made, Part, build_part, check_characters, wire_map, write_files
from webapp.markup.components import upload
from webapp.markup.html import Tile, tile_of
from webapp.markup.render import renderer
from webapp.panels import Opening, Page
from webapp.state.caches import own_cache
from webapp.state.jobs import PRIVATE, closing
from webapp.state.session import Session, require_run, shows_errors

if TYPE_CHECKING:
    from core.systems.vl_t5.describe import CaptionedCluster, CaptionWord

render = renderer(Path(__file__).parent / "templates")
FILES = (
    ("captions.json", "Captions (JSON)"),
    ("caption_words.csv", "Words (CSV)"),
    ("captions_of_samples.csv", "Samples (CSV)"),
)
MAX_CAPTIONS = 2000
"""Most different captions of a list; the command takes more."""
LIST = "The list of captions"
SHOWN_UNCONFIRMED_WORDS = 3
"""Words shown after those that pass."""
MAX_SHOWN_WORDS = 40
SHOWN_IMAGES = 8


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


def is_offered(diagnosis: Diagnosis) -> bool:
    """Whether the part is visible: captions need images."""
    return diagnosis.samples.modality == "image"


def lacking(diagnosis: Diagnosis) -> str:
    """What the run lacks for captions: "words", "clusters", or "" where it lacks nothing."""
    if diagnosis.words is None or not diagnosis.words.encoder:
        return "words"
    return "" if diagnosis.clusters else "clusters"


def make_captions(session: Session, captions: Sequence[str], lists: int, progress: Progress) -> Made:
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
    picks = tuple({"cluster": described.cluster} for described in clusters)
    return Made(session.run, captions_view(diagnosis, clusters, how, lists), files, picks, lists)


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


def captions_work(session: Session, state: KeptState, text: str | None, file: str | None) -> Callable[[Progress], Made]:
    """Read the field, and return the work that describes the clusters."""
    captions = checked_captions(text)
    return lambda progress: make_captions(session, captions, state.next_count(session.run), progress)


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


def intro(diagnosis: Diagnosis) -> str:
    """What captions are for, or what this run lacks."""
    return render("captions_intro.html.j2", lacks=lacking(diagnosis), noun=diagnosis.samples.modality)


def fields() -> list[Any]:
    """Fields for the captions, or a file of them."""
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
    return [text, file]


PART = Part(
    "captions",
    "Describe groups by captions",
    "Describe",
    FILES,
    failed="The groups were not described",
    intro=intro,
    work=captions_work,
    usable=lambda diagnosis: not lacking(diagnosis),
    offered=is_offered,
)


def build(page: Page, opening: Opening) -> None:
    """Lay out the accordion and wire it."""
    built = build_part(PART, page, opening, fields)
    text, file = built.fields
    file.upload(shows_errors(on_file), [file], [text, file, built.status], **PRIVATE)
    wire_map(page, built, built.view)
