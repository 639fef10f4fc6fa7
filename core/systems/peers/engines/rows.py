"""Input rows of an engine, and its fit and scores on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from core.records import F32, F64, I64, Bool
from core.systems.peers.engines import Engine

Fitted = TypeVar("Fitted", bound=Engine)


@dataclass(frozen=True, slots=True, eq=False)
class EngineRows:
    """n rows with everything that an engine may read; None where unknown."""

    embeddings: F32
    """(n, d) unit rows."""
    labels: I64
    losses: F64
    errors: Bool | None = None
    probabilities: F64 | None = None
    """(n, k)"""
    likeness: F32 | None = None
    """(n, t) how much each row is like each of t phrases."""
    phrases: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def keep(self, rows: I64 | Bool) -> EngineRows:
        """Only these rows, in this order."""
        return EngineRows(
            self.embeddings[rows],
            self.labels[rows],
            self.losses[rows],
            None if self.errors is None else self.errors[rows],
            None if self.probabilities is None else self.probabilities[rows],
            None if self.likeness is None else self.likeness[rows],
            self.phrases,
        )


def fit_engine(engine: Fitted, rows: EngineRows) -> Fitted:
    """Fit the engine on the rows, with the likeness to phrases only if it needs that.

    Raises:
        InvalidInput: the rows lack what it needs, or are too few.
    """
    phrases: dict[str, Any] = {"likeness": rows.likeness} if "likeness" in engine.needs else {}
    return engine.fit(rows.embeddings, rows.losses, rows.labels, rows.probabilities, rows.errors, **phrases)


def engine_scores(engine: Engine, rows: EngineRows) -> F64:
    """(m, s) membership of each row in each slice, from the inputs that the engine needs alone; see `Engine.score`."""
    known = {"probabilities": rows.probabilities, "losses": rows.losses, "likeness": rows.likeness}
    needed: dict[str, Any] = {name: value for name, value in known.items() if name in engine.needs}
    return engine.score(rows.embeddings, rows.labels, **needed)
