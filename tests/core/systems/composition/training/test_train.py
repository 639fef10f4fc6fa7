"""An adapter out of a training that was stopped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.encoders.open_clip.encoder import OpenClipEncoder
from core.errors import Cancelled, InvalidInput
from core.systems.composition.records import LoadedBenchmark
from core.systems.composition.scenes.shipped import open_shipped
from core.systems.composition.training.adapted_scorer import AdaptedScorer
from core.systems.composition.training.loop import Training
from core.systems.composition.training.train import adapt, adapted_so_far, curve_so_far

pytestmark = pytest.mark.usefixtures("few_searched")

HOW = Training(epochs=3, batch=4, patience=9)


def stopped_after(epochs: int, encoder: OpenClipEncoder, training: LoadedBenchmark, name: str, state: Path) -> None:
    steps = 3 * epochs  # ten items to learn from, four in a step

    def stop(step: str, done: int, total: int) -> None:
        if step == "train" and done > steps:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        adapt(training, name, {}, HOW, encoder, state=state, progress=stop)


@pytest.mark.parametrize("name", ["linear", "local"])
def test_what_was_finished_is_kept(
    name: str, encoder: OpenClipEncoder, training: LoadedBenchmark, tmp_path: Path
) -> None:
    whole = adapt(training, name, {}, HOW, encoder)
    stopped_after(2, encoder, training, name, tmp_path)
    assert [epoch.number for epoch in curve_so_far(tmp_path)] == [0, 1, 2]
    found = adapted_so_far(training, name, {}, HOW, encoder, state=tmp_path)
    assert found is not None
    assert found.record.curve == whole.record.curve[:3]
    assert (found.record.n_training, found.record.n_validation) == (whole.record.n_training, whole.record.n_validation)
    assert found.record.taught == whole.record.taught
    if whole.record.best <= 2:
        test = open_shipped(n=4)
        for a, b in zip(AdaptedScorer(found).score(test).matrices, AdaptedScorer(whole).score(test).matrices):
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_nothing_is_kept_of_a_training_stopped_in_its_first_epoch(
    encoder: OpenClipEncoder, training: LoadedBenchmark, tmp_path: Path
) -> None:
    assert curve_so_far(tmp_path) == ()
    stopped_after(0, encoder, training, "linear", tmp_path)
    assert len(curve_so_far(tmp_path)) == 1
    assert adapted_so_far(training, "linear", {}, HOW, encoder, state=tmp_path) is None


def test_the_state_of_another_adapter_is_refused(
    encoder: OpenClipEncoder, training: LoadedBenchmark, tmp_path: Path
) -> None:
    stopped_after(1, encoder, training, "linear", tmp_path)
    with pytest.raises(InvalidInput, match="another adapter"):
        adapted_so_far(training, "local", {}, HOW, encoder, state=tmp_path)
