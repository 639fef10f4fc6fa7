"""A tiny CLIP and scenes to learn from."""

from __future__ import annotations

import pytest

from core.encoders.open_clip.encoder import OpenClipEncoder
from core.systems.composition.records import LoadedBenchmark
from core.systems.composition.scenes.shipped import draw_training
from tests.support.tiny_clip import TWO, write_model


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> OpenClipEncoder:
    return OpenClipEncoder(f"local-dir:{write_model(tmp_path_factory.mktemp('clip') / 'model', TWO)}")


@pytest.fixture(scope="session")
def training() -> LoadedBenchmark:
    return draw_training(12, 0)
