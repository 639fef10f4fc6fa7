"""The view of a result of composition: headline, metrics, kinds of item, published figures, and omissions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from core.numbers import bracketed, count, number, percent, with_interval
from core.reports.html.intervals import DotChart, Mark, dot_chart, dots, tick
from core.systems.composition.records import LOWER_IS_BETTER, CompositionComparison, CompositionResult, Metric
from core.systems.composition.reports.html_tables import ALPHA, by_tag, compared_tables
from core.systems.composition.reports.wording import (
    NOUNS,
    blind_sentences,
    difference,
    figure,
    headline_of,
    kinds_sentence,
    metric_of,
    reasons_left_out,
)
from webapp.systems.composition.render import render

MARK_KINDS = ("observed", "read")
"""Mark kinds of the first and the second model."""
PANELS = (
    ("compose-kinds", "By kind of item"),
    ("compose-metrics", "All metrics"),
    ("compose-published", "Published figures"),
    ("compose-left", "Left out and notes"),
)
MAX_NAMED = 5
"""Missing images to name."""


def result_view(
    results: Sequence[CompositionResult], comparison: CompositionComparison | None, habits: Sequence[str] = ()
) -> str:
    """One or two results on a benchmark, the headline and the panels; an empty state without results.

    Args:
        habits: a sentence for each model on its pattern of right and wrong pairs; "" if unknown.
    """
    if not results:
        return render("waiting.html.j2")
    panels = list(PANELS)
    tables = []
    if comparison is not None:
        panels.insert(0, ("compose-versus", "Against each other"))
        tables = compared_tables(comparison, None)
    return render(
        "result.html.j2",
        first=results[0],
        panels=panels,
        comparison=comparison,
        compared=tables,
        **_headline(results, comparison, habits),
        **_kinds(results),
        **_metrics(results),
        **_left_out(results),
    )


def headline_metric(result: CompositionResult) -> Metric:
    """The benchmark's main metric."""
    return headline_of(result) or result.metrics[0]


def _headline(
    results: Sequence[CompositionResult], comparison: CompositionComparison | None, habits: Sequence[str]
) -> dict[str, Any]:
    """The headline with its interval, compared with chance and with baselines that see no image."""
    first = results[0]
    mine = headline_metric(first)
    ties = sum(headline_metric(result).ties for result in results)
    seconds = ", ".join(f"{result.name} {number(result.seconds)}" for result in results)
    cost = f"CPU seconds: {seconds}."
    if first.source:
        cost = f"{first.source}. {cost}"
    ties_sentence = "No ties."
    if ties:
        ties_sentence = f"{count(ties, 'tie')} counted as wrong."
    named_habits = list[tuple[str, str]]()
    for result, habit in zip(results, habits):
        if habit and len(results) > 1:
            named_habits.append((result.name, habit))
        elif habit:
            named_habits.append(("", habit))
    return {
        "headline": mine,
        "value": figure(mine.key, mine.value.value, None),
        "interval": _bracketed(mine),
        "n_items": count(len(first.ids), NOUNS[first.kind]),
        "verdict": _verdict(results, comparison),
        "blind": blind_sentences(results),
        "by_kind": kinds_sentence(first),
        "ties": ties_sentence,
        "habits": named_habits,
        "chart": _chart(results),
        "cost": cost,
    }


def _bracketed(metric: Metric) -> str:
    return bracketed(metric.value, share=metric.key not in LOWER_IS_BETTER)


def _verdict(results: Sequence[CompositionResult], comparison: CompositionComparison | None) -> str:
    """A sentence on the difference between two models, or on one model against chance."""
    mine = headline_metric(results[0])
    row = None
    if comparison is not None:
        row = next((r for r in comparison.rows if r.key == mine.key), None)
    if row is not None:
        word = "a clear difference"
        if row.p > ALPHA:
            word = "no clear difference"
        return (
            f"{results[1].name}: {difference(row.key, row.difference, None)}, {word}. It fixes "
            f"{count(row.only_b, 'item')} that {results[0].name} gets wrong, and breaks {row.only_a:,}."
        )
    if mine.chance is None:
        return ""
    chance = percent(mine.chance)
    if mine.value.high < mine.chance:
        return f"Below chance ({chance}): a habit, not a guess."
    if mine.value.low > mine.chance:
        return f"Above chance ({chance})."
    return f"Not clearly different from chance ({chance})."


def _chart(results: Sequence[CompositionResult]) -> DotChart | None:
    """The headlines on one axis, with baselines and chance; None for ranks."""
    key = results[0].headline
    chance = headline_metric(results[0]).chance
    if key in LOWER_IS_BETTER:
        return None
    models = [(kind, result.name, headline_metric(result)) for kind, result in zip(MARK_KINDS, results)]
    blind = [("read", f"Sees no image: {name}", metric_of(metrics, key)) for name, metrics in results[0].blind]
    rows = list[Mark]()
    for kind, name, metric in (*models, *blind):
        if metric is not None:
            rows.append(Mark(metric.value, kind, name, with_interval(metric.value, share=True)))
    if chance is not None:
        rows.append(tick(chance, "Chance", percent(chance)))
    return dot_chart(rows, (0.0, 1.0), percent)


def _metrics(results: Sequence[CompositionResult]) -> dict[str, Any]:
    """Every metric of each model, with chance, ties, and the baselines that see no image."""
    first = results[0]

    def cells(metrics: Sequence[Sequence[Metric]], key: str) -> list[tuple[str, str]]:
        texts = list[tuple[str, str]]()
        for metrics_of_model in metrics:
            metric = metric_of(metrics_of_model, key)
            if metric is None:
                texts.append(("", ""))
            else:
                texts.append((figure(key, metric.value.value, None), _bracketed(metric)))
        return texts

    def ties(result: CompositionResult, key: str) -> str:
        metric = metric_of(result.metrics, key)
        if metric is None:
            return "0"
        return f"{metric.ties:,}"

    rows = list[dict[str, Any]]()
    for metric in first.metrics:
        chance = ""
        if metric.chance is not None:
            chance = figure(metric.key, metric.chance, None)
        row = {
            "title": metric.title,
            "headline": metric.key == first.headline,
            "models": cells([result.metrics for result in results], metric.key),
            "chance": chance,
            "ties": ", ".join(ties(result, metric.key) for result in results),
            "blind": cells([metrics for _, metrics in first.blind], metric.key),
        }
        rows.append(row)
    without = [f"Sees no image: {name}" for name, _ in first.blind]
    return {"metrics": rows, "columns": ["Metric", *(result.name for result in results), "Chance", "Ties", *without]}


def _kinds(results: Sequence[CompositionResult]) -> dict[str, Any]:
    """The headline by the values of each tag, the worst first."""
    names = list(zip(MARK_KINDS, (result.name for result in results)))
    if not results[0].by_tag:
        return {"why_no_kinds": "The items of this benchmark have no tags.", "kinds": [], "names": names}
    if results[0].headline in LOWER_IS_BETTER:
        return {"why_no_kinds": "Mean ranks by kind are only in the downloads.", "kinds": [], "names": names}
    kinds: list[tuple[str, list[dict[str, Any]]]] = []
    for tag, values in by_tag(results).items():
        ordered = sorted(values.items(), key=lambda entry: entry[1][0][1].value.value)
        rows = [_kind(tag, value, [metric for _, metric in pairs]) for value, pairs in ordered]
        kinds.append((tag[:1].upper() + tag[1:], rows))
    return {"why_no_kinds": "", "kinds": kinds, "names": names}


def _kind(tag: str, value: str, metrics: Sequence[Metric]) -> dict[str, Any]:
    marks = [Mark(metric.value, kind) for metric, kind in zip(metrics, MARK_KINDS)]
    if metrics[0].chance is not None:
        marks.insert(0, tick(metrics[0].chance))
    return {
        "tag": tag,
        "value": value,
        "n": f"{metrics[0].n:,}",
        "dots": dots(marks, (0.0, 1.0)),
        "said": [with_interval(metric.value, share=True) for metric in metrics],
    }


def _left_out(results: Sequence[CompositionResult]) -> dict[str, Any]:
    """Skipped items by reason, missing images, notes, and the similarity of captions and foils."""
    first = results[0]
    lines = [f"{count(n, 'item')}: {reason}" for reason, n in reasons_left_out(first)]
    if first.missing:
        few = ", ".join(first.missing[:MAX_NAMED])
        if len(first.missing) > MAX_NAMED:
            few += ", …"
        lines.append(f"{count(len(first.missing), 'image')} missing: {few}")
    similar = first.foil_similarity
    similarity = ""
    if similar is not None and len(similar):
        low, high = np.quantile(similar, [0.05, 0.95])
        similarity = (
            f"A caption and its nearest foil have a cosine of {similar.mean():.3f} in the text tower ({low:.3f} "
            f"to {high:.3f} for nine of ten items). Near 1, the text tower hardly tells them apart."
        )
    notes = list(dict.fromkeys(chain.from_iterable(result.notes for result in results)))
    return {"left_out": lines, "notes": notes, "similarity": similarity}
