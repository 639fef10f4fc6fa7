"""A made-up run with words, for the parts of the tab Ask; and an encoder that knows no names, where it is asked for."""

from __future__ import annotations

import pytest

import core.encoders
from core.records import Diagnosis
from tests.support.showcase import PlainEncoder, add_words, make_showcase


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.encoders, "load_encoder", lambda name, **_: PlainEncoder())


@pytest.fixture(scope="module")
def worded() -> Diagnosis:
    return add_words(make_showcase(240))
