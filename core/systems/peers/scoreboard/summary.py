"""What many runs come to: for each tier, kind and method the means over seeds, paired with Errata's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.records import Estimate
from core.statistics.runs import clopper_pearson, mean_over, ratio_over
from core.systems.peers.scoreboard.methods import METHODS, NULL, OURS

MIN_WORLDS = 5
"""With fewer an interval over worlds says nothing."""
LFDR_BINS = ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0))
"""(above, up to) of the local false discovery rate."""
MEASURES = ("best_p10", "first_p10", "best_p25", "first_p25", "best_ap", "first_ap")
EVEN = {"even_p10": "places_p10", "even_ap": "places_ap"}
"""Measures of the best of as many slices as both list, from the lines' slices in their places."""


@dataclass(frozen=True, slots=True)
class BoardCell:
    """One method on one kind of failure of one tier. Intervals hold 95 %, over seeds."""

    tier: str
    kind: str
    method: str
    reads: str
    runs: int
    left_out: int
    """Worlds in which the model did not fail as planned: no run of them counts."""
    failed: int
    """Runs that ended with a message; their slices count as chance's."""
    values: dict[str, Estimate]
    """By `MEASURES`: means over seeds; the slices of one seed are averaged first. None where nothing is planted."""
    behind: dict[str, Estimate]
    """The same measures and those of `EVEN`: Errata minus this method, paired by seed; none of Errata itself. A line of
    a run from before slices were written in their places has none of `EVEN`."""
    claims: int | None
    """None: it makes no claims."""
    false_claims: Estimate | None
    """Share of the claims that hold no more of a planted failure than the rest; None without claims."""
    claiming: Estimate | None
    """Share of the worlds in which it claims anything: where nothing is planted, the rate of false alarms."""
    intervals: Estimate | None
    """Share of its intervals that hold the truth; None without intervals."""
    n_intervals: int
    cpu_seconds: float
    """Median."""
    peak_mb: float | None
    """Median rise of memory; None where it is not known."""
    looks: tuple[tuple[int, float, int], ...] = ()
    """Of what is worth a look and no claim, by `LFDR_BINS` of how likely each set was said to be nothing: (sets, sum of
    what was said, how many are nothing). Empty of a method without such a list, and where it cannot be judged."""

    def verdict(self, measure: str = "best_p10") -> str:
        """ "ahead" or "behind" where Errata is so clearly: the interval of the difference leaves out 0, over at least
        `MIN_WORLDS` worlds; else ""."""
        found = self.behind.get(measure)
        if found is None or self.runs < MIN_WORLDS or found.low <= 0 <= found.high:
            return ""
        return "ahead" if found.low > 0 else "behind"

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, estimates as [value, low, high] with three decimals."""

        def plain(value: Any) -> Any:
            if isinstance(value, Estimate):
                return [_rounded(v) for v in (value.value, value.low, value.high)]
            return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value

        return {name: plain(getattr(self, name)) for name in self.__slots__} | {
            "looks": [[n, _rounded(said), nothing] for n, said, nothing in self.looks],
            "cpu_seconds": _rounded(self.cpu_seconds),
            "peak_mb": None if self.peak_mb is None else round(self.peak_mb),
        }

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> BoardCell:
        """The cell that `to_dict` wrote."""
        plain = dict(given)
        plain["looks"] = tuple(tuple(looks) for looks in given.get("looks", ()))
        for name in ("false_claims", "claiming", "intervals"):
            plain[name] = None if plain[name] is None else Estimate(*plain[name])
        for name in ("values", "behind"):
            plain[name] = {k: Estimate(*v) for k, v in plain[name].items()}
        return cls(**plain)


def _rounded(value: float) -> float:
    return round(value, 3)


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
    values, behind = dict[str, Estimate](), dict[str, Estimate]()
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


@dataclass(frozen=True, slots=True)
class LookBin:
    """Sets that were said to be nothing with about the same probability, and how many are."""

    bounds: tuple[float, float]
    n: int
    said: float
    """Mean of what was said."""
    nothing: Estimate
    """Share that is nothing; interval as if sets were independent."""


def looks_table(cells: Sequence[BoardCell]) -> list[LookBin]:
    """All cells together: how likely sets that are worth a look were said to be nothing, and how many are."""
    told = [cell.looks for cell in cells if cell.looks]
    found: list[LookBin] = []
    for bounds, *each in zip(LFDR_BINS, *told):
        n, said, nothing = (sum(part) for part in zip(*each)) if each else (0, 0.0, 0)
        if n:
            found.append(LookBin(bounds, n, said / n, clopper_pearson(nothing, n)))
    return found


def losses(cells: Sequence[BoardCell], measure: str = "best_p10") -> list[BoardCell]:
    """The cells in which a peer is ahead of Errata, the widest gap first."""
    behind = [cell for cell in cells if measure in cell.behind and cell.behind[measure].value < 0]
    return sorted(behind, key=lambda cell: cell.behind[measure].value)
