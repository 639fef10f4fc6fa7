"""The result with which the page opens, in one JSON file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.records.codec import encode
from core.systems.composition.records import CompositionResult
from research.scenes.store_opening import make_opening, write_result
from tests.support.composed import pairs, result
from webapp.systems.composition import state


def assert_same(a: CompositionResult | None, b: CompositionResult) -> None:
    """The records agree, and every array within the arithmetic of another machine."""
    arrays_a: dict[str, np.ndarray] = {}
    arrays_b: dict[str, np.ndarray] = {}
    assert encode(a, arrays_a) == encode(b, arrays_b)
    for name, array in arrays_a.items():
        np.testing.assert_allclose(array, arrays_b[name], atol=1e-5)


def test_a_result_comes_back_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = replace(result(pairs(20)), seconds=1.5)
    monkeypatch.setattr(state, "OPENING", tmp_path / "result.json")
    assert state.opening.__wrapped__() is None
    write_result(found, tmp_path / "result.json")
    assert_same(state.opening.__wrapped__(), found)


@pytest.mark.slow
def test_the_stored_result_is_what_its_command_makes() -> None:
    assert_same(state.opening(), make_opening())
