"""Results of composition in words: one style for the command line, the report and the page."""

from __future__ import annotations

import math

from core.composition.scoring.compare import LOWER_IS_BETTER
from core.composition.scoring.signature import Signature
from core.numbers import count, number
from core.records import CompositionResult, Estimate, Metric


def figure(key: str, value: float | None) -> str:
    """A metric's value: per cent with tenths, as papers print it, or a rank."""
    if value is None or not math.isfinite(value):
        return "–"
    return number(value) if key == "mean rank" else f"{number(100 * value, 1)}\u00a0%"


def figure_interval(key: str, estimate: Estimate) -> str:
    """The interval alone, such as "14.7 to 25.4\u00a0%"."""
    if not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return "no interval"
    low = figure(key, estimate.low).removesuffix("\u00a0%")
    return f"{low} to {figure(key, estimate.high)}"


def difference(key: str, value: float) -> str:
    """B minus A with its sign, in points, or in ranks."""
    text = number(value) if key == "mean rank" else number(100 * value, 1)
    return f"+{text}" if value > 0 and text.strip("0.,") else text


def headline_of(result: CompositionResult) -> Metric | None:
    """The metric that the benchmark is known by."""
    return next((metric for metric in result.metrics if metric.key == result.headline), None)


def title_sentence(result: CompositionResult) -> str:
    """What a heading says, such as "Right on 41 of 210 items"."""
    metric = headline_of(result)
    if metric is None or not math.isfinite(metric.value.value):
        return "No item could be scored"
    value = figure(metric.key, metric.value.value)
    if metric.key in result.correct:
        if _averaged(result):
            return f"Right on {value} of items, kinds weighing the same"
        return f"Right on {int(result.correct[metric.key].sum()):,} of {count(metric.n, 'item')}"
    if metric.key == "mean rank":
        return f"The true caption ranks {value} on average"
    return f"Mean average precision of {value} over {metric.n:,} {'query' if metric.n == 1 else 'queries'}"


def chance_sentence(result: CompositionResult) -> str:
    """The headline with its interval and what chance gives, such as "19.5 % (95 % interval 14.7 to 25.4 %); chance is 25.0 %. Below chance."."""
    metric = headline_of(result)
    if metric is None or not math.isfinite(metric.value.value):
        return "No item could be scored."
    key, value = metric.key, metric.value
    said = f"{figure(key, value.value)} (95\u00a0% interval {figure_interval(key, value)})"
    if metric.chance is None:
        return f"{said}."
    return f"{said}; chance is {figure(key, metric.chance)}. {against_chance(metric)}."


def against_chance(metric: Metric) -> str:
    """ "Below chance", "Above chance", or that it is within it."""
    low, high, chance = metric.value.low, metric.value.high, metric.chance
    if chance is None or not (math.isfinite(low) and math.isfinite(high)):
        return "Chance cannot be told from it"
    if low <= chance <= high:
        return f"That is within chance, as far as {metric.n:,} {'is' if metric.n == 1 else 'are'} enough to tell"
    better = low > chance
    return "Above chance" if better != (metric.key in LOWER_IS_BETTER) else "Below chance"


def result_sentences(result: CompositionResult, signature: Signature | None = None) -> tuple[str, ...]:
    """What a result says: the figure, chance, and of pairs how it is wrong; the first begins with the model's name."""
    title = title_sentence(result)
    said = (f"{result.model}: {title[0].lower()}{title[1:]}, {chance_sentence(result)}",)
    return said if signature is None else (*said, signature.sentence)


def _averaged(result: CompositionResult) -> bool:
    return bool(result.average) and any(result.tags.get(result.average, ()))
