"""Items of two things, read by an encoder of bags of words."""

from __future__ import annotations

from typing import Any

import pytest

from core.records import Bool
from core.systems.composition.records import LoadedBenchmark
from tests.support.two_things import BagOfWords, two_things


@pytest.fixture
def bag_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_encoder(name: str = "", **options: Any) -> BagOfWords:
        return BagOfWords()

    for module in ("core.language.phrases", "core.encoders"):  # the first takes its own from the second
        monkeypatch.setattr(f"{module}.load_encoder", load_encoder)


@pytest.fixture(scope="module")
def shown() -> tuple[LoadedBenchmark, Bool]:
    return two_things(150)
