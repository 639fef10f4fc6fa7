"""The strip on top, the class table and the notes below: what a run says as a whole."""

from __future__ import annotations

import numpy as np

from core.data.tables.roles import columns_read
from core.extensions import sections
from core.numbers import count, number, percent
from core.records import Diagnosis
from core.reports.wording.classes import PAIR_TESTED, class_level, through_sentence, untested_sentence
from core.reports.wording.sensitivity import classes_sentence
from core.reports.wording.understood import AS_UNDERSTOOD, rows_as_understood, taken_as_is
from core.reports.wording.verdict import predictability_sentence
from webapp.explore.worth import worth_of
from webapp.markup.html import tile_of
from webapp.markup.render import render
from webapp.state.boxes import on_page

MAX_LABELS = 24
"""Suspected labels that are shown."""
MAX_CHIPS = 4
"""Failing classes that stand in the line above the table."""
MAX_EXCLUDED = 50
"""Rows left out that are named."""


def strip(diagnosis: Diagnosis) -> str:
    """The facts of the run: data set, size, loss, error rate, predictability."""
    samples = diagnosis.samples
    outcomes = diagnosis.outcomes
    clusters = diagnosis.clusters
    facts = [
        ("Data set", samples.name, ""),
        ("Samples", f"{len(samples):,}", count(len(samples.class_names), "class") if samples.class_names else ""),
        (
            f"Mean {'proxy' if outcomes.is_proxy else 'loss'}",
            number(float(outcomes.loss.mean())),
            ", ".join(part for part in (outcomes.name, outcomes.said_unit) if part not in ("", "loss")),
        ),
    ]
    if outcomes.errors is not None:
        facts.append(("Error rate", percent(float(outcomes.errors.mean())), f"{int(outcomes.errors.sum()):,} wrong"))
    facts.append(("Clusters", str(len(clusters)), "confirmed" if clusters else "none confirmed"))
    return render(
        "explore/strip.html.j2",
        facts=facts,
        sentence=predictability_sentence(diagnosis),
        doubts=[on_page(doubt) for doubt in taken_as_is(diagnosis)],
    )


def class_section(diagnosis: Diagnosis) -> str:
    """Whole classes that fail and pairs that are confused: one line, the table folded under it; "" where there are no
    classes."""
    if not diagnosis.classes:
        return ""
    return render(
        "explore/classes.html.j2",
        diagnosis=diagnosis,
        found=sorted(diagnosis.classes, key=lambda c: (not c.confirmed, -c.mean_loss.value)),
        confirmed=[c for c in diagnosis.classes if c.confirmed],
        most=MAX_CHIPS,
        sensitivity=classes_sentence(diagnosis),
        untested=untested_sentence(diagnosis),
        through=[*filter(None, (through_sentence(diagnosis, f) for f in diagnosis.classes))],
        pair_tested=PAIR_TESTED,
        level=class_level(diagnosis),
    )


def notes_section(diagnosis: Diagnosis, *, worth_open: bool = False) -> str:
    """What naming causes is worth, what was assumed, suspected labels, rows left out, and what is needed to say all
    this again.

    Args:
        worth_open: whether the first of these is unfolded.
    """
    settings = {
        **diagnosis.settings,
        "encoder": diagnosis.embeddings.encoder,
        "loss from": diagnosis.outcomes.source,
        "data": diagnosis.fingerprint[:16],
        **{f"version of {name}": version for name, version in diagnosis.versions.items()},
    }
    rows = diagnosis.label_errors[:MAX_LABELS].tolist()
    return render(
        "explore/notes.html.j2",
        diagnosis=diagnosis,
        as_understood=AS_UNDERSTOOD,
        rows=rows_as_understood(diagnosis.samples, diagnosis.outcomes, columns_read(diagnosis.extras)),
        worth=worth_of(diagnosis, is_open=worth_open),
        notes=[on_page(note) for note in diagnosis.notes],
        labels=[tile_of(diagnosis, row, foot=_label_foot(diagnosis, row)) for row in rows],
        settings=settings.items(),
        sections=[section for section in sections(diagnosis) if section.notes or section.hint],
        most=MAX_EXCLUDED,
    )


def _label_foot(diagnosis: Diagnosis, row: int) -> tuple[str, ...] | None:
    """The label with its probability, and the likeliest other class with its own; None where they are not known."""
    scores = diagnosis.outcomes.scores
    labels = diagnosis.samples.labels
    names = diagnosis.samples.class_names
    if scores is None or labels is None or scores.shape[1] < 2 or scores.shape[1] != len(names):
        return None
    label = int(labels[row])
    other = next(int(k) for k in np.argsort(-scores[row]) if k != label)
    return ("", *(f"{names[k]} {percent(float(scores[row, k]))}" for k in (label, other)))
