"""The papers' figures for composition, each with where it was read: shown beside one's own, never mixed with them."""

from __future__ import annotations

from core.files import ASSETS
from core.systems.common.published import PublishedFigure, published_figures
from core.systems.composition.records import Benchmark

FIGURES = ASSETS / "composition" / "published.json"
COLA_ITEMS = 210
"""Of Cola's own multi-object file."""


def figures_for(benchmark: Benchmark) -> tuple[PublishedFigure, ...]:
    """The figures that a result on this benchmark can be held against.

    A mean over kinds can only be held against one over the same kinds: where some are missing, it is the figures of
    those that are there.
    """
    figures = [f for f in published_figures(FIGURES) if f.data == benchmark.name]
    if benchmark.name == "cola" and len(benchmark.items) + len(benchmark.excluded) != COLA_ITEMS:
        return ()  # other pairs in Cola's form
    if benchmark.average:
        mine = {item.tags.get(benchmark.average, "") for item in benchmark.items}
        theirs = {f.part for f in figures if f.part}
        return tuple(f for f in figures if (f.part in mine if theirs and mine != theirs else not f.part))
    return tuple(f for f in figures if not f.part or f"({f.part})" in benchmark.title)
