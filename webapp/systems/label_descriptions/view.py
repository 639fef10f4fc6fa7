"""The tags of a run: a sentence, a table with the lift of each drawn beside its wordings, and the samples that carry
one."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from core.numbers import bracketed, number, percent, points, signed, with_interval
from core.records import I64, Diagnosis, Estimate, Prediction
from core.reports.html.intervals import Axis, Dot, Mark, axis_of, dots
from core.reports.wording.predictions import tried_sentence
from core.systems.label_descriptions.wording import headline, tag_sentence
from webapp.markup.html import tile_of
from webapp.systems.label_descriptions.render import render

if TYPE_CHECKING:
    from core.systems.label_descriptions.tagging import TagFinding, TagReport

MAX_PICTURES = 18
TOP = 4.0
"""The greatest lift that is drawn: what lies beyond it stands at the end."""


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag as its line in the table."""

    tag: TagFinding
    verdict: str
    """"confirmed", "exploratory" or "not tested"."""
    lift: str
    drawn: tuple[Dot, ...]
    """Its lift with the interval, the lift of each wording as a thin line, and the line at 1."""
    wordings: str
    tested: str
    """Below the p, what it is of, such as "mean loss +0.13 (0.05 to 0.21)"."""


def tags_view(report: TagReport, lists: int, prediction: Prediction | None = None) -> str:
    """What the list comes to, and every tag with its figures, strongest excess first.

    Args:
        lists: how many lists of tags this visit has tested on the run: each is a family of its own.
        prediction: of the run, if it was tried on fresh samples.
    """
    axis = axis_of([m for tag in report.tags for m in _marks(tag)], least=0.0, most=TOP)
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
    verdict = "not tested" if tag.p is None else "confirmed" if report.is_confirmed(tag) else "exploratory"
    _, least, most = tag.spread("lift")
    wordings = "counted" if tag.counted else f"{number(least)} to {number(most)}"
    return TagRow(tag, verdict, with_interval(tag.lift), dots(_marks(tag), axis), wordings, tested_in(tag))


def tested_in(tag: TagFinding) -> str:
    """The difference in the measure that the p is of, "" without a p."""
    if tag.p is None or tag.measure is None:
        return ""
    if tag.measure == "mean loss" and tag.loss_difference is not None:
        return f"mean loss {signed(tag.loss_difference.value)} {bracketed(tag.loss_difference)}"
    worse = tag.error_difference
    if worse is None:
        return ""
    return f"error rate {points(worse.value, sign=True)} {bracketed(worse, points=True)}"


def _marks(tag: TagFinding) -> list[Mark]:
    ticks = [Mark(Estimate(one.lift, nan, nan), "wording") for one in tag.wordings]
    return [Mark(Estimate(1.0, nan, nan), "one"), *ticks, Mark(tag.lift)]


def carriers(report: TagReport, place: int) -> I64:
    """The rows that carry the tag, those that do so most first."""
    rows = np.flatnonzero(report.carried[:, place]).astype(np.int64)
    return rows[np.argsort(-report.scores[rows, place], kind="stable")]


def tagged_view(diagnosis: Diagnosis, report: TagReport, place: int) -> str:
    """One tag: its sentence, its samples, and what each wording makes of it."""
    tag = report.tags[place]
    rows = carriers(report, place)
    shown = rows[:MAX_PICTURES].tolist()
    return render(
        "tagged.html.j2",
        tag=tag,
        place=place,
        sentence=tag_sentence(report, tag),
        tiles=[tile_of(diagnosis, row, mark_wrong=True) for row in shown],
        noun=diagnosis.samples.modality,
        wordings=[(w.pattern, percent(w.share), number(w.lift), percent(w.overlap)) for w in tag.wordings],
    )
