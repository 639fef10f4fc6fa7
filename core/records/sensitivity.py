"""Detection limits of a run: what "nothing found" means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.records.samples import Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Detectable:
    """The smallest effect in a cluster of `size` samples that is detected with probability `power`."""

    size: int
    excess_loss: float | None
    """None if even the largest effect tried is missed."""
    error_difference: float | None
    power: float


@dataclass(frozen=True, slots=True, eq=False)
class PlantedPattern:
    """Planted failures of one size and strength, and the number detected."""

    scope: Literal["class", "whole class", "all samples"]
    """Samples of one class (or searched superclass), all samples of a class (tested without the embedding), or any
    samples."""
    size: int
    share: float
    """Share of the typical class, or of all samples."""
    strength: float
    """In the unit of `Sensitivity.unit`."""
    excess_loss: float
    """Average increase of the mean loss of the planted samples."""
    error_difference: float | None
    n_plants: int
    n_found: int
    found: Estimate
    """`n_found` of `n_plants` with the exact 95% binomial interval."""


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivity:
    """Failures planted into the run's losses, which were shuffled first so that no other structure remains."""

    unit: Literal["error rate", "times the mean loss", "deviations of the loss"]
    """Unit of strengths: the share of wrong samples in a pattern; its mean loss over that of its class; or, for losses
    that can be negative, the standard deviations of the class's loss above its mean."""
    base: float
    """Error rate or mean loss without a plant."""
    classes: tuple[str, ...]
    """Classes of about the typical size, in which the patterns of scope "class" were planted; empty without classes."""
    class_size: int
    """Samples of the typical class; 0 without classes."""
    n_samples: int
    patterns: tuple[PlantedPattern, ...]
    power: float = 0.8
    """The share of plants at which a pattern counts as detectable; 0.8 is the usual convention."""
    smallest: int = 10
    """Samples of the smallest cluster searched for."""
    surest: int = 10
    """A plant is detected if a cluster is confirmed and at least half of its `surest` top members, or of all, are
    planted."""
    unplanted: int = 0
    """Samples without plants, since their group has more than a tenth of the samples where patterns lie."""
