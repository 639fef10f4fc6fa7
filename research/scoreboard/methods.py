"""Who takes part: Errata and its peers, each with one setting for all worlds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput
from core.systems.peers.engines import Engine
from research.scoreboard.engines import MEASURED, load_measured
from research.scoreboard.errata import ErrataEngine

OURS = "errata"
SETTINGS: dict[str, dict[str, Any]] = {"domino": {"n_dimensions": 32}, "class ridge": {"clip": 2.0}}
"""What differs from an engine's defaults, where it did better on tuning seeds (research/evidence/tuning.py)."""
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "class ridge (0/1 error)": ("class ridge", {"target": "error", "penalties": (3.0,)}),
    "domino (weights 1)": ("domino", {"label_weight": 1.0, "prediction_weight": 1.0, "n_dimensions": 32}),
}
"""Name -> engine and settings: a second line of an engine."""
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    OURS: (OURS, {}),
    **{name: (name, SETTINGS.get(name, {})) for name in MEASURED},
    **VARIANTS,
}
NULL = "null"
"""The kind in which nothing is planted."""
_READS = {"labels": "label", "probabilities": "prediction", "losses": "loss", "likeness": "likeness to phrases"}


@dataclass(frozen=True, slots=True)
class Method:
    """A name in the table, and how its engine is made."""

    name: str
    engine: str
    settings: dict[str, Any]

    def make(self, seed: int) -> Engine:
        """A new engine; one that draws draws by this seed."""
        engine = ErrataEngine(**self.settings) if self.engine == OURS else load_measured(self.engine, **self.settings)
        if hasattr(engine, "seed"):
            setattr(engine, "seed", seed)  # noqa: B010
        return engine

    @property
    def reads(self) -> str:
        """What it must be told about the rows that it scores."""
        return ", ".join(["embedding", *(_READS[need] for need in self.make(0).needs)])


def find_method(name: str) -> Method:
    """The method of that name.

    Raises:
        InvalidInput: there is none.
    """
    if name not in METHODS:
        raise InvalidInput(f"There is no method {name[:60]!r}. Use one of {', '.join(METHODS)}.")
    return Method(name, *METHODS[name])
