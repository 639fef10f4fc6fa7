"""The model of a stored run: put together when it is asked, and the same then."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.store import load, save
from tests.support.diagnoses import make_diagnosis


@pytest.mark.slow
def test_a_reloaded_model_reads_new_samples_as_before(tmp_path: Path) -> None:
    from core.discovery.settings import Settings
    from research.arrays import diagnose_arrays

    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(150, 8)).astype(np.float32)
    vectors[::5, 0] += 4
    losses = np.abs(np.where(np.arange(150) % 5 == 0, 1.5, 0.3) + rng.normal(0, 0.2, 150))
    diagnosis = diagnose_arrays(
        vectors, losses, labels=np.arange(150) % 3, settings=Settings(map=False, sensitivity=False, n_permutations=200)
    )
    save(diagnosis, tmp_path / "run.errata")
    new = rng.normal(size=(7, 8)).astype(np.float32)
    loaded = load(tmp_path / "run.errata").model
    sent = pickle.loads(pickle.dumps(loaded))  # as to a worker, before anything was asked of it
    before, *others = (model.assign(new, labels=np.arange(7) % 3) for model in (diagnosis.model, loaded, sent))
    for after in others:
        for name in ("predicted", "spread", "memberships", "cluster"):
            np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


def test_a_model_that_lacks_something_is_said_to_be_damaged_when_it_is_asked(tmp_path: Path) -> None:
    save(replace(make_diagnosis(), model=BareModel()), tmp_path / "run.errata")
    with pytest.raises(InvalidInput, match=r"The run of a test is damaged \('rules'\)"):
        load(tmp_path / "run.errata", "The run of a test").model.assign(np.zeros((1, 8), np.float32))


class BareModel:
    def to_json(self) -> dict[str, Any]:
        return {}

    def to_arrays(self) -> dict[str, Any]:
        return {}
