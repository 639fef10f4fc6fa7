"""One task before and after an adaptation: its verdict, and the verdict over all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.numbers import count, percent, points
from core.records import Estimate
from core.statistics.permutation import holm
from core.systems.composition.training.reranking import CANDIDATES, MARGIN

TASKS = ("Zero-shot", "Image to text", "Text to image")
ALPHA = 0.05

Verdict = Literal["kept", "lost", "gained", "open"]


@dataclass(frozen=True, slots=True, eq=False)
class ForgettingRow:
    """One task before and after."""

    task: str
    """"Zero-shot", "Image to text", "Text to image", or a benchmark's title."""
    data: str
    """Such as "100 images of the shipped scenes"."""
    metric: str
    """Such as "accuracy", "recall at 1" or "image score"."""
    n: int
    """Images, captions or items."""
    before: Estimate
    after: Estimate
    difference: Estimate
    """After minus before, paired; above 0 is better."""
    p: float
    """Two-sided McNemar mid-p (of an average: by flipping signs), adjusted (Holm) over the rows."""
    only_before: int
    """How many only the frozen encoder has right."""
    only_after: int
    verdict: Verdict
    """"lost": the interval lies below 0; no adjustment softens a warning. "gained": it lies above 0 and p, adjusted, is
    below 0.05. "kept": it rules out a loss of more than `MARGIN`. "open": it does not, and shows no loss either."""


def judged(rows: Sequence[ForgettingRow]) -> tuple[ForgettingRow, ...]:
    """The rows with p adjusted over them and their verdicts."""
    adjusted = holm([row.p for row in rows]).tolist() if rows else []
    return tuple(replace(row, p=p, verdict=_verdict(row.difference, p)) for row, p in zip(rows, adjusted))


def _verdict(difference: Estimate, p: float) -> Verdict:
    if difference.high < 0:
        return "lost"
    if difference.low > 0 and p < ALPHA:
        return "gained"
    if difference.low > -MARGIN:
        return "kept"
    return "open"


def sentence_of(rows: Sequence[ForgettingRow]) -> str:
    """What was lost; else whether a loss is ruled out."""
    by = {verdict: [row for row in rows if row.verdict == verdict] for verdict in ("lost", "gained", "kept", "open")}
    checks = count(len(rows), "check")
    if by["lost"]:
        worst = sorted(by["lost"], key=lambda row: row.difference.value)
        which = "; ".join(map(change, worst[:3])) + (f"; and {len(worst) - 3} more" if len(worst) > 3 else "")
        return f"The adaptation made {len(worst)} of {checks} worse: {which}."
    if not by["open"]:
        gained = ""
        if by["gained"]:
            gained = f", and {len(by['gained'])} gained"
        return f"Nothing got worse: {checks} rule out a loss of more than {points(MARGIN)}{gained}."
    widest = min(by["open"], key=lambda row: row.difference.low)
    return (
        f"No loss is shown, but {len(by['open'])} of {checks} cannot rule out more than {points(MARGIN)}. The "
        f"least certain: {change(widest)}."
    )


def reranked_sentence(rows: Sequence[ForgettingRow], reranked: Sequence[ForgettingRow]) -> str:
    """What becomes of retrieval, and of gains, if the adapter only orders the encoder's first ten; "" where no
    retrieval was lost."""
    if not any(row.task in TASKS[1:] and row.verdict == "lost" for row in rows):
        return ""
    lost = [row for row in reranked if row.task in TASKS[1:] and row.verdict == "lost"]
    shown = "no loss of retrieval is shown"
    if lost:
        shown = f"costs {change(min(lost, key=lambda row: row.difference.value))}"
    gained = [change(row) for row in reranked if row.task not in TASKS and row.verdict == "gained"]
    more = ""
    if gained:
        more = f" What it still gains: {'; '.join(gained)}."
    return f" As a re-ranker of the encoder's first {CANDIDATES} it leaves zero-shot unchanged, and {shown}.{more}"


def change(row: ForgettingRow) -> str:
    """Such as "zero-shot accuracy from 87% to 83% (−4.1 points, 95% interval −7.0 to −1.2)"."""
    task = row.task[0].lower() + row.task[1:] if row.task in TASKS else f"{row.task}:"
    low, high = (percent(end).removesuffix("%") for end in (row.difference.low, row.difference.high))
    return (
        f"{task} {row.metric} from {percent(row.before.value)} to {percent(row.after.value)} "
        f"({points(row.difference.value)}, 95% interval {low} to {high})"
    )
