"""A strip of images to be judged by eye, and the judgment."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING

from core.numbers import bracketed, count, percent, points, with_interval
from core.records import Diagnosis, Estimate
from core.reports.html.intervals import Mark, dot_chart
from webapp.markup.html import picture
from webapp.markup.render import render

if TYPE_CHECKING:
    from core.checks.clicks import Judgement, Strip

HALF = 0.5


def strip_view(diagnosis: Diagnosis, strip: Strip, text: str) -> str:
    """The images in the strip's random order, with no id, no loss and nothing else that tells where one comes
    from."""
    pictures = [picture(diagnosis, row) for row in strip.rows.tolist()]
    noun = diagnosis.samples.modality
    return render("clicks/strip.html.j2", text=text, pictures=pictures, notes=strip.notes, noun=noun)


def meaning(judged: Judgement) -> str:
    """What the answers mean for the sentence (plain text)."""
    gap = judged.difference
    if not judged.n_cluster or not judged.n_control:
        return "There are not enough answers to compare the cluster with the rest. Answer a few samples of each."
    if gap.low > 0 and judged.share.value >= HALF:
        return "The sentence describes the cluster: it holds for most of it, and for clearly less of the rest."
    if gap.low > 0:
        return (
            "The sentence sets the cluster apart but holds for less than half of it: it names a part, "
            "and something else is still to be found."
        )
    if gap.high < 0:
        return "The sentence holds less often in the cluster than elsewhere: it is the wrong description."
    return (
        "These answers do not tell the cluster from the rest. Do not use the sentence as its description; "
        "another strip may tell more."
    )


def judgement_view(
    diagnosis: Diagnosis, strip: Strip, answers: Sequence[bool | None], judged: Judgement, text: str
) -> str:
    """The share of the cluster that matches, beside that of the rest, what it means, and which image was which."""

    def mark(share: Estimate, kind: str, label: str, n: int) -> Mark:
        return Mark(share, kind, f"{label} ({count(n, 'answer')})", with_interval(share, share=True))

    marks = [
        mark(judged.share, "observed", "Of the cluster", judged.n_cluster),
        mark(judged.control, "read", "Of the rest", judged.n_control),
    ]
    gap = judged.difference
    difference = "" if isnan(gap.value) else f" Difference {points(gap.value)} {bracketed(gap, points=True)}."
    said = ["skipped" if a is None else "yes" if a else "no" for a in answers]
    shown = [(picture(diagnosis, row), answer) for row, answer in zip(strip.rows.tolist(), said)]
    return render(
        "clicks/judgement.html.j2",
        text=text,
        judged=judged,
        meaning=meaning(judged) + difference,
        chart=dot_chart(marks, (0.0, 1.0), percent),
        notes=[judged.reason, *judged.notes],
        members=[s for s, member in zip(shown, strip.is_member) if member],
        others=[s for s, member in zip(shown, strip.is_member) if not member],
    )
