"""Tip-Adapter, with and without trained keys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.probes.base import ProbeInput
from core.systems.probes.few_shot.affinities import cache_values
from core.systems.probes.few_shot.tip_adapter import TipAdapter, train_keys
from core.systems.probes.run import run_probe
from tests.support.heads import accuracy, made_part, made_task


@pytest.mark.parametrize("train", [True, False])
def test_a_few_labelled_images_beat_the_texts_by_a_margin(train: bool) -> None:
    for seed in range(3):
        part, labels = made_part(4, 80, seed)
        found = TipAdapter(shots=4, train_keys=train).run(part)
        assert accuracy(found, labels) > (found.controls["zero-shot"][0] == labels).mean() + 0.2


def test_logits_equal_the_loop_from_the_formula() -> None:
    part, _ = made_part(3, 20)
    found = TipAdapter(shots=3, train_keys=False, alpha=2.0, beta=4.0).run(part)
    slow = np.zeros((20, 4))
    for i, f in enumerate(part.test.features.astype(float)):
        for c in range(4):
            slow[i, c] = 20 * f[c]
        for s, y in zip(part.shots.features.astype(float), part.shots.labels.tolist()):
            slow[i, y] += 20 / 100 * 2.0 * np.exp(-4.0 * (1 - f @ s))
    np.testing.assert_allclose(found.logits, slow, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(sum(found.parts.values()), found.logits, rtol=1e-12)
    assert {c.how for c in found.choices} == {"given"}


def test_an_alpha_of_zero_is_zero_shot_exactly() -> None:
    part, _ = made_part(2, 15)
    found = TipAdapter(shots=2, alpha=0.0, train_keys=False).run(part)
    np.testing.assert_array_equal(found.logits, found.parts["zero-shot"])


def test_training_lowers_the_loss_of_the_shots_and_the_same_seed_gives_the_same_keys() -> None:
    part, _ = made_part(4, 10)
    texts = np.eye(4, 24)
    assert part.shots is not None
    assert part.shots.labels is not None
    values, weights = cache_values(part.shots.labels, 4), {"alpha": 1.0, "beta": 5.5}

    def loss(keys: np.ndarray) -> float:
        f = part.shots.features.astype(float)
        logits = 20 * f @ texts.T + 0.2 * np.exp(-5.5 * (1 - f @ keys.T)) @ values
        return float(np.mean(np.log(np.exp(logits).sum(1)) - logits[np.arange(len(f)), part.shots.labels]))

    keys, epoch = train_keys(part.shots, values, texts, weights, scale=20.0)
    again, _ = train_keys(part.shots, values, texts, weights, scale=20.0)
    np.testing.assert_array_equal(keys, again)
    assert epoch == 20
    assert loss(keys) < loss(part.shots.features.astype(float))


def test_without_validation_images_the_last_epoch_and_defaults_are_used() -> None:
    part, _ = made_part(2, 10, validation=False)
    found = TipAdapter(shots=2, epochs=3).run(part)
    assert {c.name: (c.value, c.how) for c in found.choices} == {
        "alpha": (1.0, "fixed"),
        "beta": (5.5, "fixed"),
        "epoch": (3.0, "fixed"),
    }
    assert TipAdapter(tune=False).needs().validation == 0


def test_choices_are_made_on_validation_images_and_never_on_those_that_are_scored() -> None:
    part, _ = made_part(2, 30)
    other: ProbeInput = replace(part, test=part.test.keep(np.arange(5)))
    found, fewer = TipAdapter(shots=2).run(part), TipAdapter(shots=2).run(other)
    assert found.choices == fewer.choices
    assert {c.how for c in found.choices} == {"validation"}
    np.testing.assert_allclose(found.logits[:5], fewer.logits, rtol=1e-6)


def test_no_shots_are_said() -> None:
    part, _ = made_part(2, 10)
    with pytest.raises(InvalidInput, match="needs labeled images"):
        TipAdapter(shots=2).run(replace(part, shots=None))


def test_a_run_on_samples_keeps_shots_and_scored_rows_apart() -> None:
    result = run_probe("tip-adapter", TipAdapter(shots=2, epochs=2), made_task(80))
    assert len(result.rows) == 80
    assert (result.support.rows >= 0).all()
    assert result.neighbours[0].affinity == "image"
