"""Registry of other methods that propose failing slices: the peers that Errata is measured against.

Each entry of `ENGINES` is "module:Class" and is imported on request. `needs` lists what an engine must know of new rows
besides their embeddings. Engines that read the losses or predictions of the rows they score solve an easier task, so
they form a separate track.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, Self

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool
from core.registry import Registry

MAX_SLICES = 5
"""Of an engine; the scoreboard measures the same number for every method."""

ENGINES = Registry(
    "engine",
    {
        "domino": "core.systems.peers.engines.domino:DominoMixture",
        "spotlight": "core.systems.peers.engines.spotlight:Spotlight",
        "sliceline": "core.systems.peers.engines.sliceline:SliceLine",
        "cleanlab groups": "core.systems.peers.engines.neighbour_groups:NeighbourGroups",
        "sliceguard": "core.systems.peers.engines.sliceguard:HierarchySlices",
    },
)


class Engine(Protocol):
    """Slicing method: fitted on audited rows, it scores any rows.

    A method that draws at random has the setting `seed`: the same seed gives the same slices.
    """

    needs: ClassVar[tuple[str, ...]]
    """Inputs of `score` besides embeddings: of "labels", "probabilities", "losses", "likeness" (to phrases, which `fit`
    then takes too; `core.systems.peers.engines.rows` passes each engine what it needs)."""

    def fit(
        self, embeddings: F32, losses: F64, labels: I64, probabilities: F64 | None = None, errors: Bool | None = None
    ) -> Self:
        """Learn slices from n audited rows.

        Args:
            embeddings: (n, d) unit rows.
            losses: (n,) larger is worse.
            labels: (n,) class of each row, 0..k-1.
            probabilities: (n, k) the model's, if known.
            errors: (n,) where the model is wrong, if known.

        Raises:
            InvalidInput: an input that the engine needs is None.
        """
        ...

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        """(m, s) how much each of m rows belongs to each of s <= 5 slices, best slice first; -inf where it cannot."""
        ...


def load_engine(name: str, **settings: Any) -> Engine:
    """Make an unfitted engine of the registry with these settings.

    Raises:
        InvalidInput: no engine has this name.
    """
    return ENGINES.load(name)(**settings)


def failures(name: str, labels: I64, probabilities: F64 | None, errors: Bool | None) -> Bool:
    """(n,) where the model is wrong: the errors if known, else where the most probable class is not the label.

    Raises:
        InvalidInput: neither errors nor probabilities are known.
    """
    if errors is not None:
        return errors
    if probabilities is None:
        raise InvalidInput(f"{name} needs errors (n,) or probabilities (n, k): got neither.")
    return probabilities.argmax(1) != labels
