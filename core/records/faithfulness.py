"""What naming causes is worth: measured on samples that the choice of causes did not see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.records.samples import Estimate

CauseKind = Literal["cluster", "condition", "phrase", "class", "neighbours", "worst tenth", "any"]
"""What a sentence may name; "worst tenth" is the expected loss, "any" whether it names anything."""


@dataclass(frozen=True, slots=True, eq=False)
class KindFaithfulness:
    """How well naming a kind of cause, by itself, tells failing rows from the others."""

    kind: CauseKind
    n: int
    """Rows, none of which the choice of causes saw."""
    n_failing: int
    n_named: int
    """Rows of which such a cause is named."""
    auroc: Estimate
    """0.5: it tells nothing. Interval by resampled groups, 95%; undefined where the kind was never named."""
    rate_named: float
    """Share of failing rows among those; nan without any."""
    rate_rest: float


@dataclass(frozen=True, slots=True, eq=False)
class NamedCause:
    """A finding of one half, tried in the other."""

    kind: str
    text: str
    scope: str
    n: int
    """Rows of its scope in the other half."""
    n_named: int
    auroc: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Faithfulness:
    """The measurement: each kind of cause once, or else `refused`, which says why there is none."""

    kinds: tuple[KindFaithfulness, ...] = ()
    causes: tuple[NamedCause, ...] = ()
    refused: str = ""

    @property
    def anything(self) -> KindFaithfulness | None:
        """Of naming anything at all; None where nothing was measured."""
        return next((kind for kind in self.kinds if kind.kind == "any"), None)
