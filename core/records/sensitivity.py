"""What a run would have found: the meaning of "nothing found"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.records.samples import Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Detectable:
    """The smallest effect that would have been found with probability `power` in a cluster of `size` samples."""

    size: int
    excess_loss: float | None
    """None where even the largest effect tried would be missed."""
    error_difference: float | None
    power: float


@dataclass(frozen=True, slots=True, eq=False)
class PlantedPattern:
    """Plants of one size and one strength, and how many of them were found."""

    scope: Literal["class", "whole class", "all samples"]
    """Whether its samples are of one class (or superclass, where those are searched), or all of a class, which is
    tested without the embedding."""
    size: int
    share: float
    """Of the typical class, or of all samples."""
    strength: float
    """In the unit that `Sensitivity.unit` says."""
    excess_loss: float
    """How much higher the mean loss of its samples became, on average."""
    error_difference: float | None
    n_plants: int
    n_found: int
    found: Estimate
    """`n_found` of `n_plants` with the exact 95% binomial interval."""


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivity:
    """Failures planted into the run's own losses, which were shuffled so that there is nothing else to find."""

    unit: Literal["error rate", "times the mean loss", "deviations of the loss"]
    """Of strengths: the share of a pattern's samples that fail; its mean loss over that of its class; or how many
    standard deviations of the class's loss it lies above its mean, where a loss may be negative."""
    base: float
    """What the samples show without a plant: the error rate, or the mean loss."""
    classes: tuple[str, ...]
    """Where the patterns of scope "class" were planted: classes of about the typical size. Empty without classes."""
    class_size: int
    """Samples of the typical class; 0 without classes."""
    n_samples: int
    patterns: tuple[PlantedPattern, ...]
    power: float = 0.8
    """The share of plants from which on a pattern is said to be found."""
    smallest: int = 10
    """Samples of the smallest cluster that is looked for."""
    surest: int = 10
    """Found is a plant where a cluster is confirmed and half of its so many surest samples, or of all, are planted
    ones."""
    unplanted: int = 0
    """Samples in which nothing was planted, as they are of a group of more than a tenth of where patterns lie."""
