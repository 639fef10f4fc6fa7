"""Single items of a benchmark, the worst first: which of them a filter leaves, and their view."""

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
"""How an item is read, by the benchmark's headline, else by its kind."""
MAX_TAGS = 3
"""Tags that an item's card names."""


def items_view(state: ComposeState) -> str:
    """The items that the filter leaves, worst first, and the controls of the filter."""
    if not state.results or state.loaded is None:
        return ""
    rows = picked_rows(state)
    first = state.first
    benchmark = state.loaded.benchmark
    places = {item.id: item for item in benchmark.items}
    address = inline(state.loaded.store).address
    ways = (*WHICH, *(VERSUS if len(state.results) > 1 else ()))
    return render(
        "items.html.j2",
        n_items=len(rows),
        n_left=max(0, len(rows) - state.shown),
        kinds=_kinds(state),
        ways=[(key, title, key == state.which) for key, title in ways],
        reading=READING.get(first.headline, READING[first.kind]),
        cards=[
            _card(places[first.ids[row]], row, state.results, benchmark, address)
            for row in rows[: state.shown].tolist()
        ],
    )


def _kinds(state: ComposeState) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """(tag, its values as options) of everything that the items can be filtered by."""
    kinds: dict[str, list[tuple[str, str, bool]]] = {}
    for t in state.first.by_tag:
        chosen = (t.tag, t.value) == (state.tag, state.value)
        title = f"{t.tag}: {t.value} ({t.metrics[0].n:,})"
        kinds.setdefault(t.tag, []).append((f"{t.tag}={t.value}", title, chosen))
    return list(kinds.items())


def _card(
    item: Item, row: int, results: Sequence[CompositionResult], benchmark: Benchmark, address: Address
) -> dict[str, Any]:
    """One item: its name and tags, and what each model says of it; `row` is its place in the first result."""
    tags = list(item.tags.items())[:MAX_TAGS]
    similar = results[0].foil_similarity

    def scored(result: CompositionResult) -> ScoredItem | None:
        result_row = row if result is results[0] else result.ids.index(item.id) if item.id in result.ids else None
        if result_row is None:
            return None
        return scored_item(item, result, result_row, benchmark.pictures, address)

    return {
        "id": item.id,
        "tie": outcome(None, "a tie decided") if results[0].tied[row] else None,
        "tags": tags if similar is None else [*tags, ("captions alike", f"{similar[row]:.3f}")],
        "models": [(result.name, scored(result)) for result in results],
    }


def picked_rows(state: ComposeState) -> I64:
    """Rows of the first result that the filter leaves, the smallest margin first."""
    from core.systems.composition.scoring.measures import POOLED, scopes_of

    first = state.first
    picked = np.ones(len(first.ids), bool)
    if state.tag:
        scope = next(
            (s for s in scopes_of(first.tags, first.average) if (s.tag, s.value) == (state.tag, state.value or POOLED)),
            None,
        )
        inside = np.zeros(len(first.ids), bool)
        if scope is not None:
            inside[scope.rows] = True
        picked &= inside
    right = right_of(first)
    second_right = _other_right(state.results)
    if state.which == "tied":
        picked &= first.tied
    elif state.which in ("wrong", "right"):
        picked &= right if state.which == "right" else ~right
    elif state.which in dict(VERSUS) and second_right is not None:
        picked &= (right & ~second_right) if state.which == "only_a" else (~right & second_right)
    rows = np.flatnonzero(picked)
    return rows[np.argsort(first.margin[rows], kind="stable")].astype(np.int64)


def right_of(result: CompositionResult) -> Bool:
    """(n,) whether the item is right by the headline; of average precision or ranks, whether it is better than the
    middle item."""
    if result.headline in result.correct:
        return result.correct[result.headline]
    if result.headline in result.values:
        values = result.values[result.headline]
        return values >= np.median(values)
    return result.margin > 0


def _other_right(results: Sequence[CompositionResult]) -> Bool | None:
    """(n,) whether the second model has the first one's items right; items that it lacks count as wrong."""
    if len(results) < 2:
        return None
    known = dict(zip(results[1].ids, right_of(results[1]).tolist()))
    return np.array([known.get(name, False) for name in results[0].ids], bool)


def items_csv(result: CompositionResult, benchmark: Benchmark) -> bytes:
    """One line for each item."""
    from core.systems.composition.reports.tables import items_table  # pandas

    table = items_table(result, benchmark)
    return csv_of(table.columns, zip(*(table[name].tolist() for name in table.columns)))
