"""Visual words as a page: each with crops of the images that show it best, the cell outlined."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.checks.reasons import failing
from core.data.modality import Unreadable
from core.records import Bool, Diagnosis, ItemStore
from core.reports.html.diagnosis import style
from core.reports.html.render import render
from core.systems.visual_words.crops import crop_around
from core.systems.visual_words.findings import WordFinding
from core.systems.visual_words.maps import COLOURS, WordMaps, maps_of, outline
from core.systems.visual_words.search import VisualSearch
from core.systems.visual_words.templates import TEMPLATES
from core.systems.visual_words.wording import (
    RULE,
    clusters_with,
    listed,
    map_legend,
    name_sentence,
    unnamed_sentence,
    verdict,
    word_sentence,
)

CROPS = 12
WHOLE = 12
"""Images that are shown whole."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of an image, as a data address, and whose it is."""

    address: str
    id: str
    failed: bool


@dataclass(frozen=True, slots=True)
class ShownWord:
    """A word with its sentence and crops."""

    finding: WordFinding
    said: str
    clusters: list[str]
    crops: list[Crop]


@dataclass(frozen=True, slots=True)
class ShownMap:
    """An image with the cells of confirmed words outlined."""

    address: str
    id: str
    failed: bool
    legend: list[tuple[str, str]]
    """Colour and text of each word in it."""


@dataclass(frozen=True, slots=True)
class ShownName:
    """A cluster that a word tells, with its sentence and crops of members."""

    cluster: int
    said: str
    crops: list[Crop]


def shown_names(search: VisualSearch, images: ItemStore, run: Diagnosis, crops: int = CROPS) -> list[ShownName]:
    """The clusters of the run that a visual word tells, with crops of members that have it."""
    members = {cluster.id: cluster.membership[search.rows] >= 0.5 for cluster in run.clusters}
    return [
        ShownName(
            name.cluster,
            name_sentence(search, name),
            _crops(search, name.finding, images, members[name.cluster], crops),
        )
        for name in search.names
    ]


def shown_maps(search: VisualSearch, images: ItemStore, most: int = WHOLE) -> list[ShownMap]:
    """The images of highest loss that have a confirmed word, whole; none without one."""
    maps = maps_of(search)
    failed = failing(search.diagnosis)
    has = np.flatnonzero((maps.cells >= 0).any((1, 2)))
    order = has[np.argsort(-search.diagnosis.outcomes.loss[has], kind="stable")]
    found: list[ShownMap] = []
    for at in order.tolist():
        shown = shown_map(maps, int(search.rows[at]), images)
        if shown is not None and len(found) < most:
            address, legend = shown
            found.append(ShownMap(address, search.diagnosis.samples.ids[at], bool(failed[at]), legend))
        if len(found) == most:
            break
    return found


def shown_map(maps: WordMaps, row: int, images: ItemStore) -> tuple[str, list[tuple[str, str]]] | None:
    """The image of a row of the run with its cells outlined, as a data address, and its legend of colours and texts;
    None where none is."""
    cells = maps.of_row(row)
    if cells is None or not (cells >= 0).any():
        return None
    try:
        address = _address(outline(images.read(row), cells))
    except Unreadable:  # it could be read a moment ago
        return None
    return address, [(COLOURS[place], said) for place, said in map_legend(maps, cells)]


def _address(webp: bytes) -> str:
    return f"data:image/webp;base64,{b64encode(webp).decode()}"


def shown_words(search: VisualSearch, images: ItemStore) -> list[ShownWord]:
    """The words that are listed, each with at most `CROPS` different images, nearest to the word first."""
    return [
        ShownWord(f, _bare(word_sentence(search, f)), clusters_with(search, f), _crops(search, f, images))
        for f in listed(search)
    ]


def _bare(sentence: str) -> str:
    """Without the word's name, which stands above it."""
    said = sentence.split(": ", 1)[1]
    return f"{said[:1].upper()}{said[1:]}"


def _crops(
    search: VisualSearch, finding: WordFinding, images: ItemStore, among: Bool | None = None, most: int = CROPS
) -> list[Crop]:
    words = search.words
    samples = search.diagnosis.samples
    failed = failing(search.diagnosis)
    has = np.flatnonzero(finding.rows if among is None else finding.rows & among)
    order = has[np.argsort(words.distance[has, finding.word], kind="stable")]
    rows, columns = words.maps.shape[1:]
    found: list[Crop] = []
    for place in order.tolist():
        row = int(search.rows[place])
        try:
            data = crop_around(images.read(row), int(words.cell[place, finding.word]), (rows, columns))
        except Unreadable:  # it could be read a moment ago
            continue
        found.append(Crop(_address(data), samples.ids[place], bool(failed[place])))
        if len(found) == most:
            break
    return found


def visual_page(
    search: VisualSearch, shown: Sequence[ShownWord], names: Sequence[ShownName] = (), maps: Sequence[ShownMap] = ()
) -> str:
    """The search as one HTML file, with what `shown_words`, `shown_names` and `shown_maps` give."""
    return render(
        "visual_words.html.j2",
        TEMPLATES,
        diagnosis=search.diagnosis,
        verdict=verdict(search),
        rule=RULE,
        words=shown,
        names=names,
        unnamed=unnamed_sentence(search),
        pictures=maps,
        left_out=max(0, len(search.confirmed) - len(COLOURS)),
        notes=search.notes,
        **style(),
    )
