"""A question put to every picture."""

from __future__ import annotations

import pytest

import core.encoders
from core.records import Diagnosis
from core.systems.vl_t5.ask import read_cells


def test_the_encoder_is_asked_for_when_it_is_needed(diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loader that another test puts in place while this module is first imported does not stay in it."""
    asked: list[str] = []

    def load(name: str) -> None:
        asked.append(name)
        raise LookupError

    monkeypatch.setattr(core.encoders, "load_encoder", load)
    assert diagnosis.samples.items is not None
    with pytest.raises(LookupError):
        read_cells(diagnosis, diagnosis.samples.items, "embedded", None)
    assert asked == ["embedded"]
