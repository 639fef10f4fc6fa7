"""Engines in tests: fitted and asked on planted rows."""

from __future__ import annotations

from typing import Any

import pytest

from core.records import F64, I64
from core.systems.peers.engines.rows import engine_scores, fit_engine
from research.scoreboard.engines import load_measured
from research.scoreboard.planted_embeddings import Planted, plant_embeddings, planted_rows

QUICK: dict[str, dict[str, Any]] = {"planespot": {"most_components": 6}, "spotlight": {"steps": 50}}
"""Settings under which an engine takes no second."""


@pytest.fixture(scope="module")
def planted() -> tuple[Planted, Planted]:
    return plant_embeddings("correlation", seed=11, n=1600, dimensions=48)


def fit(name: str, rows: Planted, **settings: Any) -> Any:
    return fit_engine(load_measured(name, **(QUICK.get(name, {}) | settings)), planted_rows(rows))


def score(engine: Any, rows: Planted, keep: I64 | None = None) -> F64:
    given = planted_rows(rows)
    return engine_scores(engine, given if keep is None else given.keep(keep))
