"""The answer to a question: observed errors, their confidence, and the matching images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.numbers import number, p_value, percent
from core.records import I64, Bool, Diagnosis
from core.reports.wording.answers import answer_parts, difference_sentence
from core.reports.wording.predictions import tried_sentence
from core.statistics.permutation import bonferroni
from webapp.markup.html import Tile, tile_of
from webapp.markup.render import render

if TYPE_CHECKING:
    from core.checks.questions import Answer, Difference

MAX_PICTURES = 60
MAX_LISTED = 200
"""Questions shown in the table of a visit."""
N_BINS = 28
BAR = 10
"""Width of a bar of the strip, including its gap."""


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """One question of this visit, as its table shows it."""

    text: str
    scope: str
    support: int
    figures: tuple[str, str]
    """Error rates or mean losses of the matches and of the others."""
    p: float | None
    """Adjusted p of a condition tested in the run; it does not depend on further questions."""
    p_alone: float | None
    alpha: float

    def p_among(self, questions: int) -> float | None:
        """Return its p adjusted for this many different questions (Bonferroni)."""
        if self.p_alone is None:
            return self.p
        return bonferroni(self.p_alone, questions)

    def is_confirmed(self, questions: int) -> bool:
        """Whether that p is at most alpha."""
        p = self.p_among(questions)
        return p is not None and p <= self.alpha


def remember(answer: Answer) -> AskedQuestion:
    """Return the answer's line in the table of questions, in the measure of the answer."""
    figures = ("–", "–")
    if answer.shown and answer.in_shares and answer.error_rate is not None:
        figures = percent(answer.error_rate.value), percent(answer.error_rest)
    elif answer.shown:
        figures = number(answer.observed.value), number(answer.rest)
    return AskedQuestion(answer.text, answer.scope, answer.support, figures, answer.p, answer.p_alone, answer.alpha)


def answers_view(diagnosis: Diagnosis, answers: Sequence[Answer], gap: Difference | None) -> str:
    """Render one card per answer, below the difference of two answers."""
    shown = [answer for answer in answers if answer.shown]
    within = np.any([np.isfinite(answer.scores) for answer in shown] or [[True]], axis=0)
    between = ""
    if gap is not None:
        between = difference_sentence(diagnosis, gap)
    return render(
        "ask/answers.html.j2",
        between=between,
        cards=[_card(diagnosis, answer, within) for answer in answers],
        outcomes=diagnosis.outcomes,
        tried=tried_sentence(diagnosis.prediction),
    )


def verdict(answer: Answer) -> str:
    """Return the verdict in a few words (plain text), adjusted for the number of questions."""
    if answer.refused:
        return "Not asked"
    if not answer.shown:
        if answer.counted:
            return "No samples to compare"
        return "No clear match"
    if answer.p is None:
        return "Not tested: too few groups of related rows"
    if answer.confirmed:
        return f"Confirmed: higher loss, {p_value(answer.p)}"
    return f"Not confirmed, {p_value(answer.p)}"


def _card(diagnosis: Diagnosis, answer: Answer, within: Bool) -> dict[str, Any]:
    """Return the card of an answer.

    Args:
        within: (n,) the samples in scope of any answer on the page.
    """
    colour = "unsure"
    if answer.confirmed:
        colour = "sure"
    strip = None
    pictures: dict[str, Any] = {"orders": [], "more": 0}
    if answer.shown:
        strip = _strip(diagnosis, answer, within)
        pictures = _pictures(diagnosis, answer)
    return {
        "answer": answer,
        "verdict": verdict(answer),
        "colour": colour,
        "paragraphs": answer_parts(diagnosis, answer).paragraphs,
        "strip": strip,
        **pictures,
    }


def _strip(diagnosis: Diagnosis, answer: Answer, within: Bool) -> dict[str, Any]:
    """Return two small histograms of the losses of the matches and of the others in scope, each scaled to its own size,
    from the lowest to the highest loss `within`."""
    losses = diagnosis.outcomes.fitted
    scope = np.flatnonzero(np.isfinite(answer.scores))
    inside = np.isin(scope, answer.rows)
    low = float(losses[within].min())
    high = float(losses[within].max())
    last_edge = high
    if high <= low:
        last_edge = low + 1
    edges = np.linspace(low, last_edge, N_BINS + 1)
    bars: list[tuple[str, int, float, float]] = []  # kind, x, y, height
    for part, kind in ((scope[inside], "match"), (scope[~inside], "rest")):
        counts = np.histogram(losses[part], edges)[0]
        share = np.sqrt(counts / max(counts.max(), 1))  # the root keeps small counts visible
        for i, height in enumerate((26 * share).tolist()):
            if height <= 0:
                continue
            y = 32.0  # the others hang below the line at 31
            if kind == "match":
                y = 30 - height
            bars.append((kind, i * BAR + 1, y, height))
    return {"bars": bars, "low": low, "high": high, "width": BAR * N_BINS}


def _pictures(diagnosis: Diagnosis, answer: Answer) -> dict[str, Any]:
    """Return (key, title, matching images, each once) in each order, and the number of further images."""
    from core.checks.answers import by_picture  # brings scipy: the page opens without it

    worst = answer.rows[np.argsort(-diagnosis.outcomes.loss[answer.rows], kind="stable")]
    title = "Best matches"
    if answer.counted:
        title = "Counted"
    by_order = (
        ("best", title, by_picture(diagnosis.samples, answer.rows)),
        ("worst", "Highest loss first", by_picture(diagnosis.samples, worst)),
    )
    orders = [(k, title, [_tile(diagnosis, rows) for rows in each[:MAX_PICTURES]]) for k, title, each in by_order]
    return {"orders": orders, "more": max(0, len(by_order[0][2]) - MAX_PICTURES)}


def _tile(diagnosis: Diagnosis, rows: I64) -> Tile:
    """Return the tile of an image, for the first of its rows, with the number of further rows."""
    tile = tile_of(diagnosis, int(rows[0]), mark_wrong=True)
    more = len(rows) - 1
    if more:
        return replace(tile, lines=(*tile.lines, f"and {more:,} more of this image"))
    return tile


def questions_table(asked: Sequence[AskedQuestion]) -> str:
    """Render the different questions of this visit, newest first, each with its p adjusted for all of them; "" before
    the first."""
    if not asked:
        return ""
    return render("ask/questions.html.j2", asked=[*enumerate(asked, 1)][::-1][:MAX_LISTED], n=len(asked))
