"""When a clip of the open run looks like a text, for the enlarged sample."""

from __future__ import annotations

import threading
from typing import Any

from core.errors import DiagnosisError
from core.records import EVERYTHING, Diagnosis
from core.statistics.measures import insights_of
from webapp.explore.patches import map_beside
from webapp.markup.render import render
from webapp.state.boxes import on_page

AT_ONCE = 2
PATIENCE_S = 20.0
"""Curves that the server draws at once, and how long another waits for its turn."""
BUSY = "The server is drawing for others. Try again in a moment."
_turn = threading.BoundedSemaphore(AT_ONCE)


def beside(run: str, diagnosis: Diagnosis, row: int) -> dict[str, Any]:
    """What an enlarged sample shows besides: {"words": where visual words are, "moments": `first_text`, "moving":
    whether its picture can play}."""
    moving = diagnosis.samples.modality == "clip"
    return {"words": map_beside(run, diagnosis, row), "moments": first_text(diagnosis, row), "moving": moving}


def first_text(diagnosis: Diagnosis, row: int) -> str | None:
    """The text that is asked of a row at first: the phrase of its cluster, else a confirmed one of all samples that it
    is like, or ""; None where the run has no clips, or no words."""
    words = diagnosis.words
    if diagnosis.samples.modality != "clip" or diagnosis.samples.items is None or words is None or not words.encoder:
        return None
    from core.reports.html.moments import cluster_phrase

    for cluster in diagnosis.clusters:
        if cluster.membership[row] >= 0.5 and (phrase := cluster_phrase(diagnosis, cluster)):
            return phrase
    general = (i for i in insights_of(diagnosis, None, "phrase") if i.scope == EVERYTHING)
    return next((i.text for i in general if i.confirmed and i.mask[row]), "")


def moment_card(diagnosis: Diagnosis, row: int, text: str) -> dict[str, str]:
    """{"moment": when the clip looks like the text, as markup, or why that is not known}."""
    from core.checks.asked_text import read_text
    from core.reports.html.moments import moments_in, shown_moments

    asked = read_text(text, ())
    if asked.refused:
        return _refusal(asked.refused)
    if not _turn.acquire(timeout=PATIENCE_S):
        return _refusal(BUSY)
    try:
        found = moments_in(diagnosis, row, asked.text)
    except DiagnosisError as error:
        return _refusal(on_page(str(error)))
    finally:
        _turn.release()
    shown = shown_moments([found], [diagnosis.samples.ids[row]])
    return {"moment": render("explore/moments.html.j2", shown=shown, refused="")}


def _refusal(said: str) -> dict[str, str]:
    return {"moment": render("explore/moments.html.j2", shown=None, refused=said)}
