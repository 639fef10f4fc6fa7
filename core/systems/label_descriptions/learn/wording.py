"""What a language model made of descriptions, in plain sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from core.numbers import count, number, p_value, percent, points, with_interval

if TYPE_CHECKING:
    from core.systems.label_descriptions.learn.run import DescriptionRun


def learned_lines(found: DescriptionRun) -> list[str]:
    """Accuracy before and after, the gain, and how far both depend on the pattern."""
    patterns = len({run.pattern for run in found.runs})
    seeds = len({run.seed for run in found.runs})
    where = f"over {count(patterns, 'pattern')}{'' if seeds == 1 else f' and {seeds} seeds'}"
    better = "a gain" if found.p <= 0.05 and found.gain.value > 0 else "no clear gain"
    if found.p <= 0.05 and found.gain.value < 0:
        better = "a loss"
    gain = found.gain
    return [
        f"{found.model} ({found.kind}) is right on {with_interval(found.after, share=True)} of "
        f"{count(len(found.scores), 'text')} after {count(found.n_descriptions, 'description')}, and on "
        f"{with_interval(found.before, share=True)} as it came, on average {where}: {better} "
        f"({points(gain.value, sign=True)}, 95% {points(gain.low, sign=True)} to {points(gain.high, sign=True)}, "
        f"{p_value(found.p)}).",
        f"Words: {', '.join(found.words)}. {found.learned:,} numbers of the model learned. {number(found.seconds)} CPU "
        "seconds.",
        *(_spread(found, of, said) for of, said in (("before", "As it came"), ("after", "After"))),
        *(f"Note: {note}" for note in found.notes),
    ]


def _spread(found: DescriptionRun, of: str, said: str) -> str:
    deviation, least, most = found.spread(of)
    sd = "" if math.isnan(deviation) else f"SD {points(deviation)}, "
    return f"{said}, by pattern: {sd}{percent(least)} to {percent(most)}."
