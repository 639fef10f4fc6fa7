"""The state of a visit to Composition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InvalidInput
from core.systems.composition.records import CompositionResult, LoadedBenchmark

if TYPE_CHECKING:
    from core.systems.common.epochs import Epoch
    from core.systems.composition.training.forgetting import ForgettingCheck

PAGE = 6
"""Items shown at first, and added by "Show more"."""


@dataclass(frozen=True, slots=True)
class TrainedAdapter:
    """A visitor's trained adapter in its folder."""

    name: str
    folder: Path
    encoder: str


@dataclass(frozen=True, slots=True, eq=False)
class ComposeState:
    """A visitor's benchmark, results, filter and adapters."""

    choice: str = ""
    """The open benchmark: "rendered:60", "own", or a data set's name."""
    loaded: LoadedBenchmark | None = None
    opened: LoadedBenchmark | None = None
    """The whole benchmark if `loaded` is its held-out part."""
    results: tuple[CompositionResult, ...] = ()
    """One or two on the open benchmark; the second is compared with the first."""
    tag: str = ""
    value: str = ""
    which: str = "worst"
    shown: int = PAGE
    adapters: tuple[TrainedAdapter, ...] = ()
    forgetting: ForgettingCheck | None = None
    """The cost of the training whose results before and after are open."""
    curve: tuple[Sequence[Epoch], int] | None = None
    """Its epochs and the number of the best one."""

    @property
    def first(self) -> CompositionResult:
        """The first result.

        Raises:
            InvalidInput: no result is open.
        """
        if not self.results or self.loaded is None:
            raise InvalidInput("No result is open. Choose a benchmark and a model, and run it.")
        return self.results[0]


@dataclass(frozen=True, slots=True, eq=False)
class BenchmarkRun:
    """The results of one press of Run."""

    choice: str
    loaded: LoadedBenchmark
    results: tuple[CompositionResult, ...]
    opened: LoadedBenchmark | None = None
    """The whole benchmark if `loaded` is a part."""
