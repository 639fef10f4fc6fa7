"""What the place Compare shows: a finished comparison, and what became of each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from core.records import Comparison, ModelResult, Prediction
from webapp.markup.html import Tile, hue

if TYPE_CHECKING:
    from core.checks.checkpoints.follow import FollowedRun
    from core.checks.model_cost import ModelCost
    from core.checks.which_comparison import ComparisonKind

NEW_MODEL: ComparisonKind = "new model"
CHECKPOINTS: ComparisonKind = "checkpoints"
NEW_DATA: ComparisonKind = "new data"
TITLES: dict[ComparisonKind, str] = {NEW_MODEL: "New model", CHECKPOINTS: "Checkpoints", NEW_DATA: "New data"}


@dataclass(frozen=True, slots=True, eq=False)
class SecondModel:
    """A second model's answers on a run's samples, compared with the first."""

    result: ModelResult
    comparison: Comparison
    notes: tuple[str, ...]
    """Notes on its table."""
    costs: tuple[ModelCost, ModelCost] | None = None
    """Costs of teacher and student, from a card."""

    @property
    def called(self) -> str:
        """Its name on the page."""
        if self.costs is None:
            return "second model"
        return "student"


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """A finished comparison."""

    kind: ComparisonKind
    result: SecondModel | FollowedRun | Prediction
    """Of a new model, of checkpoints, or on new data."""
    reason: str
    """How it was decided what was brought, a sentence; "" for what comes with the run."""
    folder: Path | None = None
    """Holds its downloads."""
    beside: str = ""
    """Its id in the page's address (webapp/compare/work.py)."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Images of one kind beside a group's sentence."""

    title: str
    tiles: Sequence[Tile]
    n: int
    """All samples of this kind."""
    kind: str = ""
    """What a press of the number shows (`webapp.markup.shares.rows_of_kind`); "" for none."""


@dataclass(frozen=True, slots=True)
class GroupVerdict:
    """What became of one group."""

    name: str
    sentence: str
    outcome: str
    colour: str = ""
    """Class of the outcome's mark."""
    cluster: int | None = None
    strips: Sequence[Strip] = ()

    @property
    def hue(self) -> str:
        """Its color; "" outside groups."""
        return "" if self.cluster is None else hue(self.cluster)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a verdict shows."""

    headline: str
    lead: str
    """The next sentence, or ""."""
    groups: Sequence[GroupVerdict]
    figures: Markup
    """In the fold."""
