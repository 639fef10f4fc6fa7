"""Results as the output of a notebook's cell: of a run the verdict, and of each group a sentence and images that are
wrong and typical; of findings, answers, comparisons and gates the same for what they list.

One fragment of HTML without script, id or class of the notebook's page; every text from the user's data is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.data.inline import InlinePictures, text_of
from core.language.titles import capital
from core.records import I64, Diagnosis, Section
from core.reports.html.render import render
from core.reports.wording.candidates import candidates_sentence
from core.reports.wording.findings import cluster_figures, cluster_title
from core.reports.wording.sensitivity import sensitivity_sentence
from core.reports.wording.verdict import PROXY, verdict
from core.statistics.counts import wrong_members

MOST_CLUSTERS = 5
MOST_SELECTIONS = 12
"""Findings or rows of a section that are shown."""
PICTURES = 6
PICTURE_SIZE = 88
"""Longest side in pixels."""
MOST_BYTES = 300_000
"""Bound on all images together."""
MOST_TEXT = 160
"""Characters of a text or an id that is shown."""
MOST_WORDS = 1000
"""Of a title or a sentence, which hold the names of classes and columns."""


def notebook_html(diagnosis: Diagnosis) -> str:
    """The fragment, of some hundred kilobytes at most whatever the number of samples and clusters, and however long
    their names are."""
    samples = diagnosis.samples
    pictures = InlinePictures(samples.items, MOST_BYTES, PICTURE_SIZE, samples.modality)
    cards: list[dict[str, Any]] = []
    for cluster in diagnosis.clusters[:MOST_CLUSTERS]:
        sentence = f"{capital(cluster_figures(diagnosis, cluster))}."
        rows = wrong_members(diagnosis, cluster, PICTURES)
        cards.append(_card(diagnosis, pictures, cluster_title(diagnosis, cluster), sentence, rows))
    instead = "" if cards else sensitivity_sentence(diagnosis)
    hints = candidates_sentence(diagnosis)[:MOST_WORDS] if diagnosis.candidates else ""
    return str(
        render(
            "notebook.html.j2",
            name=samples.name[:MOST_TEXT],
            n=len(samples),
            warning=PROXY if diagnosis.outcomes.is_proxy else "",
            verdict=verdict(diagnosis)[:MOST_WORDS],
            cards=cards,
            more=len(diagnosis.clusters) - len(cards),
            instead=instead,
            hints=hints,
        )
    )


def selections_html(diagnosis: Diagnosis, selections: Sequence[tuple[str, str, I64]]) -> str:
    """The fragment of sets of samples.

    Args:
        diagnosis: the run they are of.
        selections: title, sentence, and row numbers of each, the first to show first.
    """
    samples = diagnosis.samples
    pictures = InlinePictures(samples.items, MOST_BYTES, PICTURE_SIZE, samples.modality)
    cards = [_card(diagnosis, pictures, *selection) for selection in selections[:MOST_SELECTIONS]]
    instead = "" if cards else "None."
    return str(render("notebook.html.j2", cards=cards, more=len(selections) - len(cards), instead=instead))


def section_html(diagnosis: Diagnosis, section: Section) -> str:
    """The fragment of a section: its title and lead, and its rows without images."""
    rows = [(row.subject, row.text, np.empty(0, np.int64)) for row in section.rows]
    cards = [_card(diagnosis, InlinePictures(None, 0, 0), *row) for row in rows[:MOST_SELECTIONS]]
    return str(
        render(
            "notebook.html.j2",
            verdict=f"{section.title}. {section.lead}"[:MOST_WORDS],
            cards=cards,
            more=len(rows) - len(cards),
            notes=[note[:MOST_WORDS] for note in section.notes],
        )
    )


def _card(diagnosis: Diagnosis, pictures: InlinePictures, title: str, sentence: str, rows: I64) -> dict[str, Any]:
    samples = diagnosis.samples
    shown = rows[:PICTURES].tolist()
    texts = [text_of(samples, row)[:MOST_TEXT] for row in shown]
    members = list[tuple[str, Any]]()
    if samples.modality != "text":
        members = [(samples.ids[row][:MOST_TEXT], pictures.address(row)) for row in shown]
    return {
        "title": title[:MOST_WORDS],
        "sentence": sentence[:MOST_WORDS],
        "members": members,
        "texts": [text for text in texts if text][: PICTURES // 2],
    }
