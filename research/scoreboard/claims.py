"""What a method claims, held against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import Protocol, runtime_checkable

from core.records import F64, Bool, Estimate
from core.systems.peers.engines.rows import EngineRows


@dataclass(frozen=True, slots=True, eq=False)
class ClaimedRows:
    """Rows of which a method says that the loss is higher there than in the rest of their scope."""

    members: Bool
    rest: Bool
    losses: F64
    """(m,) as the method means them, clipped where it clips."""
    excess: Estimate | None = None
    """How much higher it says that the loss is; None where it says nothing of it."""

    def is_false(self, slices: tuple[Bool, ...]) -> bool:
        """Whether no planted slice is more frequent among the members than in the rest."""
        if not self.members.any() or not self.rest.any():
            return True
        return not any(mask[self.members].mean() > mask[self.rest].mean() for mask in slices)

    def holds_less_than(self, times: float, slices: tuple[Bool, ...]) -> bool:
        """Whether no planted slice is so many times as frequent among the members as in the rest."""
        if not self.members.any() or not self.rest.any():
            return True
        return not any(
            mask[self.members].any() and mask[self.members].mean() >= times * mask[self.rest].mean() for mask in slices
        )

    def measured(self) -> float:
        """How much higher the loss of these rows is than that of the rest; nan without either."""
        if not self.members.any() or not self.rest.any():
            return float("nan")
        return float(self.losses[self.members].mean() - self.losses[self.rest].mean())

    def holds(self) -> bool | None:
        """Whether the interval holds the excess of these rows; None without an interval, members or rest."""
        truth = self.measured()
        return None if self.excess is None or isnan(truth) else self.excess.low <= truth <= self.excess.high


@runtime_checkable
class Claims(Protocol):
    """An engine that says which of its slices it stands by."""

    def claims(self, rows: EngineRows) -> list[ClaimedRows]:
        """Its claims, read on other rows."""
        ...
