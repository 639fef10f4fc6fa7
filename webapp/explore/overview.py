"""The strip on top, the class table, and the notes: the run as a whole."""

from __future__ import annotations

import numpy as np

from core.data.tables.roles import columns_read
from core.extensions import sections
from core.numbers import count, number, percent, with_unit
from core.records import Diagnosis
from core.reports.wording.classes import PAIR_TESTED, class_level, through_sentence, untested_sentence
from core.reports.wording.dependence import dependence_sentences
from core.reports.wording.reasons import kinds_table
from core.reports.wording.sensitivity import classes_sentence
from core.reports.wording.understood import AS_UNDERSTOOD, rows_as_understood, taken_as_is
from core.reports.wording.verdict import verdict
from webapp.explore.worth import worth_of
from webapp.markup.html import tile_of
from webapp.markup.render import render
from webapp.state.boxes import on_page

MAX_LABELS = 24
"""Suspected labels shown."""
MAX_CHIPS = 4
"""Whole classes named in the line above the table."""
MAX_EXCLUDED = 50
"""Omitted rows listed."""


def strip(diagnosis: Diagnosis) -> str:
    """Render the headline of a run: the result in one sentence, and how much was wrong of how many samples."""
    outcomes = diagnosis.outcomes
    n = count(len(diagnosis.samples), diagnosis.samples.modality)
    measure = f"mean {outcomes.name} {number(float(outcomes.loss.mean()))}{with_unit(diagnosis)}"
    line = f"{n}, {measure}."
    if outcomes.is_proxy:
        line = f"{n}, {measure} (a proxy)."
    if outcomes.errors is not None:
        line = f"Wrong on {percent(float(outcomes.errors.mean()))} of {n}."
    return render(
        "explore/strip.html.j2",
        headline=verdict(diagnosis),
        line=line,
        doubts=[on_page(doubt) for doubt in (*dependence_sentences(diagnosis), *taken_as_is(diagnosis))],
    )


def class_section(diagnosis: Diagnosis) -> str:
    """Render the worst classes and the confused pairs: one line with a folded table; "" without classes."""
    if not diagnosis.classes:
        return ""
    return render(
        "explore/classes.html.j2",
        diagnosis=diagnosis,
        findings=sorted(diagnosis.classes, key=lambda c: (not c.confirmed, c.kind == "confusion", -c.mean_loss.value)),
        confirmed=[c for c in diagnosis.classes if c.confirmed],
        most=MAX_CHIPS,
        sensitivity=classes_sentence(diagnosis),
        untested=untested_sentence(diagnosis),
        through=[*filter(None, (through_sentence(diagnosis, f) for f in diagnosis.classes))],
        pair_tested=PAIR_TESTED,
        level=class_level(diagnosis),
    )


def notes_section(diagnosis: Diagnosis, *, worth_open: bool = False) -> str:
    """Render the notes: reliability of causes, assumptions, suspected labels, omitted rows, and what a rerun needs.

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
    measured = diagnosis.faithfulness
    kinds = []
    brief = "not measured"
    if measured is not None:
        kinds = kinds_table(measured)
        brief = "not known"
        if measured.anything is not None and kinds:
            brief = f"AUROC {number(measured.anything.auroc.value, 2)}"
    return render(
        "explore/notes.html.j2",
        diagnosis=diagnosis,
        as_understood=AS_UNDERSTOOD,
        rows=rows_as_understood(diagnosis.samples, diagnosis.outcomes, columns_read(diagnosis.extras)),
        worth=worth_of(diagnosis),
        worth_open=worth_open,
        brief=brief,
        kinds=kinds,
        notes=[on_page(note) for note in diagnosis.notes],
        labels=[tile_of(diagnosis, row, foot=_label_foot(diagnosis, row)) for row in rows],
        settings=settings.items(),
        sections=[section for section in sections(diagnosis) if section.notes or section.hint],
        most=MAX_EXCLUDED,
    )


def _label_foot(diagnosis: Diagnosis, row: int) -> tuple[str, ...] | None:
    """Return the label and the likeliest other class with their probabilities; None if unknown."""
    scores = diagnosis.outcomes.scores
    labels = diagnosis.samples.labels
    names = diagnosis.samples.class_names
    if scores is None or labels is None or scores.shape[1] < 2 or scores.shape[1] != len(names):
        return None
    label = int(labels[row])
    likeliest = next(int(k) for k in np.argsort(-scores[row]) if k != label)
    return ("", *(f"{names[k]} {percent(float(scores[row, k]))}" for k in (label, likeliest)))
