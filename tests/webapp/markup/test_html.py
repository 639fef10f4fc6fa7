"""Samples as the page shows them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import numpy as np

from core.records import Diagnosis
from core.reports.html.render import environment
from tests.support.diagnoses import make_diagnosis
from webapp.markup.html import Tile, picture, tile_of


class Tags(HTMLParser):
    """The elements and attributes of a piece of markup."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def test_a_picture_travels_inside_the_page(diagnosis: Diagnosis) -> None:
    assert picture(diagnosis, 0).startswith("data:image/webp;base64,")
    assert picture(make_diagnosis(with_images=False), 0) == ""


def tile(shown: Tile) -> str:
    parts: Any = environment().get_template("parts.html.j2").module
    return str(parts.tile(shown))


def test_a_wrong_prediction_stands_on_a_line_of_its_own_and_whole() -> None:
    diagnosis = make_diagnosis()
    labels, predictions = diagnosis.samples.labels, diagnosis.outcomes.predictions
    assert labels is not None
    assert predictions is not None
    row = int(np.flatnonzero(labels != predictions)[0])
    names = diagnosis.samples.class_names
    shown = tile(tile_of(diagnosis, row))
    assert f'<span class="tile-line">→ {names[predictions[row]]}</span>' in shown
    assert f"<span>{names[labels[row]]}</span>" in shown
    assert "tile-line" not in tile(tile_of(diagnosis, int(np.flatnonzero(labels == predictions)[0])))
