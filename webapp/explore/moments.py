"""When a clip of the open run looks like a text, for the enlarged sample."""

from __future__ import annotations

import threading
from typing import Any

from core.errors import DiagnosisError
from core.records import EVERYTHING, Diagnosis
from core.statistics.measures import insights_of
from webapp.explore.patches import patches_of
from webapp.markup.render import render
from webapp.state.boxes import on_page

MAX_CURVES = 2
PATIENCE_S = 20.0
"""Curves drawn at once, and seconds that another waits for its turn."""
BUSY = "The server is busy. Try again in a moment."
_turn = threading.BoundedSemaphore(MAX_CURVES)


def beside(run: str, diagnosis: Diagnosis, row: int) -> dict[str, Any]:
    """Return extras of an enlarged sample: {"words": positions of visual words, "moments": `first_text`, "moving":
    whether its image plays}."""
    words = None
    patches = patches_of(run)
    if patches is not None and diagnosis.samples.items is not None:
        words = patches.map_of(diagnosis, row)
    moving = diagnosis.samples.modality == "clip"
    return {"words": words, "moments": first_text(diagnosis, row), "moving": moving}


def first_text(diagnosis: Diagnosis, row: int) -> str | None:
    """Return the suggested text for a row: the phrase of its cluster, else a confirmed phrase that matches it, or "";
    None for a run without clips or words."""
    words = diagnosis.words
    if diagnosis.samples.modality != "clip" or diagnosis.samples.items is None or words is None or not words.encoder:
        return None
    from core.reports.html.moments import cluster_phrase

    for cluster in diagnosis.clusters:
        if cluster.membership[row] < 0.5:
            continue
        phrase = cluster_phrase(diagnosis, cluster)
        if phrase:
            return phrase
    general = (i for i in insights_of(diagnosis, None, "phrase") if i.scope == EVERYTHING)
    return next((i.text for i in general if i.confirmed and i.mask[row]), "")


def moment_card(diagnosis: Diagnosis, row: int, text: str) -> dict[str, str]:
    """Return {"moment": markup of when the clip looks like the text, or of why that is unknown}."""
    from core.checks.asked_text import read_text
    from core.reports.html.moments import moments_in, shown_moments

    asked = read_text(text, ())
    if asked.refused:
        return _refusal(asked.refused)
    if not _turn.acquire(timeout=PATIENCE_S):
        return _refusal(BUSY)
    try:
        moments = moments_in(diagnosis, row, asked.text)
    except DiagnosisError as error:
        return _refusal(on_page(str(error)))
    finally:
        _turn.release()
    shown = shown_moments([moments], [diagnosis.samples.ids[row]])
    return {"moment": render("explore/moments.html.j2", shown=shown, refused="")}


def _refusal(reason: str) -> dict[str, str]:
    return {"moment": render("explore/moments.html.j2", shown=None, refused=reason)}
