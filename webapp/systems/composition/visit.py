"""What a visitor has done in the tab Compose."""

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
    """A trained adapter of the visitor's, in a folder of their own."""

    name: str
    folder: Path
    encoder: str


@dataclass(frozen=True, slots=True, eq=False)
class ComposeState:
    """What a visitor has done in the tab."""

    choice: str = ""
    """What was opened: "rendered:60", "own", or a data set's name."""
    loaded: LoadedBenchmark | None = None
    opened: LoadedBenchmark | None = None
    """The whole benchmark, where `loaded` is the part that nothing was learned from."""
    results: tuple[CompositionResult, ...] = ()
    """One or two, on the open benchmark; the second is compared with the first."""
    tag: str = ""
    value: str = ""
    which: str = "worst"
    shown: int = PAGE
    adapters: tuple[TrainedAdapter, ...] = ()
    forgetting: ForgettingCheck | None = None
    """What the training cost whose before and after are shown."""
    curve: tuple[Sequence[Epoch], int] | None = None
    """Its epochs and the number of the one that was kept."""

    @property
    def first(self) -> CompositionResult:
        """The result that is shown first.

        Raises:
            InvalidInput: it does not exist.
        """
        if not self.results or self.loaded is None:
            raise InvalidInput("No result is open. Choose a benchmark and a model, and run it.")
        return self.results[0]


@dataclass(frozen=True, slots=True, eq=False)
class BenchmarkRun:
    """What one press of Run made."""

    choice: str
    loaded: LoadedBenchmark
    results: tuple[CompositionResult, ...]
    opened: LoadedBenchmark | None = None
    """The whole benchmark, where `loaded` is a part."""
