"""The view of a result of composition: headline, items, and the figures of the report in folds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.numbers import bracketed, count
from core.systems.composition.records import (
    LOWER_IS_BETTER,
    Benchmark,
    CompositionComparison,
    CompositionResult,
    Metric,
)
from core.systems.composition.reports.html import figure_values
from core.systems.composition.reports.html_tables import ALPHA
from core.systems.composition.reports.wording import NOUNS, difference, figure, headline_of
from webapp.systems.composition.render import render


def result_view(
    results: Sequence[CompositionResult],
    benchmark: Benchmark,
    comparison: CompositionComparison | None,
    items: str = "",
) -> str:
    """One or two results on a benchmark: the headline, the single items, and the figures in folds.

    Args:
        items: the markup of the items.
    """
    first = results[0]
    mine = headline_metric(first)
    values = figure_values(results, benchmark, comparison)
    return render(
        "result.html.j2",
        headline=mine,
        value=figure(mine.key, mine.value.value, None),
        interval=bracketed(mine.value, share=mine.key not in LOWER_IS_BETTER),
        n_items=count(len(first.ids), NOUNS[first.kind]),
        verdict=_changed(results, comparison) or values["leads"][0],
        items=items,
        similarity=_similarity(first),
        **values,
    )


def headline_metric(result: CompositionResult) -> Metric:
    """The benchmark's main metric."""
    return headline_of(result) or result.metrics[0]


def _changed(results: Sequence[CompositionResult], comparison: CompositionComparison | None) -> str:
    """A sentence on the difference between two models in the headline; "" of one."""
    row = None
    if comparison is not None:
        row = next((r for r in comparison.rows if r.key == headline_metric(results[0]).key), None)
    if row is None:
        return ""
    word = "a clear difference"
    if row.p > ALPHA:
        word = "no clear difference"
    return (
        f"{results[1].name}: {difference(row.key, row.difference, None)}, {word}. It fixes "
        f"{count(row.only_b, 'item')} that {results[0].name} gets wrong, and breaks {row.only_a:,}."
    )


def _similarity(result: CompositionResult) -> str:
    """How near captions and their foils are in the text tower; "" without one."""
    similar = result.foil_similarity
    if similar is None or not len(similar):
        return ""
    low, high = np.quantile(similar, [0.05, 0.95])
    return (
        f"A caption and its nearest foil have a cosine of {similar.mean():.3f} in the text tower ({low:.3f} "
        f"to {high:.3f} for nine of ten items). Near 1, the text tower hardly tells them apart."
    )
