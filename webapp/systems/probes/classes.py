"""A probe class by class: recall and precision, what it confuses, and whether its confidence can be believed."""

from __future__ import annotations

import numpy as np

from core.numbers import count, percent
from core.records import Comparison, Diagnosis, Estimate
from core.reports.html.intervals import Dot, Mark, dots, tick
from core.systems.probes.records import ProbeResult
from webapp.markup.shares import own_model
from webapp.systems.probes.render import render

MAX_CELLS = 40
"""With more classes the largest confusions are listed instead of a map."""
MAX_PAIRS = 30
MAX_EVEN = 0.01
"""Mean confidence and accuracy that differ by no more are called even."""


def classes_view(diagnosis: Diagnosis, result: ProbeResult, comparison: Comparison | None) -> str:
    """Recall and precision of each class with Wilson intervals, least recognized first, beside the user's model."""
    from core.systems.probes.measures import by_class, groups_of  # scipy: not needed to start the page

    predictions = result.outcomes.predictions
    assert predictions is not None
    found = [
        c
        for c in by_class(result.labels, predictions, result.class_names, groups_of(diagnosis, result))
        if c.n or c.n_said
    ]
    found.sort(key=lambda c: c.recall.value if c.recall else 2.0)
    beside = {} if comparison is None else {f.scope: f for f in comparison.classes}
    own = _own_recall(diagnosis, result)
    rows = [(c, _dots(c.recall, own.get(c.name)), _dots(c.precision), beside.get(c.name)) for c in found]
    return render("classes.html.j2", rows=rows, has_own=bool(own), mine=own_model(diagnosis))


def _own_recall(diagnosis: Diagnosis, result: ProbeResult) -> dict[str, float]:
    errors = diagnosis.outcomes.errors
    if errors is None:
        return {}
    right = ~errors[result.rows]
    return {result.class_names[c]: float(right[result.labels == c].mean()) for c in np.unique(result.labels).tolist()}


def _dots(estimate: Estimate | None, own: float | None = None) -> tuple[Dot, ...]:
    if estimate is None:
        return ()
    return dots([Mark(estimate), *([] if own is None else [tick(own)])], (0.0, 1.0))


def confusion_view(result: ProbeResult) -> str:
    """What is taken for what: a map of all classes, or the largest confusions where there are many classes."""
    from core.systems.probes.measures import confusion

    predictions = result.outcomes.predictions
    names = result.class_names
    assert predictions is not None
    counts = confusion(result.labels, predictions, len(names))
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    few = len(names) <= MAX_CELLS
    places = range(len(names))
    return render(
        "confusion.html.j2",
        names=names,
        rows=[[_cell(counts, shares, names, c, d) for d in places] for c in places] if few else [],
        pairs=[] if few else _largest(counts, shares, names),
    )


def _cell(
    counts: np.ndarray, shares: np.ndarray, names: tuple[str, ...], c: int, d: int
) -> tuple[int, float, bool, str]:
    """(images, their share of the true class, whether they are right, all of it in words)."""
    n = int(counts[c, d])
    share = float(shares[c, d])
    said = (
        f"Of {count(int(counts[c].sum()), 'sample')} of {names[c]}, {n:,} ({percent(share)}) "
        f"are taken for {'it' if c == d else names[d]}."
    )
    return n, share, c == d, said


def _largest(counts: np.ndarray, shares: np.ndarray, names: tuple[str, ...]) -> list[tuple[str, str, int, float]]:
    off = counts.copy()
    np.fill_diagonal(off, 0)
    order = np.argsort(-off, axis=None, kind="stable")[:MAX_PAIRS]
    places = [divmod(place, len(names)) for place in order.tolist()]
    return [(names[c], names[d], int(off[c, d]), float(shares[c, d])) for c, d in places if off[c, d]]


def reliability_view(diagnosis: Diagnosis, result: ProbeResult) -> str:
    """Confidence against accuracy in bins of equal count, drawn and as a table."""
    from core.systems.probes.measures import confidence_of, groups_of, reliability

    bins = reliability(*confidence_of(result), groups_of(diagnosis, result))
    mean = float(sum(b.confidence * b.n for b in bins) / max(1, sum(b.n for b in bins)))
    gap = mean - result.accuracy.value
    way = "over" if gap > MAX_EVEN else "under" if gap < -MAX_EVEN else "neither over- nor under"
    return render(
        "reliability.html.j2",
        error=result.calibration_error,
        mean=mean,
        accuracy=result.accuracy.value,
        way=f"{way}-confident",
        bins=bins,
    )
