"""How well named causes predict errors, on samples that were not used to choose the causes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.records.samples import Estimate

CauseKind = Literal["cluster", "condition", "phrase", "class", "neighbours", "worst tenth", "any"]
"""Causes that a sentence can name; "worst tenth" is the expected loss, "any" whether it names any cause."""


@dataclass(frozen=True, slots=True, eq=False)
class KindFaithfulness:
    """How well naming a kind of cause, by itself, separates wrong rows from the others."""

    kind: CauseKind
    n: int
    """Rows that were not used to choose the causes."""
    n_failing: int
    n_named: int
    """Rows with a named cause of this kind."""
    auroc: Estimate
    """0.5: no information. 95% interval by resampled groups; undefined if the kind was never named."""
    rate_named: float
    """Share of wrong rows among those; nan without any."""
    rate_rest: float


@dataclass(frozen=True, slots=True, eq=False)
class NamedCause:
    """A finding of one half, tested in the other."""

    kind: str
    text: str
    scope: str
    n: int
    """Rows of its scope in the other half."""
    n_named: int
    auroc: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Faithfulness:
    """The measurement: each kind of cause once, or the reason for none in `refused`."""

    kinds: tuple[KindFaithfulness, ...] = ()
    causes: tuple[NamedCause, ...] = ()
    refused: str = ""

    @property
    def anything(self) -> KindFaithfulness | None:
        """The figure for naming any cause; None without a measurement."""
        return next((kind for kind in self.kinds if kind.kind == "any"), None)
