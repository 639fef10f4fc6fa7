"""Engines in tests: fitted and asked on planted rows."""

from __future__ import annotations

from typing import Any

from core.discovery.engines import load_engine
from core.discovery.engines.planted import Planted
from core.records import F64


def fit(name: str, rows: Planted, **settings: Any) -> Any:
    return load_engine(name, **settings).fit(
        rows.embeddings.vectors, rows.losses, rows.labels, rows.probabilities, rows.errors
    )


def score(engine: Any, rows: Planted, keep: Any = slice(None)) -> F64:
    return engine.score(rows.embeddings.vectors[keep], rows.labels[keep], rows.probabilities[keep], rows.losses[keep])
