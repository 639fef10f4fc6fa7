"""Visual words as a page: each with crops of the pictures that show it best, the cell outlined."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.checks.reasons import failing
from core.data.modality import Unreadable
from core.records import ItemStore
from core.reports.html.diagnosis import style
from core.reports.html.render import render
from core.reports.wording.visual_words import RULE, clusters_with, listed, verdict, word_sentence
from core.visual_words.crops import crop_around
from core.visual_words.search import VisualSearch, WordFinding

CROPS = 12


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a picture, as a data address, and whose it is."""

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


def shown_words(search: VisualSearch, images: ItemStore) -> list[ShownWord]:
    """The words that are listed, each with at most `CROPS` different pictures, nearest to the word first."""
    return [
        ShownWord(f, _bare(word_sentence(search.diagnosis, f)), clusters_with(search, f), _crops(search, f, images))
        for f in listed(search)
    ]


def _bare(sentence: str) -> str:
    """Without the word's name, which stands above it."""
    said = sentence.split(": ", 1)[1]
    return f"{said[:1].upper()}{said[1:]}"


def _crops(search: VisualSearch, finding: WordFinding, images: ItemStore) -> list[Crop]:
    words, samples = search.words, search.diagnosis.samples
    failed = failing(search.diagnosis)
    has = np.flatnonzero(finding.rows)
    order = has[np.argsort(words.distance[has, finding.word], kind="stable")]
    rows, columns = words.maps.shape[1:]
    found: list[Crop] = []
    for place in order.tolist():
        row = int(search.rows[place])
        try:
            data = crop_around(images.read(row), int(words.cell[place, finding.word]), (rows, columns))
        except Unreadable:  # it could be read a moment ago
            continue
        address = f"data:image/webp;base64,{b64encode(data).decode()}"
        found.append(Crop(address, samples.ids[place], bool(failed[place])))
        if len(found) == CROPS:
            break
    return found


def visual_page(search: VisualSearch, shown: Sequence[ShownWord]) -> str:
    """The search as one HTML file, with what `shown_words` gives."""
    return render(
        "visual_words.html.j2",
        diagnosis=search.diagnosis,
        verdict=verdict(search),
        rule=RULE,
        words=shown,
        notes=search.notes,
        **style(),
    )
