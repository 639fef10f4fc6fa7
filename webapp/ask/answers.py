"""A free question's answer as markup: what was read, what was observed, how sure that is, and the pictures that it
speaks of."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.numbers import bracketed, count, number, p_value, percent
from core.records import I64, Diagnosis, Estimate
from core.reports.wording.findings import answer_sentence, difference_sentence
from webapp.markup.html import esc, tile
from webapp.markup.whiskers import Mark, axis_of, chart

if TYPE_CHECKING:
    from core.checks.questions import Answer, Difference

EXTRAPOLATION = "Extrapolation: these images hardly differ along the text. Look at the pictures before you believe it."
PICTURES = 18
BINS = 28


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """One question of this visit, as its table shows it."""

    text: str
    scope: str
    support: int
    rate: float
    rest: float
    is_share: bool
    p: float | None
    confirmed: bool
    tested: bool = True


def remember(answer: Answer) -> AskedQuestion:
    """The answer's line in the table of questions: error rates where they are known, else mean losses."""
    known = answer.error_rate is not None and answer.error_rest is not None
    rate, rest = (answer.error_rate.value, answer.error_rest) if known else (answer.observed.value, answer.rest)  # type: ignore[union-attr]
    return AskedQuestion(
        answer.text,
        answer.scope,
        answer.support,
        float(rate),
        float(rest),  # type: ignore[arg-type]
        known,
        answer.p,
        answer.confirmed,
        answer.is_tested,
    )


def answers_view(diagnosis: Diagnosis, answers: Sequence[Answer], gap: Difference | None) -> str:
    """One card for each answer, and above them what differs between two."""
    top = "" if gap is None else f'<p class="between">{esc(difference_sentence(diagnosis, gap))}</p>'
    cards = "".join(_card(diagnosis, answer, place) for place, answer in enumerate(answers))
    return f'{top}<div class="answers n{len(answers)}" aria-live="polite">{cards}</div>'


def verdict(answer: Answer) -> str:
    """Whether the answer is more than chance would give to somebody free to ask anything, in a few words (plain
    text)."""
    if answer.p is None:
        return "No p: nothing could be permuted"
    if not answer.is_tested:
        return "Not tested: outside the tested words"
    if not answer.confirmed:
        return f"Not confirmed, {p_value(answer.p)}"
    return f"Confirmed: {'higher' if answer.observed.value > answer.rest else 'lower'} loss, {p_value(answer.p)}"


def _card(diagnosis: Diagnosis, answer: Answer, place: int) -> str:
    alarm = f'<p class="flag">{EXTRAPOLATION}</p>' if answer.extrapolation else ""
    state = ("sure" if answer.observed.value > answer.rest else "sure lower") if answer.confirmed else "unsure"
    show = f'<button type="button" class="plain" data-do="show" data-place="{place}">Show on the map</button>'
    return (
        f'<article class="answer"><header><h2>“{esc(answer.text)}”</h2><span class="verdict '
        f'{state}">{verdict(answer)}</span>{show}</header>'
        f'{alarm}<p class="said">{esc(answer_sentence(diagnosis, answer))}</p>{_figures(diagnosis, answer)}'
        f'<div class="where">{_strip(diagnosis, answer)}{_small_map(diagnosis, answer.rows)}</div>{_pictures(diagnosis, answer, place)}</article>'
    )


def _figures(diagnosis: Diagnosis, answer: Answer) -> str:
    """Observed, read and rest on one axis of loss; the error rates beside them."""
    name, unit = diagnosis.outcomes.name, diagnosis.outcomes.unit

    def said(e: Estimate) -> str:
        return f"{number(e.value)} {bracketed(e)}".strip()

    marks = [Mark(answer.observed, "observed", "Observed in the matches", said(answer.observed))]
    if answer.read is not None and answer.is_tested:  # of other texts the ensemble reads little but the mean
        marks.append(Mark(answer.read, "read", "Read in the words alone", said(answer.read)))
    rest = Estimate(answer.rest, float("nan"), float("nan"))
    marks.append(Mark(rest, "rest", "The rest of its scope", number(answer.rest)))
    drawn = chart(marks, axis_of(marks), number)
    rates = ""
    if answer.error_rate is not None:
        inside = f"<b>{percent(answer.error_rate.value)}</b> {bracketed(answer.error_rate, share=True)}"
        rates = f'<p class="rates">Wrong: {inside} of the matches, <b>{percent(answer.error_rest)}</b> of the rest.</p>'
    return (
        f'{rates}<p class="muted small-note">Mean {esc(name)}, {esc(unit)}, with 95{chr(8239)}% intervals for '
        f"this one question</p>{drawn}"
    )


def _strip(diagnosis: Diagnosis, answer: Answer) -> str:
    """Where the matches lie among the losses of their scope: two small histograms, each scaled to its own size."""
    losses = diagnosis.outcomes.fitted
    scope = np.flatnonzero(np.isfinite(answer.scores))
    inside = np.isin(scope, answer.rows)
    low, high = float(losses[scope].min()), float(losses[scope].max())
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    bars = ""
    for part, side, kind in ((scope[inside], -1, "match"), (scope[~inside], 1, "rest")):
        counts = np.histogram(losses[part], edges)[0]
        share = np.sqrt(counts / max(counts.max(), 1))  # so that a few samples among many are still seen
        for i, height in enumerate(26 * share):
            if height > 0:
                bars += (
                    f'<rect class="{kind}" x="{i * 10 + 1}" width="8" y="{30 - height if side < 0 else 32:.1f}" '
                    f'height="{height:.1f}"/>'
                )
    label = "Losses of the matching images, above, and of the rest, below; heights by the root of the count"
    return (
        f'<figure class="loss-strip"><svg viewBox="0 0 {BINS * 10} 60" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}">{bars}'
        f'<line x1="0" x2="{BINS * 10}" y1="31" y2="31"/></svg><figcaption><span>{number(low)}</span>'
        f"<span>matches above, rest below</span><span>{number(high)} "
        f"{esc(diagnosis.outcomes.unit)}</span></figcaption></figure>"
    )


def _small_map(diagnosis: Diagnosis, rows: I64, size: tuple[int, int] = (300, 200)) -> str:
    """The map with the matches on it, drawn here: grey dots, and the matches in the accent colour on top."""
    from PIL import Image, ImageDraw

    scale = 2
    picture_ = Image.new("RGBA", (size[0] * scale, size[1] * scale), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture_)
    xy = diagnosis.map.xy.astype(np.float64)
    low, span = xy.min(0), np.maximum(np.ptp(xy, axis=0), 1e-9)
    at = (xy - low) / span
    at[:, 1] = 1 - at[:, 1]
    at = at * (np.array(size) - 12) * scale + 6 * scale
    inside = np.zeros(len(xy), bool)
    inside[rows] = True
    for part, colour, r in ((~inside, (128, 138, 152, 120), 1.4 * scale), (inside, (213, 94, 0, 235), 2.6 * scale)):
        for x, y in at[part].tolist():
            pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    out = io.BytesIO()
    picture_.save(out, "PNG")
    source = "data:image/png;base64," + base64.b64encode(out.getvalue()).decode("ascii")
    shown = f'<img src="{source}" alt="The matching images on the map of all samples">'
    return f'<figure class="small-map">{shown}<figcaption>Where they lie on the map</figcaption></figure>'


def _pictures(diagnosis: Diagnosis, answer: Answer, place: int) -> str:
    loss = diagnosis.outcomes.loss
    orders = [
        ("best", "Best matches", answer.rows),
        ("worst", "Highest loss first", answer.rows[np.argsort(-loss[answer.rows], kind="stable")]),
    ]
    tabs, panels = "", ""
    for i, (key, title, rows) in enumerate(orders):
        key = f"{key}-{place}"
        state = f'aria-controls="panel-{key}" aria-selected="{str(i == 0).lower()}"'
        tabs += f'<button type="button" role="tab" {state} data-tab="{key}">{title}</button>'
        tiles = "".join(tile(diagnosis, int(row), mark_wrong=True) for row in rows[:PICTURES])
        panels += (
            f'<div role="tabpanel" id="panel-{key}"{"" if i == 0 else " hidden"}><div '
            f'class="gallery">{tiles}</div></div>'
        )
    return f'<div class="tabs"><div role="tablist" aria-label="Matching pictures">{tabs}</div>{panels}</div>'


def questions_table(asked: Sequence[AskedQuestion]) -> str:
    """The questions of this visit, newest first; a press asks one again. "" before the first."""
    if not asked:
        return ""
    rows = ""
    for i, a in reversed(list(enumerate(asked))):
        shown = percent if a.is_share else number
        p = (p_value(a.p, bare=True) or "none") if a.tested else "not tested"
        again = f'<button type="button" class="plain" data-do="ask" data-text="{esc(a.text)}">{esc(a.text)}</button>'
        rows += (
            f'<tr class="{"" if a.confirmed else "quiet"}"><td>{i + 1}</td><td>{again}</td><td>{esc(a.scope)}</td><td>{a.support:,}</td>'
            f"<td>{shown(a.rate)}</td><td>{shown(a.rest)}</td><td>{p}</td></tr>"
        )
    measure = "Wrong" if asked[-1].is_share else "Mean loss"
    head = "".join(f"<th>{t}</th>" for t in ("", "Question", "Scope", "Images", measure, "Rest", "p"))
    title = f"{count(len(asked), 'question')} asked in this visit"
    return (
        f'<div class="asked"><h3>{title} <span class="muted">each p holds for any number of them</span></h3>'
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></div>'
    )
