"""Pictures like those that were learned from are let through, and others are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import InvalidInput
from core.records import F32
from core.systems.common.checkpoints import write_tensors
from core.systems.vl_t5.caution import caution_of
from core.systems.vl_t5.likeness import FILE, fit_likeness, read_likeness, write_likeness


def means(n: int, seed: int, shift: float = 0.0) -> F32:
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 1, (n, 80)) * np.linspace(1, 0.1, 80) + shift).astype(np.float32)


def test_like_pictures_are_let_through_and_others_are_not() -> None:
    found = fit_likeness(means(2000, 0), means(1000, 1))
    assert found.alike(means(1000, 2)).mean() == pytest.approx(0.99, abs=0.01)
    assert not found.alike(means(200, 3, shift=2.0)).any()
    assert found.distance(means(1000, 2)).mean() == pytest.approx(64, rel=0.1)
    assert not found.alike(np.full((1, 80), np.nan, np.float32)).any()


def test_it_is_read_as_it_was_written_and_damage_is_refused(tmp_path: Path) -> None:
    assert caution_of(tmp_path).likeness is None
    found = fit_likeness(means(300, 0), means(100, 1))
    write_likeness(found, tmp_path)
    read = caution_of(tmp_path).likeness
    assert read is not None
    assert read.distance(means(9, 2)) == pytest.approx(found.distance(means(9, 2)), rel=1e-5)
    write_tensors(tmp_path / FILE, {"mean": torch.zeros(3)})
    with pytest.raises(InvalidInput, match="must hold mean"):
        read_likeness(tmp_path)
