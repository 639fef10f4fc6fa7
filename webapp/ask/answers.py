"""A free question's answer: what was observed, how sure that is, and the pictures that it speaks of."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.numbers import number, p_value, with_interval
from core.records import I64, Bool, Diagnosis
from core.reports.html.intervals import Axis, Mark, axis_of, dot_chart, tick
from core.reports.wording.answers import answer_parts, difference_sentence
from core.reports.wording.predictions import tried_sentence
from webapp.markup.html import Tile, tile_of
from webapp.markup.render import render

if TYPE_CHECKING:
    from core.checks.questions import Answer, Difference

MAX_PICTURES = 18
MAX_LISTED = 200
"""Questions that the table of a visit shows."""
N_BINS = 28
BAR = 10
"""Width of a bar of the strip, its gap included."""


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
    """Of a condition that the run tested, which stays as it is."""
    p_alone: float | None
    alpha: float

    def p_among(self, questions: int) -> float | None:
        """Its p among so many different questions."""
        return self.p if self.p_alone is None else min(1.0, self.p_alone * questions)

    def is_confirmed(self, questions: int) -> bool:
        """Whether that is small enough."""
        p = self.p_among(questions)
        return p is not None and p <= self.alpha


def remember(answer: Answer) -> AskedQuestion:
    """The answer's line in the table of questions: in the measure in which it is told."""
    known = answer.in_shares
    rate, rest = (answer.error_rate.value, answer.error_rest) if known else (answer.observed.value, answer.rest)  # type: ignore[union-attr]
    return AskedQuestion(
        answer.text,
        answer.scope,
        answer.support,
        float(rate),
        float(rest),  # type: ignore[arg-type]
        known,
        answer.p,
        answer.p_alone,
        answer.alpha,
    )


def answers_view(diagnosis: Diagnosis, answers: Sequence[Answer], gap: Difference | None) -> str:
    """One card for each answer, and above them what differs between two."""
    shown = [answer for answer in answers if answer.shown]
    axis = axis_of([mark for answer in shown for mark in _marks(answer)])  # one of all, to be compared by eye
    within = np.any([np.isfinite(answer.scores) for answer in shown] or [[True]], axis=0)
    return render(
        "ask/answers.html.j2",
        between="" if gap is None else difference_sentence(diagnosis, gap),
        cards=[_card(diagnosis, answer, axis, within) for answer in answers],
        outcomes=diagnosis.outcomes,
        tried=tried_sentence(diagnosis.prediction),
    )


def verdict(answer: Answer) -> str:
    """Whether the answer is more than chance would give to somebody who asked as much, in a few words (plain text)."""
    if answer.refused:
        return "Not asked"
    if not answer.shown:
        return "Nothing to compare" if answer.counted else "Nothing clearly matches"
    if answer.p is None:
        told = "Not tested: too few groups"
    else:
        told = f"{'Confirmed: higher loss' if answer.confirmed else 'Not confirmed'}, {p_value(answer.p)}"
    named = answer.cluster is not None or answer.condition is not None
    return told if answer.counted or not named else f"By likeness: {told[0].lower()}{told[1:]}"


def _card(diagnosis: Diagnosis, answer: Answer, axis: Axis, within: Bool) -> dict[str, Any]:
    return {
        "answer": answer,
        "verdict": verdict(answer),
        "colour": "sure" if answer.confirmed else "unsure",
        "paragraphs": answer_parts(diagnosis, answer).paragraphs,
    } | (_pictured(diagnosis, answer, axis, within) if answer.shown else {})


def _pictured(diagnosis: Diagnosis, answer: Answer, axis: Axis, within: Bool) -> dict[str, Any]:
    """What is drawn of an answer that has matches.

    Args:
        axis: of the losses of all answers that stand side by side.
        within: (n,) the samples of their scopes.
    """
    return {
        "chart": dot_chart(_marks(answer), axis, number),
        "strip": _strip(diagnosis, answer, within),
        "map": _small_map(diagnosis, answer.rows),
        "orders": _orders(diagnosis, answer),
    }


def _marks(answer: Answer) -> list[Mark]:
    """Observed and rest."""
    observed = Mark(answer.observed, "observed", "Observed in the matches", with_interval(answer.observed))
    return [observed, tick(answer.rest, "The rest of its scope", number(answer.rest))]


def _strip(diagnosis: Diagnosis, answer: Answer, within: Bool) -> dict[str, Any]:
    """Where the matches lie among the losses of their scope: two small histograms, each scaled to its own size, from
    the least to the greatest loss `within`."""
    losses = diagnosis.outcomes.fitted
    scope = np.flatnonzero(np.isfinite(answer.scores))
    inside = np.isin(scope, answer.rows)
    low, high = float(losses[within].min()), float(losses[within].max())
    edges = np.linspace(low, high if high > low else low + 1, N_BINS + 1)
    bars: list[tuple[str, int, float, float]] = []  # kind, x, y, height
    for part, kind in ((scope[inside], "match"), (scope[~inside], "rest")):
        counts = np.histogram(losses[part], edges)[0]
        share = np.sqrt(counts / max(counts.max(), 1))  # so that a few samples among many are still seen
        for i, height in enumerate((26 * share).tolist()):
            if height > 0:
                bars.append((kind, i * BAR + 1, 30 - height if kind == "match" else 32, height))
    return {"bars": bars, "low": low, "high": high, "width": BAR * N_BINS}


def _small_map(diagnosis: Diagnosis, rows: I64, size: tuple[int, int] = (300, 200)) -> str:
    """The map with the matches on it as a data address: grey dots, and the matches in the accent colour on top."""
    from PIL import Image, ImageDraw

    scale = 2
    picture = Image.new("RGBA", (size[0] * scale, size[1] * scale), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
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
    picture.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def _orders(diagnosis: Diagnosis, answer: Answer) -> list[tuple[str, str, list[Tile]]]:
    """(key, title, the matching pictures, each once) in each order."""
    from core.checks.answers import by_picture  # brings scipy: the page opens without it

    worst = answer.rows[np.argsort(-diagnosis.outcomes.loss[answer.rows], kind="stable")]
    return [
        (key, title, [_tile(diagnosis, own) for own in by_picture(diagnosis.samples, rows)[:MAX_PICTURES]])
        for key, title, rows in (
            ("best", "Counted" if answer.counted else "Best matches", answer.rows),
            ("worst", "Highest loss first", worst),
        )
    ]


def _tile(diagnosis: Diagnosis, rows: I64) -> Tile:
    """The first of the rows, which show one picture, and how many more there are."""
    tile = tile_of(diagnosis, int(rows[0]), mark_wrong=True)
    more = len(rows) - 1
    return replace(tile, lines=(*tile.lines, f"and {more:,} more of this picture")) if more else tile


def questions_table(asked: Sequence[AskedQuestion]) -> str:
    """The different questions of this visit, newest first, each with its p among all of them; a press asks one again.
    "" before the first."""
    if not asked:
        return ""
    told = {question.is_share for question in asked if question.support}
    measure = "Wrong or mean loss" if len(told) > 1 else "Mean loss" if told == {False} else "Wrong"
    return render(
        "ask/questions.html.j2", asked=[*enumerate(asked, 1)][::-1][:MAX_LISTED], n=len(asked), measure=measure
    )
