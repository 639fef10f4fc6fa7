"""Visual words as a page: each with crops around its nearest cells."""

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

MAX_CROPS = 12
MAX_MAPS = 12
"""Whole images shown."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of an image as a data address, with the image's id."""

    address: str
    id: str
    failed: bool


@dataclass(frozen=True, slots=True)
class ShownWord:
    """A word with its sentence and crops."""

    finding: WordFinding
    sentence: str
    clusters: list[str]
    crops: list[Crop]


@dataclass(frozen=True, slots=True)
class ShownMap:
    """An image with the cells of confirmed words outlined."""

    address: str
    id: str
    failed: bool
    legend: list[tuple[str, str]]
    """Color and text of each word in it."""


@dataclass(frozen=True, slots=True)
class ShownName:
    """A cluster named by a word, with its sentence and crops of members."""

    cluster: int
    said: str
    crops: list[Crop]


def shown_names(search: VisualSearch, images: ItemStore, run: Diagnosis) -> list[ShownName]:
    """The clusters of the run named by a visual word, with crops of members that have it."""
    members = {cluster.id: cluster.membership[search.rows] >= 0.5 for cluster in run.clusters}
    shown = list[ShownName]()
    for name in search.names:
        crops = _crops(search, name.finding, name.finding.rows & members[name.cluster], images)
        shown.append(ShownName(name.cluster, name_sentence(search, name), crops))
    return shown


def shown_maps(search: VisualSearch, images: ItemStore, max_maps: int = MAX_MAPS) -> list[ShownMap]:
    """Whole images with a confirmed word, the highest loss first."""
    maps = maps_of(search)
    failed = failing(search.diagnosis)
    has = np.flatnonzero((maps.cells >= 0).any((1, 2)))
    order = has[np.argsort(-search.diagnosis.outcomes.loss[has], kind="stable")]
    shown: list[ShownMap] = []
    for at in order.tolist():
        if len(shown) == max_maps:
            break
        outlined = shown_map(maps, int(search.rows[at]), images)
        if outlined is not None:
            address, legend = outlined
            shown.append(ShownMap(address, search.diagnosis.samples.ids[at], bool(failed[at]), legend))
    return shown


def shown_map(maps: WordMaps, row: int, images: ItemStore) -> tuple[str, list[tuple[str, str]]] | None:
    """The outlined image of a row of the run as a data address, with its legend of (color, text); None without any
    outline."""
    cells = maps.of_row(row)
    if cells is None or not (cells >= 0).any():
        return None
    try:
        address = _address(outline(images.read(row), cells))
    except Unreadable:  # the file has changed since the search
        return None
    return address, [(COLOURS[index], text) for index, text in map_legend(maps, cells)]


def _address(webp: bytes) -> str:
    return f"data:image/webp;base64,{b64encode(webp).decode()}"


def shown_words(search: VisualSearch, images: ItemStore) -> list[ShownWord]:
    """The listed words, each with crops of at most `MAX_CROPS` images, the nearest to the word first."""
    shown = list[ShownWord]()
    for finding in listed(search):
        sentence = word_sentence(search, finding).split(": ", 1)[1]  # the word's name is its heading
        sentence = f"{sentence[:1].upper()}{sentence[1:]}"
        crops = _crops(search, finding, finding.rows, images)
        shown.append(ShownWord(finding, sentence, clusters_with(search, finding), crops))
    return shown


def _crops(search: VisualSearch, finding: WordFinding, among: Bool, images: ItemStore) -> list[Crop]:
    """Crops of at most `MAX_CROPS` of the images `among`, (m,), the nearest to the word first."""
    words = search.words
    samples = search.diagnosis.samples
    failed = failing(search.diagnosis)
    has = np.flatnonzero(among)
    order = has[np.argsort(words.distance[has, finding.word], kind="stable")]
    rows, columns = words.maps.shape[1:]
    crops: list[Crop] = []
    for at in order.tolist():
        if len(crops) == MAX_CROPS:
            break
        try:
            data = crop_around(images.read(int(search.rows[at])), int(words.cell[at, finding.word]), (rows, columns))
        except Unreadable:  # the file has changed since the search
            continue
        crops.append(Crop(_address(data), samples.ids[at], bool(failed[at])))
    return crops


def visual_page(
    search: VisualSearch, shown: Sequence[ShownWord], names: Sequence[ShownName] = (), maps: Sequence[ShownMap] = ()
) -> str:
    """The search as one HTML file, with the results of `shown_words`, `shown_names` and `shown_maps`."""
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
