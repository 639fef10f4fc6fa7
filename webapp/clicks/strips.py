"""A strip of samples to judge by eye, and the judgment."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING

from core.numbers import bracketed, count, percent, points, with_interval
from core.records import Diagnosis, Estimate
from core.reports.html.intervals import Mark, dot_chart
from webapp.markup.html import shown
from webapp.markup.render import render

if TYPE_CHECKING:
    from core.checks.clicks import Judgement, Strip

ANSWER_WORDS = {True: "yes", False: "no", None: "skipped"}
MIN_TITLE_SHARE = 0.5
"""Share of the cluster from which a phrase describes it: its majority, a convention."""


def strip_view(diagnosis: Diagnosis, strip: Strip, text: str) -> str:
    """Render the images in the strip's random order, without ids, losses, or anything else that reveals membership."""
    samples = [shown(diagnosis, row) for row in strip.rows.tolist()]
    noun = diagnosis.samples.modality
    return render("clicks/strip.html.j2", text=text, samples=samples, notes=strip.notes, noun=noun)


def meaning(judged: Judgement) -> str:
    """Return what the answers mean for the phrase (plain text)."""
    gap = judged.difference
    if not judged.n_cluster or not judged.n_control:
        return "Too few answers to compare the group with the others. Answer a few samples of each."
    if gap.low > 0 and judged.share.value >= MIN_TITLE_SHARE:
        return "The phrase describes the group: it holds for most members and clearly fewer others."
    if gap.low > 0:
        return (
            "The phrase distinguishes the group but holds for less than half of its members. "
            "Look for what the other members share."
        )
    if gap.high < 0:
        return "The phrase does not describe the group: it holds less often there than for the others."
    return (
        "No difference shown between the group and the others. Do not use the phrase as a description, "
        "or judge another strip."
    )


def judgement_view(
    diagnosis: Diagnosis, strip: Strip, answers: Sequence[bool | None], judged: Judgement, text: str
) -> str:
    """Render the matching shares of the cluster and of the others, the conclusion, and which image was which."""

    def mark(share: Estimate, kind: str, label: str, n: int) -> Mark:
        return Mark(share, kind, f"{label} ({count(n, 'answer')})", with_interval(share, share=True))

    marks = [
        mark(judged.share, "observed", "Of the group", judged.n_cluster),
        mark(judged.control, "read", "Of the others", judged.n_control),
    ]
    gap = judged.difference
    difference = ""
    if not isnan(gap.value):
        difference = f" Difference {points(gap.value)} {bracketed(gap, points=True)}."
    words = [ANSWER_WORDS[answer] for answer in answers]
    judged_samples = [(*shown(diagnosis, row), answer) for row, answer in zip(strip.rows.tolist(), words)]
    return render(
        "clicks/judgement.html.j2",
        text=text,
        judged=judged,
        meaning=meaning(judged) + difference,
        chart=dot_chart(marks, (0.0, 1.0), percent),
        notes=[judged.reason, *judged.notes],
        members=[s for s, member in zip(judged_samples, strip.is_member) if member],
        others=[s for s, member in zip(judged_samples, strip.is_member) if not member],
    )
