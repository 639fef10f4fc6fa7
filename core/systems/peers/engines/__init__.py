"""Other ways to propose failing slices, behind one table: the peers that Errata is measured against.

Each entry of `ENGINES` names a leaf as "module:Class"; it is imported on request. `needs` says what an engine must be
told about new rows besides their embeddings. Engines that need the losses or predictions of the very rows they score
solve an easier task and belong in a track of their own.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, Self

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool
from core.registry import Registry

MAX_SLICES = 5

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
    """Fitted on audited rows, then asked for the slices of any rows. One that draws has the setting `seed`: the same
    seed gives the same slices."""

    needs: ClassVar[tuple[str, ...]]
    """What `score` must be given besides embeddings: of "labels", "probabilities", "losses", "likeness" (to phrases,
    which `fit` takes then too; `core.systems.peers.engines.rows` hands each engine what it needs)."""

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
            InvalidInput: the engine needs what was not given.
        """
        ...

    def score(self, embeddings: F32, labels: I64, probabilities: F64 | None = None, losses: F64 | None = None) -> F64:
        """(m, s) how much each of m rows belongs to each of s <= 5 slices, best slice first; -inf where it cannot."""
        ...


def load_engine(name: str, **settings: Any) -> Engine:
    """A new, unfitted engine of the table, with the given settings.

    Raises:
        InvalidInput: no engine has this name.
    """
    return ENGINES.load(name)(**settings)


def failures(name: str, labels: I64, probabilities: F64 | None, errors: Bool | None) -> Bool:
    """(n,) where the model is wrong: as given, else where the most probable class is not the label.

    Raises:
        InvalidInput: neither errors nor probabilities are known.
    """
    if errors is not None:
        return errors
    if probabilities is None:
        raise InvalidInput(f"{name} must know where the model is wrong: give errors (n,) or probabilities (n, k).")
    return probabilities.argmax(1) != labels
