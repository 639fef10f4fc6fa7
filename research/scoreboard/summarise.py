"""The lines of many runs summed up: a cell for each tier, kind and method, means over seeds paired with Errata's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.records import Estimate
from core.statistics.runs import clopper_pearson, mean_over, ratio_over
from research.scoreboard.cells import LFDR_BINS, BoardCell
from research.scoreboard.methods import METHODS, NULL, OURS

MEASURES = ("best_p10", "first_p10", "best_p25", "first_p25", "best_ap", "first_ap")
EVEN = {"even_p10": "places_p10", "even_ap": "places_ap"}
"""Measures of the best of as many slices as both list, from the lines' slices in their places."""


def summarise(rows: Sequence[dict[str, Any]]) -> list[BoardCell]:
    """A cell for each tier, kind and method of the lines, in the order of the tiers and kinds; Errata first, then by
    the best precision at 10."""
    groups: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if "missing" not in row:
            groups[row["tier"], row["kind"]][row["method"]].append(row)
    cells: list[BoardCell] = []
    for (tier, kind), methods in groups.items():
        ours = {row["seed"]: row for row in methods.get(OURS, []) if "left_out" not in row}
        found = [_cell(tier, kind, method, lines, ours) for method, lines in methods.items()]
        cells += sorted(found, key=_place)
    return cells


def _place(cell: BoardCell) -> tuple[bool, float, int]:
    best = cell.values.get("best_p10")
    order = list(METHODS)
    number = order.index(cell.method) if cell.method in order else len(order)
    return cell.method != OURS, 0.0 if best is None else -best.value, number


def _cell(tier: str, kind: str, method: str, lines: list[dict[str, Any]], ours: dict[int, dict[str, Any]]) -> BoardCell:
    rows = [row for row in lines if "left_out" not in row]
    values = dict[str, Estimate]()
    behind = dict[str, Estimate]()
    if rows and kind != NULL:
        for name in MEASURES:
            values[name] = mean_over([float(np.mean(row[name])) for row in rows])
            pairs = [(ours[row["seed"]], row) for row in rows if row["seed"] in ours]
            if pairs and method != OURS:
                behind[name] = mean_over([float(np.mean(a[name]) - np.mean(b[name])) for a, b in pairs])
        if method != OURS:
            behind |= _even(rows, ours)
    peaks = [row["peak_mb"] for row in rows if row["peak_mb"] is not None]
    claiming = [row for row in rows if "claims" in row]
    n_claims, n_intervals = (sum(row[k] for row in claiming) for k in ("claims", "intervals"))
    any_claim = sum(row["claims"] + row["other_claims"] > 0 for row in claiming)
    return BoardCell(
        tier,
        kind,
        method,
        rows[0]["reads"] if rows else "",
        len(rows),
        len(lines) - len(rows),
        sum("failed" in row for row in rows),
        values,
        behind,
        n_claims if claiming else None,
        _share(claiming, "false_claims", "claims"),
        clopper_pearson(any_claim, len(claiming)) if claiming else None,
        _share(claiming, "intervals_held", "intervals"),
        n_intervals,
        float(np.median([row["cpu_seconds"] for row in rows])) if rows else 0.0,
        float(np.median(peaks)) if peaks else None,
        _looks([look for row in rows for look in row.get("looks", ())]),
    )


def _even(rows: Sequence[dict[str, Any]], ours: dict[int, dict[str, Any]]) -> dict[str, Estimate]:
    """Errata minus a method where both list the same number of slices: the longer list is cut to the shorter one, and
    one that is empty stands as a slice of chance."""
    found = dict[str, Estimate]()
    for name, places in EVEN.items():
        both = [(ours[row["seed"]], row) for row in rows if row["seed"] in ours]
        pairs = [(a[places], b[places]) for a, b in both if places in a and places in b]
        if len(pairs) < len(both) or not both:
            continue
        counts = [min(len(a[0]), len(b[0])) for a, b in pairs]
        found[name] = mean_over([_best_of(a, k) - _best_of(b, k) for (a, b), k in zip(pairs, counts)])
    return found


def _best_of(places: Sequence[Sequence[float]], k: int) -> float:
    """The best of the first k slices, mean over the planted ones."""
    return float(np.mean([max(values[:k]) for values in places]))


def _share(rows: list[dict[str, Any]], part: str, whole: str) -> Estimate | None:
    if not sum(row[whole] for row in rows):
        return None
    return ratio_over([row[part] for row in rows], [row[whole] for row in rows])


def _looks(looks: Sequence[Sequence[Any]]) -> tuple[tuple[int, float, int], ...]:
    """See `BoardCell.looks`; of sets that are listed for their order alone nothing is said."""
    rated = [(float(rate), bool(nothing)) for _, rate, nothing in looks if rate is not None]
    binned = [[(rate, nothing) for rate, nothing in rated if low < rate <= high] for low, high in LFDR_BINS]
    found = tuple((len(one), sum(rate for rate, _ in one), sum(nothing for _, nothing in one)) for one in binned)
    return found if rated else ()
