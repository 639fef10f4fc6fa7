"""Rows as an engine sees them, and an engine fitted on them and asked about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from core.records import F32, F64, I64, Bool
from core.systems.peers.engines import Engine

Fitted = TypeVar("Fitted", bound=Engine)


@dataclass(frozen=True, slots=True, eq=False)
class EngineRows:
    """n rows with all that an engine may be told; what is not known is None."""

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
        errors = None if self.errors is None else self.errors[rows]
        probabilities = None if self.probabilities is None else self.probabilities[rows]
        likeness = None if self.likeness is None else self.likeness[rows]
        kept = self.embeddings[rows], self.labels[rows], self.losses[rows]
        return EngineRows(*kept, errors, probabilities, likeness, self.phrases)


def fit_engine(engine: Fitted, rows: EngineRows) -> Fitted:
    """The engine, fitted on the rows. It sees the likeness to phrases only where it says that it needs it.

    Raises:
        InvalidInput: the rows lack what it needs, or are too few.
    """
    told: dict[str, Any] = {"likeness": rows.likeness} if "likeness" in engine.needs else {}
    return engine.fit(rows.embeddings, rows.losses, rows.labels, rows.probabilities, rows.errors, **told)


def engine_scores(engine: Engine, rows: EngineRows) -> F64:
    """(m, s) how much each row belongs to each slice; see `Engine.score`. It is told of the rows what it says that it
    needs and nothing else."""
    known = {"probabilities": rows.probabilities, "losses": rows.losses, "likeness": rows.likeness}
    told: dict[str, Any] = {name: value for name, value in known.items() if name in engine.needs}
    return engine.score(rows.embeddings, rows.labels, **told)
