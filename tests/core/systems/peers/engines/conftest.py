"""Planted rows for engines."""

from __future__ import annotations

import pytest

from research.scoreboard.planted_embeddings import Planted, plant_embeddings


@pytest.fixture(scope="module")
def planted() -> tuple[Planted, Planted]:
    return plant_embeddings("correlation", seed=11, n=1600, dimensions=48)
