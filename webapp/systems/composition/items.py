"""Single items of a benchmark, filtered, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.records import I64, Bool
from core.systems.composition.records import Benchmark, CompositionResult, Item
from core.systems.composition.reports.item_cards import Address, ScoredItem, outcome, scored_item
from webapp.state.downloads import csv_of
from webapp.systems.composition.markup import inline
from webapp.systems.composition.render import render
from webapp.systems.composition.visit import ComposeState

WHICH = (("worst", "All, worst first"), ("wrong", "Wrong"), ("right", "Right"), ("tied", "Decided by a tie"))
VERSUS = (("only_a", "Only the first is right"), ("only_b", "Only the second is right"))
READING = {
    "pairs": (
        "A ring marks the pairs that belong together. A caption is right if its own image scores highest in its "
        "row; an image, in its column."
    ),
    "choice": "The first caption is the true one. It is right if it scores higher than every foil.",
    "both": "The first two captions are true. They are right if both score higher than the foil.",
    "retrieval": "The images that score highest; a tick marks those that the query describes.",
}
"""Explanation of an item's card, by the benchmark's headline, else by its kind."""
MAX_TAGS = 3
"""Tags on an item's card."""


def items_view(state: ComposeState) -> str:
    """The filtered items, worst first, and the controls of the filter."""
    rows = picked_rows(state)
    first = state.first
    assert state.loaded is not None
    benchmark = state.loaded.benchmark
    item_of_id = {item.id: item for item in benchmark.items}
    address = inline(state.loaded.store).address
    lists = WHICH
    if len(state.results) > 1:
        lists = (*WHICH, *VERSUS)
    cards = list[dict[str, Any]]()
    for row in rows[: state.shown].tolist():
        cards.append(_card(item_of_id[first.ids[row]], row, state.results, benchmark, address))
    return render(
        "items.html.j2",
        worst=state.which in ("worst", "wrong"),
        n_items=len(rows),
        n_left=max(0, len(rows) - state.shown),
        kinds=_kinds(state),
        ways=[(key, title, key == state.which) for key, title in lists],
        reading=READING.get(first.headline, READING[first.kind]),
        cards=cards,
    )


def _kinds(state: ComposeState) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """(tag, its values as options) of the filter."""
    kinds: dict[str, list[tuple[str, str, bool]]] = {}
    for t in state.first.by_tag:
        chosen = (t.tag, t.value) == (state.tag, state.value)
        title = f"{t.tag}: {t.value} ({t.metrics[0].n:,})"
        kinds.setdefault(t.tag, []).append((f"{t.tag}={t.value}", title, chosen))
    return list(kinds.items())


def _card(
    item: Item, row: int, results: Sequence[CompositionResult], benchmark: Benchmark, address: Address
) -> dict[str, Any]:
    """An item with its name, its tags and each model's scores.

    Args:
        row: the item's row in the first result.
    """
    first = results[0]
    tags = list(item.tags.items())[:MAX_TAGS]
    if first.foil_similarity is not None:
        tags.append(("captions alike", f"{first.foil_similarity[row]:.3f}"))
    tie = None
    if first.tied[row]:
        tie = outcome(None, "a tie decided")
    models: list[tuple[str, ScoredItem | None]] = []
    for result in results:
        scores = None
        if result is first:
            scores = scored_item(item, result, row, benchmark.pictures, address)
        elif item.id in result.ids:
            scores = scored_item(item, result, result.ids.index(item.id), benchmark.pictures, address)
        models.append((result.name, scores))
    return {"id": item.id, "tie": tie, "tags": tags, "models": models}


def picked_rows(state: ComposeState) -> I64:
    """Filtered rows of the first result, the smallest margin first."""
    from core.systems.composition.scoring.measures import POOLED, scopes_of

    first = state.first
    picked = np.ones(len(first.ids), bool)
    if state.tag:
        inside = np.zeros(len(first.ids), bool)
        for scope in scopes_of(first.tags, first.average):
            if (scope.tag, scope.value) == (state.tag, state.value or POOLED):
                inside[scope.rows] = True
                break
        picked &= inside
    right = right_of(first)
    known = {}  # items without a score of the second model count as wrong
    if len(state.results) > 1:
        known = dict(zip(state.results[1].ids, right_of(state.results[1]).tolist()))
    second_right = np.array([known.get(name, False) for name in first.ids], bool)
    if state.which == "tied":
        picked &= first.tied
    elif state.which == "right":
        picked &= right
    elif state.which == "wrong":
        picked &= ~right
    elif state.which == "only_a" and known:
        picked &= right & ~second_right
    elif state.which == "only_b" and known:
        picked &= ~right & second_right
    rows = np.flatnonzero(picked)
    return rows[np.argsort(first.margin[rows], kind="stable")].astype(np.int64)


def right_of(result: CompositionResult) -> Bool:
    """(n,) whether each item is right by the headline; for average precision or ranks, whether it is above the
    median."""
    if result.headline in result.correct:
        return result.correct[result.headline]
    if result.headline in result.values:
        values = result.values[result.headline]
        return values >= np.median(values)
    return result.margin > 0


def items_csv(result: CompositionResult, benchmark: Benchmark) -> bytes:
    """A CSV table with a row for each item."""
    from core.systems.composition.reports.tables import items_table  # pandas

    table = items_table(result, benchmark)
    return csv_of(table.columns, zip(*(table[name].tolist() for name in table.columns)))
