"""A diagnosis as the output of a notebook's cell: the verdict, and of each cluster a sentence and its first images.

One fragment of HTML without script, id or class of the notebook's page; every text from the user's data is escaped.
"""

from __future__ import annotations

from typing import Any

from core.data.inline import InlinePictures, text_of
from core.language.titles import capital
from core.records import Diagnosis
from core.reports.html.render import render
from core.reports.wording.candidates import candidates_sentence
from core.reports.wording.findings import cluster_figures, cluster_title
from core.reports.wording.sensitivity import sensitivity_sentence
from core.reports.wording.verdict import PROXY, verdict
from core.statistics.counts import top_members

MOST_CLUSTERS = 5
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
        rows = [int(row) for row in top_members(diagnosis, cluster, PICTURES)]
        texts = [text_of(samples, row)[:MOST_TEXT] for row in rows]
        members = list[tuple[str, Any]]()
        if samples.modality != "text":
            members = [(samples.ids[row][:MOST_TEXT], pictures.address(row)) for row in rows]
        cards.append(
            {
                "title": cluster_title(diagnosis, cluster)[:MOST_WORDS],
                "sentence": f"{capital(cluster_figures(diagnosis, cluster))}."[:MOST_WORDS],
                "members": members,
                "texts": [text for text in texts if text][: PICTURES // 2],
            }
        )
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
