"""A probe by class: recall and precision, confusions, and calibration."""

from __future__ import annotations

import numpy as np

from core.numbers import count, percent
from core.records import Comparison, Diagnosis, Estimate, FourWay
from core.reports.html.intervals import Dot, Mark, dots, tick
from core.systems.probes.records import ProbeResult
from webapp.markup.shares import own_model
from webapp.systems.probes.render import render

MAX_CELLS = 40
"""With more classes a list of the largest confusions replaces the map."""
MAX_PAIRS = 30
MAX_CALIBRATED_GAP = 0.01
"""Largest difference of mean confidence and accuracy without over- or under-confidence."""


def classes_view(diagnosis: Diagnosis, result: ProbeResult, comparison: Comparison | None) -> str:
    """Recall and precision of each class with Wilson intervals, least recognized first, beside the user's model."""
    from core.systems.probes.measures import by_class, groups_of  # scipy: not needed to start the page

    predictions = result.outcomes.predictions
    assert predictions is not None
    every = by_class(result.labels, predictions, result.class_names, groups_of(diagnosis, result))
    classes = [c for c in every if c.n or c.n_said]
    classes.sort(key=lambda c: c.recall.value if c.recall else 2.0)
    compared: dict[str, FourWay] = {}
    if comparison is not None:
        compared = {f.scope: f for f in comparison.classes}
    model_recall: dict[str, float] = {}
    if diagnosis.outcomes.errors is not None:
        right = ~diagnosis.outcomes.errors[result.rows]
        for c in np.unique(result.labels).tolist():
            model_recall[result.class_names[c]] = float(right[result.labels == c].mean())
    rows = [(c, _dots(c.recall, model_recall.get(c.name)), _dots(c.precision), compared.get(c.name)) for c in classes]
    return render("classes.html.j2", rows=rows, has_own=bool(model_recall), mine=own_model(diagnosis))


def _dots(estimate: Estimate | None, model_value: float | None = None) -> tuple[Dot, ...]:
    if estimate is None:
        return ()
    marks = [Mark(estimate)]
    if model_value is not None:
        marks.append(tick(model_value))
    return dots(marks, (0.0, 1.0))


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
        pairs = _largest(counts, shares, names)
    return render("confusion.html.j2", names=names, rows=rows, pairs=pairs)


def _cell(
    counts: np.ndarray, shares: np.ndarray, names: tuple[str, ...], c: int, d: int
) -> tuple[int, float, bool, str]:
    """(images, their share of the true class, whether they are right, a sentence)."""
    n = int(counts[c, d])
    share = float(shares[c, d])
    sentence = f"{n:,} of {count(int(counts[c].sum()), 'sample')} of {names[c]} ({percent(share)}): {names[d]}."
    return n, share, c == d, sentence


def _largest(counts: np.ndarray, shares: np.ndarray, names: tuple[str, ...]) -> list[tuple[str, str, int, float]]:
    off = counts.copy()
    np.fill_diagonal(off, 0)
    order = np.argsort(-off, axis=None, kind="stable")[:MAX_PAIRS]
    pairs = [divmod(cell, len(names)) for cell in order.tolist()]
    return [(names[c], names[d], int(off[c, d]), float(shares[c, d])) for c, d in pairs if off[c, d]]


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
