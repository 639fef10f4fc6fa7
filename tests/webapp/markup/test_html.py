"""Samples as the page shows them."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np

from core.records import Column, Diagnosis
from core.reports.html.render import environment
from core.reports.wording.reasons import reason_sentence
from tests.support.diagnoses import make_diagnosis
from webapp.markup.html import Tile, sample_facts, tile_of
from webapp.samples.listing import value_text
from webapp.state.filters import shown_column


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
    assert f'<span class="tile-line">model: {names[predictions[row]]}</span>' in shown
    assert f"<span>{names[labels[row]]}</span>" in shown
    assert "tile-line" not in tile(tile_of(diagnosis, int(np.flatnonzero(labels == predictions)[0])))


def test_the_facts_of_a_sample_say_why_it_may_fail_where_that_is_known(diagnosis: Diagnosis) -> None:
    why = [line for line in sample_facts(diagnosis, 0) if "in group 1" in line]
    assert len(why) == 1
    assert why[0].startswith("Wrong, as was likely (expected loss")
    assert "in group 1 (Images with weather: fog); in class bus, worse than other classes" in why[0]
    silent = next(
        row for row in range(60) if not diagnosis.insights[0].mask[row] and not reason_sentence(diagnosis, row)
    )
    assert not any(" fail" in line for line in sample_facts(diagnosis, silent))


def test_a_cell_that_is_cut_says_so(diagnosis: Diagnosis) -> None:
    long, n = "a word " * 40, len(diagnosis.samples)
    told = Column("note", "category", np.array([long, *["short"] * (n - 1)], object))
    run = replace(diagnosis, samples=replace(diagnosis.samples, metadata=(told,)))
    (line,) = [line for line in sample_facts(run, 0) if line.startswith("note: ")]
    assert line == f"note: {long[:79].rstrip()}…"
    assert "note: short" in sample_facts(run, 1)
    assert value_text(run, shown_column(run, "meta:note"), 0) == f"{long[:89].rstrip()}…"


def test_the_column_that_names_a_samples_cluster_is_shown_first(diagnosis: Diagnosis) -> None:
    many = tuple(Column(f"given {i}", "category", np.array(["x"] * 60, object)) for i in range(6))
    samples = replace(diagnosis.samples, metadata=(*many, *diagnosis.samples.metadata))
    shown = replace(diagnosis, samples=samples)
    assert [line for line in sample_facts(shown, 0) if ": " in line][-4:] == [
        "weather: fog",
        "given 0: x",
        "given 1: x",
        "given 2: x",
    ]
    outside = next(row for row in range(60) if all(c.membership[row] < 0.5 for c in shown.clusters))
    assert sample_facts(shown, outside)[-4:] == [f"given {i}: x" for i in range(4)]
