"""What many runs come to: a cell for each tier, kind and method, and what is read off many cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.records import Estimate
from core.statistics.runs import clopper_pearson

MIN_WORLDS = 5
"""With fewer an interval over worlds says nothing."""
LFDR_BINS = ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0))
"""(above, up to) of the local false discovery rate."""


@dataclass(frozen=True, slots=True)
class BoardCell:
    """One method on one kind of failure of one tier. Intervals hold 95%, over seeds."""

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
