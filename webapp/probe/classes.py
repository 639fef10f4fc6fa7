"""A probe class by class, as markup: recall and precision, what it confuses, and whether its confidence can be
believed."""

from __future__ import annotations

import numpy as np

from core.numbers import bracketed, count, p_value, percent, points
from core.records import Comparison, Diagnosis, Estimate, FourWay, ProbeResult
from webapp.markup.html import esc
from webapp.markup.whiskers import Mark, line

MAX_CELLS = 40
"""With more classes the largest confusions are listed instead of a map."""
MAX_PAIRS = 30
SIZE, PAD = 300, 44


def classes_view(diagnosis: Diagnosis, result: ProbeResult, comparison: Comparison | None) -> str:
    """Recall and precision of each class with Wilson intervals, least recognised first, beside the user's model."""
    from core.probes.measures import by_class  # scipy: not needed to start the page

    predictions = result.outcomes.predictions
    assert predictions is not None
    found = [c for c in by_class(result.labels, predictions, result.class_names) if c.n or c.n_said]
    found.sort(key=lambda c: c.recall.value if c.recall else 2.0)
    beside = {} if comparison is None else {f.scope: f for f in comparison.classes}
    own = _own_recall(diagnosis, result)
    rows = ""
    for c in found:
        rows += (
            f"<tr><td><b>{esc(c.name)}</b></td><td>{c.n:,}</td><td "
            f'class="drawn">{_drawn(c.recall, own.get(c.name))}</td><td>{_said(c.recall)}</td>'
            f'<td class="drawn">{_drawn(c.precision, None)}</td><td>{_said(c.precision)}</td><td>{_beside(beside.get(c.name))}</td></tr>'
        )
    heads = ("Class", "Images", f"Recall{ENDS}", "", f"Precision{ENDS}", "", "Against your model")
    head = "".join(f'<th scope="col">{h}</th>' for h in heads)
    key = " The thin line is your model’s recall." if own else ""
    note = (
        "Recall: how often the class is recognised. Precision: how often it is right where it is said. "
        f"95\u202f% intervals (Wilson).{key}"
    )
    region = 'class="scroll classes-table" tabindex="0" role="region" aria-label="Recall and precision by class"'
    return (
        f'<p class="muted small-note">{note}</p><div {region}><table '
        f'class="probes"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _own_recall(diagnosis: Diagnosis, result: ProbeResult) -> dict[str, float]:
    errors = diagnosis.outcomes.errors
    if errors is None:
        return {}
    right = ~errors[result.rows]
    return {result.class_names[c]: float(right[result.labels == c].mean()) for c in np.unique(result.labels).tolist()}


def _drawn(estimate: Estimate | None, own: float | None) -> str:
    if estimate is None:
        return ""
    marks = [Mark(estimate)]
    if own is not None:
        marks.append(Mark(Estimate(own, float("nan"), float("nan")), "rest"))
    return line(marks, (0.0, 1.0))


def _said(estimate: Estimate | None) -> str:
    return "none" if estimate is None else f"{percent(estimate.value)} <small>{bracketed(estimate, share=True)}</small>"


def _beside(found: FourWay | None) -> str:
    if found is None:
        return ""
    p = f" <small>{p_value(found.p)}</small>" if found.p is not None else ""
    return f"{points(found.difference.value, sign=True)} <small>{bracketed(found.difference, points=True)}</small>{p}"


def confusion_view(result: ProbeResult) -> str:
    """What is taken for what: a map of all classes, or the largest confusions where there are many classes."""
    from core.probes.measures import confusion

    predictions, names = result.outcomes.predictions, result.class_names
    assert predictions is not None
    counts = confusion(result.labels, predictions, len(names))
    title = "<h3>What it takes for what</h3>"
    return title + (_map(counts, names) if len(names) <= MAX_CELLS else _largest(counts, names))


def _map(counts: np.ndarray, names: tuple[str, ...]) -> str:
    totals = counts.sum(1)
    head = "".join(f'<th scope="col" title="{esc(n)}"><span>{esc(n)}</span></th>' for n in names)
    body = ""
    for c, name in enumerate(names):
        cells = ""
        for d, other in enumerate(names):
            n, share = int(counts[c, d]), float(counts[c, d] / max(totals[c], 1))
            kind = "down" if c == d else "up"
            said = (
                f"Of {count(int(totals[c]), 'image')} of {name}, {n:,} ({percent(share)}) "
                f"are taken for {'it' if c == d else other}."
            )
            cells += (
                f'<td class="{kind}" style="--s:{75 * share:.0f}%" tabindex="-1" data-said="{esc(said)}">{n or ""}</td>'
            )
        body += f'<tr><th scope="row">{esc(name)}</th>{cells}</tr>'
    note = (
        "Each line is a true class, each column what the probe says. Blue is right, orange wrong; "
        "the stronger, the larger the share of the line."
    )
    return (
        f'<p class="muted small-note">{note}</p><div class="heat-scroll"><table class="heat '
        f'confusion"><thead><tr><th></th>{head}</tr></thead>'
        f'<tbody>{body}</tbody></table></div><p class="heat-live" aria-live="polite">Point at a cell, '
        "or step through them with the arrow keys.</p>"
    )


def _largest(counts: np.ndarray, names: tuple[str, ...]) -> str:
    off = counts.copy()
    np.fill_diagonal(off, 0)
    order = np.argsort(-off, axis=None, kind="stable")[:MAX_PAIRS]
    rows = ""
    for place in order.tolist():
        c, d = divmod(place, len(names))
        if off[c, d]:
            share = percent(off[c, d] / max(counts[c].sum(), 1))
            rows += f"<tr><td>{esc(names[c])} → {esc(names[d])}</td><td>{int(off[c, d]):,}</td><td>{share}</td></tr>"
    if not rows:
        return '<p class="muted">Nothing is confused.</p>'
    head = '<th scope="col">True class → said</th><th scope="col">Images</th><th scope="col">Of the class</th>'
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def reliability_view(result: ProbeResult) -> str:
    """Confidence against accuracy in bins of equal count, drawn and as a table."""
    from core.probes.measures import confidence_of, reliability

    bins, error = reliability(*confidence_of(result)), result.calibration_error
    said = f"Expected calibration error {percent(error.value)} {bracketed(error, share=True)}"
    mean = float(sum(b.confidence * b.n for b in bins) / max(1, sum(b.n for b in bins)))
    gap = mean - result.accuracy.value
    way = "over-confident" if gap > 0.01 else "under-confident" if gap < -0.01 else "neither over- nor under-confident"
    marks = ""
    for b in bins:
        x, y = _x(b.confidence), _y(b.accuracy.value)
        title = (
            f"Confidence {percent(b.confidence)}: right on {percent(b.accuracy.value)} "
            f"{bracketed(b.accuracy, share=True)} of {b.n:,}"
        )
        marks += (
            f'<g><title>{title}</title><line class="range" x1="{x:.1f}" x2="{x:.1f}" y1="{_y(b.accuracy.low):.1f}" '
            f'y2="{_y(b.accuracy.high):.1f}"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/></g>'
        )
    grid = "".join(
        f'<line class="grid" x1="{_x(0)}" x2="{_x(1)}" y1="{_y(v)}" y2="{_y(v)}"/>'
        f'<text x="{PAD - 6}" y="{_y(v) + 4}" text-anchor="end">{percent(v)}</text>'
        f'<text x="{_x(v)}" y="{SIZE - PAD + 17}" text-anchor="middle">{percent(v)}</text>'
        for v in (0.0, 0.5, 1.0)
    )
    drawn = (
        f'<svg class="reliability" viewBox="0 0 {SIZE} {SIZE}" role="img" aria-label="{esc(said)}. '
        f"Mean confidence {percent(mean)}, "
        f'right on {percent(result.accuracy.value)}.">{grid}<line class="even" x1="{_x(0)}" y1="{_y(0)}" '
        f'x2="{_x(1)}" y2="{_y(1)}"/>{marks}'
        f'<text x="{_x(0.5)}" y="{SIZE - 6}" text-anchor="middle">confidence</text></svg>'
    )
    rows = "".join(
        f"<tr><td>{percent(b.confidence)}</td><td>{percent(b.accuracy.value)} "
        f"<small>{bracketed(b.accuracy, share=True)}</small></td>"
        f"<td>{b.n:,}</td></tr>"
        for b in bins
    )
    table = (
        '<table class="probes"><thead><tr><th scope="col">Confidence</th><th scope="col">Right</th><th '
        'scope="col">Images</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
    return (
        f'<p class="said"><b>{said}.</b> It says it is {percent(mean)} sure and is right on '
        f"{percent(result.accuracy.value)}: {way}.</p>"
        f'<div class="calibration"><figure>{drawn}<figcaption class="muted">On the line it is as often right as it '
        "is sure.</figcaption></figure>"
        f'<div class="scroll tall">{table}</div></div>'
    )


def _x(value: float) -> float:
    return PAD + value * (SIZE - PAD - 20)


def _y(value: float) -> float:
    return SIZE - PAD - value * (SIZE - PAD - 14)


ENDS = '<span class="line-ends"><i>0</i><i>100\u202f%</i></span>'
