"""The strip on top, the class table and the notes below: what a run says as a whole, as markup."""

from __future__ import annotations

import numpy as np

from core.numbers import bracketed, count, number, p_value, percent
from core.records import ClassFinding, Diagnosis, Predictability
from webapp.markup.html import esc, tile

LABELS = 24
"""Suspected labels that are shown."""


def is_predictable(predictability: Predictability, alpha: float) -> bool:
    """Whether the embedding predicts the loss better than chance; without a p, whether the interval lies above zero."""
    if predictability.p is not None:
        return predictability.p <= alpha
    return predictability.r2.low > 0


def predictability_sentence(diagnosis: Diagnosis) -> str:
    """How much of the loss the embedding predicts, in one sentence (plain text)."""
    found, name = diagnosis.estimate.predictability, diagnosis.outcomes.name
    p = f", {p_value(found.p)}" if found.p is not None else ""
    if is_predictable(found, float(diagnosis.settings.get("alpha", 0.05))):
        return (
            f"The embedding predicts {percent(found.r2.value)} {bracketed(found.r2, share=True)} of the "
            f"differences in {name}{p}."
        )
    return f"The {name} cannot be predicted from this embedding (R² {number(found.r2.value)} {bracketed(found.r2)}{p})."


def strip(diagnosis: Diagnosis) -> str:
    """The facts of the run: data set, size, loss, error rate, predictability."""
    samples, outcomes = diagnosis.samples, diagnosis.outcomes
    kind = "proxy" if outcomes.is_proxy else "loss"
    facts = [
        ("Data set", esc(samples.name), ""),
        ("Samples", f"{len(samples):,}", esc(count(len(samples.class_names), "class")) if samples.class_names else ""),
        (f"Mean {kind}", number(float(outcomes.loss.mean())), f"{esc(outcomes.name)}, {esc(outcomes.unit)}"),
    ]
    if outcomes.errors is not None:
        facts.append(("Error rate", percent(float(outcomes.errors.mean())), f"{int(outcomes.errors.sum()):,} wrong"))
    facts.append(("Clusters", str(len(diagnosis.clusters)), "confirmed" if diagnosis.clusters else "none confirmed"))
    cells = "".join(f"<div><dt>{label}</dt><dd>{value}<small>{note}</small></dd></div>" for label, value, note in facts)
    return (
        f'<div class="strip"><dl>{cells}</dl><p '
        f'class="strip-sentence">{esc(predictability_sentence(diagnosis))}</p></div>'
    )


def class_section(diagnosis: Diagnosis) -> str:
    """Whole classes that fail and pairs that are confused: one line, the table folded under it; "" where there are no
    classes."""
    if not diagnosis.classes:
        return ""
    confirmed = [c for c in diagnosis.classes if c.confirmed]
    lead = "".join(_class_chip(c, diagnosis) for c in confirmed[:4])
    more = f'<span class="muted">and {len(confirmed) - 4} more</span>' if len(confirmed) > 4 else ""
    if not confirmed:
        lead = '<span class="muted">no class and no pair fails more than chance allows</span>'
    rows = "".join(
        _class_row(c) for c in sorted(diagnosis.classes, key=lambda c: (not c.confirmed, -c.mean_loss.value))
    )
    head = "".join(
        f"<th>{t}</th>"
        for t in (
            "Class or pair",
            "Samples",
            f"Mean {esc(diagnosis.outcomes.name)}",
            "Error rate; of a pair, share of its true class",
            "Adjusted p",
        )
    )
    line = f'<span class="classes-title">Classes first</span>{lead}{more}<span class="fold-hint">Table</span>'
    return (
        f'<details class="classes"><summary>{line}</summary>'
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></details>'
    )


def _class_chip(finding: ClassFinding, diagnosis: Diagnosis) -> str:
    said = (
        percent(finding.error_rate.value) + " wrong"
        if finding.error_rate
        else f"mean {number(finding.mean_loss.value)}"
    )
    if finding.kind == "confusion":
        said = f"{finding.size:,}&times;"
    return f'<span class="chip"><b>{esc(finding.name)}</b> {said}</span>'


def _class_row(finding: ClassFinding) -> str:
    rate = (
        f"{percent(finding.error_rate.value)} <small>{bracketed(finding.error_rate, share=True)}</small>"
        if finding.error_rate
        else ""
    )
    p = p_value(finding.p, bare=True) or '<span class="muted">described only</span>'
    name = f"<b>{esc(finding.name)}</b>" if finding.confirmed else esc(finding.name)
    mean = f"{number(finding.mean_loss.value)} <small>{bracketed(finding.mean_loss)}</small>"
    return f'<tr class="{"" if finding.confirmed else "quiet"}"><td>{name}</td><td>{finding.size:,}</td><td>{mean}</td><td>{rate}</td><td>{p}</td></tr>'


def notes_section(diagnosis: Diagnosis) -> str:
    """What was assumed, suspected labels, rows left out, and what is needed to say all this again."""
    parts = []
    if diagnosis.notes:
        parts.append(
            _fold("Notes on this run", len(diagnosis.notes), "".join(f"<li>{esc(n)}</li>" for n in diagnosis.notes))
        )
    if len(diagnosis.label_errors):
        shown = "".join(
            tile(diagnosis, int(row), foot=_label_foot(diagnosis, int(row))) for row in diagnosis.label_errors[:LABELS]
        )
        rest = (
            f'<p class="muted">and {len(diagnosis.label_errors) - LABELS:,} more in diagnosis.json</p>'
            if len(diagnosis.label_errors) > LABELS
            else ""
        )
        note = (
            '<p class="muted">The model gives another class more probability than usual for this label: '
            "some may be wrong labels. "
            "Most suspected first; a press enlarges.</p>"
        )
        title = f'Labels to check <span class="muted">{len(diagnosis.label_errors):,}</span>'
        parts.append(
            f'<details class="labels"><summary>{title}</summary>{note}<div '
            f'class="gallery">{shown}</div>{rest}</details>'
        )
    if diagnosis.excluded:
        shown = "".join(f"<li><b>{esc(i)}</b>: {esc(why)}</li>" for i, why in diagnosis.excluded[:50])
        rest = (
            f"<li>and {len(diagnosis.excluded) - 50:,} more in excluded.parquet</li>"
            if len(diagnosis.excluded) > 50
            else ""
        )
        parts.append(_fold("Rows left out", len(diagnosis.excluded), shown + rest))
    facts = {
        **diagnosis.settings,
        "encoder": diagnosis.embeddings.encoder,
        "loss from": diagnosis.outcomes.source,
        "data": diagnosis.fingerprint[:16],
    }
    shown = "".join(
        f"<li><b>{esc(k)}</b>: {esc(v)}</li>"
        for k, v in {**facts, **{f"version of {k}": v for k, v in diagnosis.versions.items()}}.items()
    )
    parts.append(_fold("Settings and versions", None, shown))
    return f'<div class="notes">{"".join(parts)}</div>'


def _label_foot(diagnosis: Diagnosis, row: int) -> tuple[str, ...] | None:
    """The label with its probability, and the likeliest other class with its own; None where they are not known."""
    scores, labels, names = diagnosis.outcomes.scores, diagnosis.samples.labels, diagnosis.samples.class_names
    if scores is None or labels is None or scores.shape[1] < 2 or scores.shape[1] != len(names):
        return None
    label = int(labels[row])
    other = next(int(k) for k in np.argsort(-scores[row]) if k != label)
    return (
        "",
        f"{names[label]} {percent(float(scores[row, label]))}",
        f"{names[other]} {percent(float(scores[row, other]))}",
    )


def _fold(title: str, n: int | None, items: str) -> str:
    tail = "" if n is None else f' <span class="muted">{n:,}</span>'
    return f"<details><summary>{title}{tail}</summary><ul>{items}</ul></details>"
