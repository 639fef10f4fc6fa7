"""A result of composition as a view: the headline, every metric, kinds of item, what the literature reports, what was
left out."""

from __future__ import annotations

from collections.abc import Sequence
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

KINDS = ("observed", "read")
"""How the marks of the first and of the second model look."""
PANELS = (
    ("compose-kinds", "By kind of item"),
    ("compose-metrics", "All metrics"),
    ("compose-published", "Published figures"),
    ("compose-left", "Left out and notes"),
)
MAX_NAMED = 5
"""Missing images that are named."""


def result_view(
    results: Sequence[CompositionResult], comparison: CompositionComparison | None, habits: Sequence[str] = ()
) -> str:
    """One or two results on a benchmark: headline, then the panels; without one, what will stand there.

    Args:
        habits: how each model is right and wrong on pairs, a sentence each; "" where that is not known.
    """
    if not results:
        return render("waiting.html.j2")
    versus = [] if comparison is None else [("compose-versus", "Against each other")]
    return render(
        "result.html.j2",
        first=results[0],
        panels=[*versus, *PANELS],
        comparison=comparison,
        compared=[] if comparison is None else compared_tables(comparison, None),
        **_headline(results, comparison, habits),
        **_kinds(results),
        **_metrics(results),
        **_left_out(results),
    )


def headline_metric(result: CompositionResult) -> Metric:
    """The metric that the benchmark is known by."""
    return headline_of(result) or result.metrics[0]


def _headline(
    results: Sequence[CompositionResult], comparison: CompositionComparison | None, habits: Sequence[str]
) -> dict[str, Any]:
    """The headline with its interval, and what it means beside chance and beside what no image is needed for."""
    first = results[0]
    mine = headline_metric(first)
    ties = sum(headline_metric(result).ties for result in results)
    seconds = ", ".join(f"{result.name} {number(result.seconds)}" for result in results)
    return {
        "headline": mine,
        "value": figure(mine.key, mine.value.value, None),
        "interval": _bracketed(mine),
        "n_items": count(len(first.ids), NOUNS[first.kind]),
        "verdict": _verdict(results, comparison),
        "blind": blind_sentences(results),
        "by_kind": kinds_sentence(first),
        "ties": f"{count(ties, 'tie')} counted as wrong." if ties else "No ties.",
        "habits": [(r.name if len(results) > 1 else "", habit) for r, habit in zip(results, habits) if habit],
        "chart": _chart(results),
        "cost": f"{first.source + '. ' if first.source else ''}CPU seconds: {seconds}.",
    }


def _bracketed(metric: Metric) -> str:
    return bracketed(metric.value, share=metric.key not in LOWER_IS_BETTER)


def _verdict(results: Sequence[CompositionResult], comparison: CompositionComparison | None) -> str:
    """What the headline means."""
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
    """The headlines on one axis, with baselines and chance; None of ranks."""
    key = results[0].headline
    chance = headline_metric(results[0]).chance
    if key in LOWER_IS_BETTER:
        return None
    named = [(kind, result.name, headline_metric(result)) for kind, result in zip(KINDS, results)]
    blind = [("read", f"Sees no image: {name}", metric_of(metrics, key)) for name, metrics in results[0].blind]
    rows = [
        Mark(metric.value, kind, name, with_interval(metric.value, share=True))
        for kind, name, metric in (*named, *blind)
        if metric is not None
    ]
    if chance is not None:
        rows.append(tick(chance, "Chance", percent(chance)))
    return dot_chart(rows, (0.0, 1.0), percent)


def _metrics(results: Sequence[CompositionResult]) -> dict[str, Any]:
    """Every metric of each model, chance, ties, and the baselines that see no image."""
    first = results[0]

    def cells(metrics: Sequence[Sequence[Metric]], key: str) -> list[tuple[str, str]]:
        values = [metric_of(own, key) for own in metrics]
        return [("", "") if m is None else (figure(key, m.value.value, None), _bracketed(m)) for m in values]

    def ties(result: CompositionResult, key: str) -> str:
        metric = metric_of(result.metrics, key)
        return f"{0 if metric is None else metric.ties:,}"

    rows = [
        {
            "title": metric.title,
            "headline": metric.key == first.headline,
            "models": cells([result.metrics for result in results], metric.key),
            "chance": "" if metric.chance is None else figure(metric.key, metric.chance, None),
            "ties": ", ".join(ties(result, metric.key) for result in results),
            "blind": cells([metrics for _, metrics in first.blind], metric.key),
        }
        for metric in first.metrics
    ]
    without = [f"Sees no image: {name}" for name, _ in first.blind]
    return {"metrics": rows, "columns": ["Metric", *(result.name for result in results), "Chance", "Ties", *without]}


def _kinds(results: Sequence[CompositionResult]) -> dict[str, Any]:
    """The headline by the values of each tag, the worst first."""
    why = ""
    if not results[0].by_tag:
        why = "The items of this benchmark have no tags."
    elif results[0].headline in LOWER_IS_BETTER:
        why = "Mean ranks by kind are only in the downloads."
    kinds: list[tuple[str, list[dict[str, Any]]]] = []
    for tag, values in (by_tag(results) if not why else {}).items():
        ordered = sorted(values.items(), key=lambda entry: entry[1][0][1].value.value)
        rows = [_kind(tag, value, [metric for _, metric in own]) for value, own in ordered]
        kinds.append((tag[:1].upper() + tag[1:], rows))
    return {"why_no_kinds": why, "kinds": kinds, "names": list(zip(KINDS, (result.name for result in results)))}


def _kind(tag: str, value: str, metrics: Sequence[Metric]) -> dict[str, Any]:
    drawn = [Mark(metric.value, kind) for metric, kind in zip(metrics, KINDS)]
    chance = [] if metrics[0].chance is None else [tick(metrics[0].chance)]
    return {
        "tag": tag,
        "value": value,
        "n": f"{metrics[0].n:,}",
        "dots": dots([*chance, *drawn], (0.0, 1.0)),
        "said": [with_interval(metric.value, share=True) for metric in metrics],
    }


def _left_out(results: Sequence[CompositionResult]) -> dict[str, Any]:
    """Items that could not be asked, by reason, images that are missing, notes, and how alike the captions are."""
    first = results[0]
    lines = [f"{count(n, 'item')}: {reason}" for reason, n in reasons_left_out(first)]
    if first.missing:
        few = ", ".join(first.missing[:MAX_NAMED]) + (", …" if len(first.missing) > MAX_NAMED else "")
        lines.append(f"{count(len(first.missing), 'image')} missing: {few}")
    similar = first.foil_similarity
    similarity = ""
    if similar is not None and len(similar):
        low, high = np.quantile(similar, [0.05, 0.95])
        similarity = (
            f"A caption and its nearest foil have a cosine of {similar.mean():.3f} in the text tower ({low:.3f} "
            f"to {high:.3f} for nine of ten items). Near 1, the text tower hardly tells them apart."
        )
    notes = list(dict.fromkeys(note for result in results for note in result.notes))
    return {"left_out": lines, "notes": notes, "similarity": similarity}
