"""Results of a training on descriptions in plain sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from core.numbers import count, interval, number, p_value, percent, points
from core.reports.wording.effects import CI, with_ci

if TYPE_CHECKING:
    from core.systems.label_descriptions.learn.run import DescriptionRun


def learned_lines(result: DescriptionRun) -> list[str]:
    """Accuracy before and after, the gain, and the range of both over patterns."""
    n_seeds = len({run.seed for run in result.runs})
    runs = count(len({run.pattern for run in result.runs}), "pattern")
    if n_seeds > 1:
        runs += f" and {n_seeds} seeds"
    gain = result.gain
    verdict = "No change shown"
    if result.p <= 0.05:
        verdict = "Gain" if gain.value > 0 else "Loss"
    return [
        f"{result.model} ({result.kind}) is right on {percent(result.after.value)} of "
        f"{count(len(result.scores), 'text')} after {count(result.n_descriptions, 'description')} "
        f"{with_ci(result.after, share=True)}, on {percent(result.before.value)} before "
        f"{with_ci(result.before, share=True)}; mean over {runs}. {verdict}: {points(gain.value, sign=True)} "
        f"({CI} {interval(gain, points=True)}); {p_value(result.p)}.",
        f"Words: {', '.join(result.words)}. Training changed {result.learned:,} weights in "
        f"{number(result.seconds)} CPU seconds.",
        _spread(result, "before", "Before"),
        _spread(result, "after", "After"),
        *(f"Note: {note}" for note in result.notes),
    ]


def _spread(result: DescriptionRun, stage: str, label: str) -> str:
    deviation, lowest, highest = result.spread(stage)
    sd = "" if math.isnan(deviation) else f"SD {points(deviation)}, "
    return f"{label}, by pattern: {sd}{percent(lowest)} to {percent(highest)}."
