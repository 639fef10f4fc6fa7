"""Views of tags: a headline, a table with each tag's lift drawn over its wordings, and a tag's samples."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.numbers import bracketed, number, percent, points, signed, with_interval
from core.records import I64, Diagnosis, Estimate, Prediction
from core.reports.html.intervals import Axis, Dot, Mark, axis_of, dots
from core.reports.wording.predictions import tried_sentence
from core.systems.label_descriptions.wording import headline, tag_sentence
from webapp.markup.html import tile_of
from webapp.markup.render import renderer

if TYPE_CHECKING:
    from core.systems.label_descriptions.tagging import TagFinding, TagReport

render = renderer(Path(__file__).parent / "templates")
MAX_IMAGES = 18
MAX_LIFT = 4.0
"""End of the axis; a higher lift is drawn there."""


@dataclass(frozen=True, slots=True)
class TagRow:
    """Cells of a tag's row in the table."""

    tag: TagFinding
    verdict: str
    """"confirmed", "not confirmed" or "not tested"."""
    lift: str
    drawn: tuple[Dot, ...]
    """Lift with its interval, the lift in each wording as a thin line, and the line at 1."""
    wordings: str
    tested: str
    """Difference that the p-value tests: "mean loss +0.13 (0.05 to 0.21)"."""


def tags_view(report: TagReport, lists: int, prediction: Prediction | None = None) -> str:
    """Render the headline and every tag with its figures, strongest excess first.

    Args:
        lists: lists of tags that this visit has tested on the run: each is a separate family.
        prediction: of the run, if its findings were checked on new data.
    """
    marks: list[Mark] = []
    for tag in report.tags:
        marks += _marks(tag)
    axis = axis_of(marks, least=0.0, most=MAX_LIFT)
    return render(
        "tags.html.j2",
        headline=headline(report),
        report=report,
        rows=[_row(report, tag, axis) for tag in report.tags],
        ends=(number(axis[0]), number(axis[1])),
        n_wordings=len(report.tags[0].wordings),
        lists=lists,
        tried=tried_sentence(prediction),
    )


def _row(report: TagReport, tag: TagFinding, axis: Axis) -> TagRow:
    verdict = "not confirmed"
    if tag.p is None:
        verdict = "not tested"
    elif report.is_confirmed(tag):
        verdict = "confirmed"
    _, lowest, highest = tag.spread("lift")
    wordings = "counted" if tag.counted else f"{number(lowest)} to {number(highest)}"
    return TagRow(tag, verdict, with_interval(tag.lift), dots(_marks(tag), axis), wordings, tested_difference(tag))


def tested_difference(tag: TagFinding) -> str:
    """The difference in the measure that the p-value tests; "" without a p-value."""
    if tag.p is None or tag.measure is None:
        return ""
    if tag.measure == "mean loss" and tag.loss_difference is not None:
        return f"mean loss {signed(tag.loss_difference.value)} {bracketed(tag.loss_difference)}"
    worse = tag.error_difference
    if worse is None:
        return ""
    return f"error rate {points(worse.value, sign=True)} {bracketed(worse, points=True)}"


def _marks(tag: TagFinding) -> list[Mark]:
    ticks = [Mark(Estimate(wording.lift, nan, nan), "wording") for wording in tag.wordings]
    return [Mark(Estimate(1.0, nan, nan), "one"), *ticks, Mark(tag.lift)]


def carriers(report: TagReport, index: int) -> I64:
    """Rows that carry the tag, the highest score first."""
    rows = np.flatnonzero(report.carried[:, index]).astype(np.int64)
    return rows[np.argsort(-report.scores[rows, index], kind="stable")]


def tagged_view(diagnosis: Diagnosis, report: TagReport, index: int) -> str:
    """Render one tag: its sentence, its samples, and its figures in each wording."""
    tag = report.tags[index]
    rows = carriers(report, index)
    shown = rows[:MAX_IMAGES].tolist()
    return render(
        "tagged.html.j2",
        tag=tag,
        index=index,
        sentence=tag_sentence(report, tag),
        tiles=[tile_of(diagnosis, row, mark_wrong=True) for row in shown],
        noun=diagnosis.samples.modality,
        wordings=[(w.pattern, percent(w.share), number(w.lift), percent(w.overlap)) for w in tag.wordings],
    )
