"""The strip of pictures to be judged by eye, and the judgement, as markup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.numbers import bracketed, count, percent
from core.records import Diagnosis, Estimate
from webapp.markup.html import esc, picture
from webapp.markup.whiskers import Mark, chart

if TYPE_CHECKING:
    from core.checks.clicks import Judgement, Strip

HALF = 0.5


def strip_view(diagnosis: Diagnosis, strip: Strip, text: str) -> str:
    """The pictures in the strip's random order, with no id, no loss and nothing else that tells where one comes
    from."""
    thumbs = ""
    for i, row in enumerate(strip.rows.tolist()):
        source = picture(diagnosis, row)
        face = f'<img src="{source}" alt="">' if source else '<span class="no-picture">cannot be shown: skip it</span>'
        thumbs += f'<button type="button" class="clicks-thumb" aria-label="Picture {i + 1}">{face}</button>'
    keys = "".join(
        f'<button type="button" class="say {name}" data-say="{name[0]}">{name.capitalize()} '
        f"<kbd>{name[0]}</kbd></button>"
        for name in ("yes", "no", "skip")
    )
    notes = "".join(f'<p class="muted small-note">{esc(n)}</p>' for n in strip.notes)
    return (
        '<div class="clicks"><div class="clicks-stage" tabindex="0" aria-label="The picture to judge">'
        f"<h2>Would you say of this picture: “{esc(text)}”?</h2>"
        f'<div class="clicks-big"></div><div class="clicks-keys">{keys}<button type="button" class="plain" '
        "data-undo>Undo <kbd>u</kbd></button></div>"
        '<div class="clicks-bar" aria-hidden="true"><i></i></div><p class="clicks-count" role="status"></p></div>'
        f'<div class="clicks-side"><div class="clicks-grid">{thumbs}</div>{notes}'
        '<button type="button" class="finish" data-finish>See the judgement</button></div></div>'
    )


def meaning(judged: Judgement) -> str:
    """What the answers mean for the sentence (plain text)."""
    gap = judged.difference
    if not judged.n_cluster or not judged.n_control:
        return "There are not enough answers to compare the cluster with the rest. Answer a few pictures of each."
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
    """The share of the cluster that matches, beside that of the rest, what it means, and which picture was which."""

    def said(e: Estimate) -> str:
        return f"{percent(e.value)} {bracketed(e, share=True)}".strip()

    marks = [
        Mark(judged.share, "observed", f"Of the cluster ({count(judged.n_cluster, 'answer')})", said(judged.share)),
        Mark(judged.control, "read", f"Of the rest ({count(judged.n_control, 'answer')})", said(judged.control)),
    ]
    gap = (
        ""
        if judged.difference.value != judged.difference.value
        else f" Difference {said(judged.difference).replace(chr(8239) + '%', ' points')}."
    )
    notes = "".join(f"<li>{esc(n)}</li>" for n in (judged.reason, *judged.notes))
    return (
        f'<article class="answer judged"><h2 tabindex="-1">“{esc(text)}” holds for '
        f"{percent(judged.share.value)} of the cluster</h2>"
        f'<p class="said">{esc(meaning(judged))}{gap}</p>{chart(marks, (0.0, 1.0), percent)}<ul class="muted '
        f'plain-list">{notes}</ul>'
        f"{_revealed(diagnosis, strip, answers)}</article>"
    )


def _revealed(diagnosis: Diagnosis, strip: Strip, answers: Sequence[bool | None]) -> str:
    parts = ""
    for title, wanted in (("Pictures of the cluster", True), ("Pictures of the rest", False)):
        tiles = ""
        for row, member, answer in zip(strip.rows.tolist(), strip.is_member.tolist(), answers):
            if member is wanted:
                name = "skipped" if answer is None else "yes" if answer else "no"
                source = picture(diagnosis, row)
                face = f'<img src="{source}" alt="{name}">' if source else '<span class="no-picture"></span>'
                tiles += f'<span class="clicks-thumb" data-answer="{name[0]}">{face}</span>'
        parts += f'<section><h3>{title}</h3><div class="clicks-grid">{tiles or "none"}</div></section>'
    return f'<div class="revealed">{parts}</div>'
