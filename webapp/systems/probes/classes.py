"""A probe's confusions and calibration."""

from __future__ import annotations

import numpy as np

from core.numbers import count, percent
from core.records import Diagnosis
from core.systems.probes.records import ProbeResult
from webapp.systems.probes.render import render

MAX_CELLS = 40
"""With more classes a list of the largest confusions replaces the map."""
MAX_PAIRS = 30
MAX_CALIBRATED_GAP = 0.01
"""Largest difference of mean confidence and accuracy without over- or under-confidence."""


def confusion_view(result: ProbeResult) -> str:
    """Confusions: a map of all classes, or a list of the largest for many classes."""
    from core.systems.probes.measures import confusion

    predictions = result.outcomes.predictions
    names = result.class_names
    assert predictions is not None
    counts = confusion(result.labels, predictions, len(names))
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    rows: list[list[tuple[int, float, bool, str]]] = []
    pairs: list[tuple[str, str, int, float]] = []
    if len(names) <= MAX_CELLS:
        for c in range(len(names)):
            rows.append([_cell(counts, shares, names, c, d) for d in range(len(names))])
    else:
        off = counts.copy()
        np.fill_diagonal(off, 0)
        for cell in np.argsort(-off, axis=None, kind="stable")[:MAX_PAIRS].tolist():
            c, d = divmod(cell, len(names))
            if off[c, d]:
                pairs.append((names[c], names[d], int(off[c, d]), float(shares[c, d])))
    return render("confusion.html.j2", names=names, rows=rows, pairs=pairs)


def _cell(
    counts: np.ndarray, shares: np.ndarray, names: tuple[str, ...], c: int, d: int
) -> tuple[int, float, bool, str]:
    """(images, their share of the true class, whether they are right, a sentence)."""
    n = int(counts[c, d])
    share = float(shares[c, d])
    sentence = f"{n:,} of {count(int(counts[c].sum()), 'sample')} of {names[c]} ({percent(share)}): {names[d]}."
    return n, share, c == d, sentence


def reliability_view(diagnosis: Diagnosis, result: ProbeResult) -> str:
    """Confidence against accuracy in bins of equal count, as a drawing and a table."""
    from core.systems.probes.measures import confidence_of, groups_of, reliability

    bins = reliability(*confidence_of(result), groups_of(diagnosis, result))
    mean = float(sum(b.confidence * b.n for b in bins) / max(1, sum(b.n for b in bins)))
    gap = mean - result.accuracy.value
    way = "neither over- nor under-confident"
    if gap > MAX_CALIBRATED_GAP:
        way = "over-confident"
    elif gap < -MAX_CALIBRATED_GAP:
        way = "under-confident"
    return render(
        "reliability.html.j2",
        error=result.calibration_error,
        mean=mean,
        accuracy=result.accuracy.value,
        way=way,
        bins=bins,
    )
