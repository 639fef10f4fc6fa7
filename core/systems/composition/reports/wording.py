"""Results of composition in words: one style for the command line, the report and the page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from core.numbers import count, either, interval, number, p_value, percent, points, signed
from core.records import Estimate
from core.systems.composition.records import (
    ALL_ITEMS,
    LOWER_IS_BETTER,
    Benchmark,
    CompositionComparison,
    CompositionResult,
    Metric,
)


def figure(key: str, value: float | None, digits: int | None = 1) -> str:
    """A metric's value: a rank, or per cent with `digits` decimals: 1 as papers print it, None as in `percent`."""
    if key in LOWER_IS_BETTER:
        return number(value)
    return percent(value, digits)


def figure_interval(key: str, estimate: Estimate) -> str:
    """The interval alone, such as "14.7 to 25.4%"."""
    if key in LOWER_IS_BETTER:
        return interval(estimate)
    return interval(estimate, share=True, digits=1)


def difference(key: str, change: Estimate, digits: int | None = 1) -> str:
    """B minus A with its interval, such as "+4.1 points (−1.0 to +9.2)"; of ranks without the noun."""
    value, span = _difference_figures(key, change, digits)
    return f"{value} ({span})"


def _difference_figures(key: str, change: Estimate, digits: int | None = 1) -> tuple[str, str]:
    """B minus A, and its interval alone, such as "−4.8 to +2.3"."""
    if key in LOWER_IS_BETTER:
        known = math.isfinite(change.low + change.high)
        return signed(change.value), f"{signed(change.low)} to {signed(change.high)}" if known else interval(change)
    return points(change.value, sign=True, digits=digits), interval(change, points=True, digits=digits)


def metric_of(metrics: Sequence[Metric], key: str) -> Metric | None:
    """The metric of that key, or None."""
    return next((metric for metric in metrics if metric.key == key), None)


def headline_of(result: CompositionResult) -> Metric | None:
    """The metric that the benchmark is known by."""
    return metric_of(result.metrics, result.headline)


def title_sentence(result: CompositionResult) -> str:
    """What a heading says, such as "Right on 41 of 210 items"."""
    metric = headline_of(result)
    if metric is None or not math.isfinite(metric.value.value):
        return "Errata could score no item"
    value = figure(metric.key, metric.value.value)
    if metric.key in result.correct:
        if _averaged(result):
            return f"Right on {value} of items, with equal weight for each kind"
        return f"Right on {int(result.correct[metric.key].sum()):,} of {count(metric.n, 'item')}"
    if metric.key == "mean rank":
        return f"The true caption ranks {value} on average"
    return f"Mean average precision of {value} over {count(metric.n, 'query')}"


def chance_sentence(result: CompositionResult) -> str:
    """The headline with its interval and what chance gives, such as "19.5% (95% interval 14.7 to 25.4%); chance is
    25.0%. Below chance."."""
    metric = headline_of(result)
    if metric is None or not math.isfinite(metric.value.value):
        return "Errata could score no item."
    key = metric.key
    value = metric.value
    sentence = f"{figure(key, value.value)} (95% interval {figure_interval(key, value)})"
    if metric.chance is None:
        return f"{sentence}."
    return f"{sentence}; chance is {figure(key, metric.chance)}. {against_chance(metric)}."


def blind_sentence(result: CompositionResult, first: CompositionResult | None = None) -> str:
    """Whether the headline is above what text alone reaches, by the best baseline that sees no image; "" without
    one. A result that has none of its own takes those of the `first` on the same benchmark."""
    mine = headline_of(result)
    measured = result if result.blind or first is None else first
    baselines = [(metric_of(metrics, result.headline), name) for name, metrics in measured.blind]
    known = [(metric.value.value, name) for metric, name in baselines if metric is not None]
    if mine is None or not known or not math.isfinite(mine.value.value):
        return ""
    best, name = max(known)
    reached = figure(mine.key, best)
    if set(result.ids) != set(measured.ids):
        scored, others = (count(len(r.ids), NOUNS[r.kind]) for r in (result, measured))
        sentence = f"Text alone reaches {reached} ({name}) on the {others} of {measured.model}."
        return f"{sentence} It was not measured on the {scored} of {result.model}."
    if mine.value.low > best:
        sentence = f"{result.model} is above what text alone reaches ({name}: {reached})."
        if ADAPTED in result.model:
            return f"{sentence} {SOUND}"
        return sentence
    return (
        f"Text alone reaches {reached} ({name}). This benchmark does not show that {result.model} looks at the image."
    )


def blind_sentences(results: Sequence[CompositionResult]) -> str:
    """What `blind_sentence` says of each model."""
    return " ".join(filter(None, (blind_sentence(result, results[0]) for result in results)))


ADAPTED = " + "
"""In the name of a model that has an adapter (`training.adapted.Adapted.name`), also of one that re-ranks."""
SOUND = "An adapter that learned from such foils also knows their style. What it gained may be that."
KIND = "kind"
"""The tag that says what a foil changes, where there is one; else the tag that is averaged over."""
SPELLED = {"att": "attributes", "obj": "objects", "rel": "relations"}
"""Of SugarCrepe's kinds, such as "swap_att"."""
MOST_KINDS = 4
"""Kinds that a sentence names."""


def kinds_sentence(result: CompositionResult) -> str:
    """Which kinds of foil are not told apart from chance, or lie below it, each with its interval and items: a headline
    over all kinds hides them. "" where items have no kinds, or ranks are meant.

    The intervals are those of the breakdown: nothing is adjusted for there being several kinds.
    """
    from core.systems.composition.scoring.measures import POOLED  # scipy, which the page does not load at once

    tag = KIND if any(t.tag == KIND for t in result.by_tag) else result.average
    of_kind = [t for t in result.by_tag if t.tag == tag and t.value != POOLED]
    metrics = [(t.value, metric_of(t.metrics, result.headline)) for t in of_kind]
    known = [
        (value, m) for value, m in metrics if m is not None and m.chance is not None and math.isfinite(m.value.low)
    ]
    if len(known) < 2 or result.headline in LOWER_IS_BETTER:
        return ""
    known.sort(key=lambda entry: entry[1].value.value)
    below = [(value, m) for value, m in known if m.chance is not None and m.value.high < m.chance]
    even = [(v, m) for v, m in known if m.chance is not None and m.value.low <= m.chance <= m.value.high]
    if not below and not even:
        return f"Each of the {len(known)} kinds of item is above chance."
    sentences = [
        sentence
        for start, kinds in (("Below chance", below), ("Not clearly different from chance", even))
        for sentence in _kind_sentences(start, kinds)
    ]
    left = len(known) - len(below) - len(even)
    others = "The other kind of item is"
    if left != 1:
        others = f"The other {count(left, 'kind')} of item are"
    ending = ""
    if left:
        ending = f"{others} above chance."
    return " ".join((*sentences, ending)).strip()


def _kind_sentences(start: str, kinds: Sequence[tuple[str, Metric]]) -> list[str]:
    """Which kinds they are, such as "Below chance: swap attributes and 3 more kinds.", then one sentence for each that
    is named: "Swap attributes: 42.4% (37.0 to 47.8%) of 311 items, by chance 50.0%."."""
    if not kinds:
        return []
    named = kinds[:MOST_KINDS]
    more = len(kinds) - MOST_KINDS
    names = [*(spelled_kind(value) for value, _ in named), *([count(more, "more kind")] if more > 0 else [])]
    figures = [
        f"{spelled_kind(value)[:1].upper()}{spelled_kind(value)[1:]}: {figure(m.key, m.value.value)} "
        f"({figure_interval(m.key, m.value)}) of {count(m.n, 'item')}, by chance {figure(m.key, m.chance)}."
        for value, m in named
    ]
    joined = either(names, "and")
    return [f"{start}: {joined}.", *figures]


def spelled_kind(value: str) -> str:
    """A kind of foil in words: "swap_att" is "swap attributes"."""
    return " ".join(SPELLED.get(part, part) for part in value.split("_"))


def against_chance(metric: Metric) -> str:
    """ "Below chance", "Above chance", or that it is within it."""
    low = metric.value.low
    high = metric.value.high
    chance = metric.chance
    if chance is None or not (math.isfinite(low) and math.isfinite(high)):
        return "Chance could explain it"
    if low <= chance <= high:
        return f"With {metric.n:,} {'item' if metric.n == 1 else 'items'}, chance could explain this"
    better = low > chance
    if better != (metric.key in LOWER_IS_BETTER):
        return "Above chance"
    return "Below chance"


def _averaged(result: CompositionResult) -> bool:
    return bool(result.average) and any(result.tags.get(result.average, ()))


FEW = 5
"""Missing images that are named."""
NOUNS = {"pairs": "item", "choice": "item", "retrieval": "query"}
"""What is scored, by the kind of the benchmark."""
HEAD = ("", "value", "95% interval", "n", "chance", "ties")


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as indented lines: the first column flush left, the others right, two blanks between."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows)]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))
        )
        for row in rows
    ]
    return [f"  {line.rstrip()}" for line in lines]


def result_lines(
    result: CompositionResult, benchmark: Benchmark, *, first: CompositionResult | None = None, tags: bool = True
) -> list[str]:
    """A result: its metrics and the baselines that see no image, the headline by tag, what was left out, notes and
    published figures.

    Args:
        benchmark: that the result is of.
        first: a result on the same benchmark that was shown before; what it said of the benchmark is not said again.
        tags: False leaves out the headline by tag.
    """
    from core.systems.composition.scoring.signature import signature_of  # scipy, which the page does not load at once

    lines = [f"{result.name}: {result.title}, {count(len(result.ids), NOUNS[result.kind])}"]
    headline = result.headline
    rows = [_metric_row(f"{m.title}, the headline" if m.key == headline else m.title, m) for m in result.metrics]
    rows += [
        _metric_row(f"Without an image: {name}", m) for name, own in result.blind for m in own if m.key == headline
    ]
    sentences = (chance_sentence(result), blind_sentence(result, first), kinds_sentence(result))
    lines += [*aligned([HEAD, *rows]), *(f"  {said}" for said in sentences if said)]
    signature = signature_of(result, benchmark)
    lines += [] if signature is None else [f"  {signature.sentence}"]
    tagged = [_metric_row(f"{t.tag}: {t.value}", m) for t in result.by_tag for m in t.metrics if m.key == headline]
    if tags and tagged:
        lines += ["By tag, headline only", *aligned([HEAD, *tagged])]
    if first is None or (result.excluded, result.missing) != (first.excluded, first.missing):
        lines += left_out_lines(result)
    lines += [f"Note: {note}" for note in result.notes if first is None or note not in first.notes]
    if first is None and result.published:
        lines += ["Published, in percent as printed", *(f"  {line}" for line in result.published)]
    return lines


def reasons_left_out(result: CompositionResult) -> list[tuple[str, int]]:
    """(reason, items), the most frequent first; a reason is what stands before its example."""
    return Counter(reason.split(": ")[0] for _, reason in result.excluded).most_common()


def left_out_lines(result: CompositionResult) -> list[str]:
    """Items that were not scored, by reason, and images that were not found."""
    lines: list[str] = []
    if result.excluded:
        reasons = [f"{count(n, NOUNS[result.kind])} because {reason}" for reason, n in reasons_left_out(result)]
        lines.append(f"Left out: {'; '.join(reasons)}.")
    if result.missing:
        few = ", ".join(result.missing[:FEW])
        more = ""
        if len(result.missing) > FEW:
            more = f" and {len(result.missing) - FEW:,} more"
        lines.append(f"Missing: {count(len(result.missing), 'image')}, {few}{more}.")
    return lines


def comparison_lines(comparison: CompositionComparison, headline: str) -> list[str]:
    """Two models on the same items: every metric over all items, and the headline by tag.

    Args:
        headline: key of the metric whose tags are shown.
    """
    rows: list[Sequence[str]] = [("", "n", "A", "B", "B minus A", "95% interval", "p", "only A", "only B")]
    for row in comparison.rows:
        if row.scope != ALL_ITEMS and row.key != headline:
            continue
        name = row.key if row.scope == ALL_ITEMS else f"  {row.scope}"
        figures = *pair_figures(row.key, row.a, row.b, row.difference), p_value(row.p, bare=True)
        rows.append((name, f"{row.n:,}", *figures, f"{row.only_a:,}", f"{row.only_b:,}"))
    legend = (
        "Differences are in percentage points. p is adjusted over the lines of one metric. Only A: right, or "
        "ranked better, with A alone."
    )
    head = [f"A is {comparison.a}, B is {comparison.b}, on the same items of one benchmark"]
    return [*head, *aligned(rows), f"  {legend}", *(f"Note: {note}" for note in comparison.notes)]


def _metric_row(title: str, metric: Metric) -> tuple[str, ...]:
    return (
        title,
        figure(metric.key, metric.value.value),
        figure_interval(metric.key, metric.value),
        f"{metric.n:,}",
        figure(metric.key, metric.chance) if metric.chance is not None else "",
        f"{metric.ties:,}",
    )


def pair_figures(key: str, a: Estimate, b: Estimate, change: Estimate) -> tuple[str, ...]:
    """Both values, and the difference with its interval, in columns."""
    value, span = _difference_figures(key, change)
    return figure(key, a.value), figure(key, b.value), value.removesuffix(" points"), span
