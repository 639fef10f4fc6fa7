"""A free question's answer: what was observed, how sure that is, and the images that it speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.numbers import number, p_value, percent
from core.records import I64, Bool, Diagnosis
from core.reports.wording.answers import answer_parts, difference_sentence
from core.reports.wording.predictions import tried_sentence
from webapp.markup.html import Tile, tile_of
from webapp.markup.render import render

if TYPE_CHECKING:
    from core.checks.questions import Answer, Difference

MAX_PICTURES = 60
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
    told: tuple[str, str]
    """Error rates, or mean losses, of the samples shown and of the others."""
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
    told = ("–", "–")
    if answer.shown and answer.in_shares and answer.error_rate is not None:
        told = percent(answer.error_rate.value), percent(answer.error_rest)
    elif answer.shown:
        told = number(answer.observed.value), number(answer.rest)
    return AskedQuestion(answer.text, answer.scope, answer.support, told, answer.p, answer.p_alone, answer.alpha)


def answers_view(diagnosis: Diagnosis, answers: Sequence[Answer], gap: Difference | None) -> str:
    """One card for each answer, and above them what differs between two."""
    shown = [answer for answer in answers if answer.shown]
    within = np.any([np.isfinite(answer.scores) for answer in shown] or [[True]], axis=0)
    return render(
        "ask/answers.html.j2",
        between="" if gap is None else difference_sentence(diagnosis, gap),
        cards=[_card(diagnosis, answer, within) for answer in answers],
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
        return "Not tested: too few groups"
    return f"{'Confirmed: higher loss' if answer.confirmed else 'Not confirmed'}, {p_value(answer.p)}"


def _card(diagnosis: Diagnosis, answer: Answer, within: Bool) -> dict[str, Any]:
    """What is shown of an answer.

    Args:
        within: (n,) the samples of the scopes of all answers that stand side by side.
    """
    return {
        "answer": answer,
        "verdict": verdict(answer),
        "colour": "sure" if answer.confirmed else "unsure",
        "paragraphs": answer_parts(diagnosis, answer).paragraphs,
        "strip": _strip(diagnosis, answer, within) if answer.shown else None,
        **(_pictures(diagnosis, answer) if answer.shown else {"orders": [], "more": 0}),
    }


def _strip(diagnosis: Diagnosis, answer: Answer, within: Bool) -> dict[str, Any]:
    """Where the matches lie among the losses of their scope: two small histograms, each scaled to its own size, from
    the least to the greatest loss `within`."""
    losses = diagnosis.outcomes.fitted
    scope = np.flatnonzero(np.isfinite(answer.scores))
    inside = np.isin(scope, answer.rows)
    low = float(losses[within].min())
    high = float(losses[within].max())
    edges = np.linspace(low, high if high > low else low + 1, N_BINS + 1)
    bars: list[tuple[str, int, float, float]] = []  # kind, x, y, height
    for part, kind in ((scope[inside], "match"), (scope[~inside], "rest")):
        counts = np.histogram(losses[part], edges)[0]
        share = np.sqrt(counts / max(counts.max(), 1))  # so that a few samples among many are still seen
        for i, height in enumerate((26 * share).tolist()):
            if height > 0:
                bars.append((kind, i * BAR + 1, 30 - height if kind == "match" else 32, height))
    return {"bars": bars, "low": low, "high": high, "width": BAR * N_BINS}


def _pictures(diagnosis: Diagnosis, answer: Answer) -> dict[str, Any]:
    """(key, title, the matching images, each once) in each order, and how many more there are than are shown."""
    from core.checks.answers import by_picture  # brings scipy: the page opens without it

    worst = answer.rows[np.argsort(-diagnosis.outcomes.loss[answer.rows], kind="stable")]
    by_order = (
        ("best", "Counted" if answer.counted else "Best matches", by_picture(diagnosis.samples, answer.rows)),
        ("worst", "Highest loss first", by_picture(diagnosis.samples, worst)),
    )
    orders = [(k, title, [_tile(diagnosis, own) for own in each[:MAX_PICTURES]]) for k, title, each in by_order]
    return {"orders": orders, "more": max(0, len(by_order[0][2]) - MAX_PICTURES)}


def _tile(diagnosis: Diagnosis, rows: I64) -> Tile:
    """The first of the rows, which show one image, and how many more there are."""
    tile = tile_of(diagnosis, int(rows[0]), mark_wrong=True)
    more = len(rows) - 1
    return replace(tile, lines=(*tile.lines, f"and {more:,} more of this image")) if more else tile


def questions_table(asked: Sequence[AskedQuestion]) -> str:
    """The different questions of this visit, newest first, each with its p among all of them; a press asks one again.
    "" before the first."""
    if not asked:
        return ""
    return render("ask/questions.html.j2", asked=[*enumerate(asked, 1)][::-1][:MAX_LISTED], n=len(asked))
