"""An adapter out of a training that was stopped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.encoders.open_clip.encoder import OpenClipEncoder
from core.errors import Cancelled
from core.records import Progress
from core.systems.composition.records import LoadedBenchmark
from core.systems.composition.scenes.shipped import open_shipped
from core.systems.composition.training.adapted_scorer import AdaptedScorer
from core.systems.composition.training.loop import Training
from core.systems.composition.training.train import adapt, curve_so_far

pytestmark = pytest.mark.usefixtures("few_searched")

HOW = Training(epochs=3, batch=4, patience=9)


def stop_after(epochs: int) -> Progress:
    steps = 3 * epochs  # ten items to learn from, four in a step
    trained = [False]

    def stop(step: str, done: int, total: int) -> None:
        trained[0] = trained[0] or step == "train"
        if (step == "train" and done > steps) or (trained[0] and step != "train"):
            raise Cancelled("stopped")

    return stop


@pytest.mark.parametrize("name", ["linear", "local"])
@pytest.mark.parametrize("epochs", [2, 3])  # of three: in the last, and when the weight as a re-ranker is chosen
def test_what_was_finished_is_kept(
    name: str, epochs: int, encoder: OpenClipEncoder, training: LoadedBenchmark, tmp_path: Path
) -> None:
    whole = adapt(training, name, {}, HOW, encoder)
    assert not whole.stopped
    found = adapt(training, name, {}, HOW, encoder, state=tmp_path, keep_stopped=True, progress=stop_after(epochs))
    assert [epoch.number for epoch in curve_so_far(tmp_path)] == list(range(epochs + 1))
    assert found.stopped
    assert found.record.weighed == ()
    assert found.record.curve == whole.record.curve[: epochs + 1]
    assert (found.record.n_training, found.record.n_validation) == (whole.record.n_training, whole.record.n_validation)
    assert found.record.taught == whole.record.taught
    if whole.record.best <= epochs:
        test = open_shipped(n=4)
        for a, b in zip(AdaptedScorer(found).score(test).matrices, AdaptedScorer(whole).score(test).matrices):
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_nothing_is_kept_of_a_training_stopped_in_its_first_epoch(
    encoder: OpenClipEncoder, training: LoadedBenchmark, tmp_path: Path
) -> None:
    assert curve_so_far(tmp_path) == ()
    with pytest.raises(Cancelled):
        adapt(training, "linear", {}, HOW, encoder, state=tmp_path, keep_stopped=True, progress=stop_after(0))
    assert len(curve_so_far(tmp_path)) == 1


def test_without_being_asked_to_keep_it_a_stop_ends_the_training(
    encoder: OpenClipEncoder, training: LoadedBenchmark, tmp_path: Path
) -> None:
    with pytest.raises(Cancelled):
        adapt(training, "linear", {}, HOW, encoder, state=tmp_path, progress=stop_after(2))
