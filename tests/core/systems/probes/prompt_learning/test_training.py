"""Training of prompts: what is trained, with which steps, which epoch is kept, and how it ends."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.encoders.open_clip.encoder import OpenClipEncoder
from core.errors import Cancelled, InvalidInput
from core.systems.probes.prompt_learning.context import PromptTraining, lay_out
from core.systems.probes.prompt_learning.learner import PromptBatch, prompt_logits, tower_of
from core.systems.probes.prompt_learning.training import epochs_of, fit_prompts, lr_of, prompt_loss, rate, start
from tests.support.prompts import FAST, NAMES, accuracy, permuted


def test_only_the_context_is_trained(encoder: OpenClipEncoder) -> None:
    part, _ = permuted(encoder)
    before = {name: tensor.clone() for name, tensor in encoder._model.state_dict().items()}
    prompts = fit_prompts(part, FAST)
    assert all(torch.equal(before[name], tensor) for name, tensor in encoder._model.state_dict().items())
    assert not any(p.requires_grad for p in encoder._model.parameters())
    assert [name for name, p in start(tower_of(encoder), FAST, 4, 16, 0).named_parameters() if p.requires_grad] == [
        "ctx"
    ]
    words = tower_of(encoder).embed(torch.tensor(tower_of(encoder).tokens("a photo of a"))).numpy()
    assert np.abs(prompts.ctx - words).max() > 1e-4


def test_labels_without_a_pattern_teach_nothing_that_holds(native: OpenClipEncoder) -> None:
    part, labels = permuted(native, spread=0.05, shots=16, validation=4)
    assert part.shots is not None
    assert part.shots.labels is not None
    shuffled = replace(part.shots, labels=np.random.default_rng(0).permutation(part.shots.labels))
    prompts = fit_prompts(
        replace(part, shots=shuffled, validation=None), PromptTraining(class_specific=True, epochs=60, lr=0.2)
    )
    assert accuracy(part, prompts, labels) < 0.6


def test_the_epoch_of_the_lowest_validation_loss_is_kept_and_without_validation_the_last(
    native: OpenClipEncoder,
) -> None:
    part, _ = permuted(native, validation=4)
    assert part.validation is not None
    assert part.validation.labels is not None
    kept = fit_prompts(part, FAST)
    losses = [epoch.validation_loss for epoch in kept.curve]
    assert len(losses) == 21
    assert kept.epoch == int(np.argmin(losses))
    logits = prompt_logits(kept, native, part.validation.features, NAMES)
    again = np.logaddexp.reduce(logits, 1) - logits[np.arange(len(logits)), part.validation.labels]
    assert again.mean() == pytest.approx(min(losses), abs=1e-4)
    assert fit_prompts(replace(part, validation=None), FAST).epoch == 20


def test_validation_that_gets_worse_keeps_the_start(native: OpenClipEncoder) -> None:
    part, _ = permuted(native, validation=4)
    assert part.validation is not None
    assert part.validation.labels is not None
    texts = native.encode_texts([f"a photo of a {name}." for name in NAMES])
    # Images that zero-shot knows, and the shots deny.
    contrary = replace(part.validation, features=texts[part.validation.labels])
    assert fit_prompts(replace(part, validation=contrary), FAST).epoch <= 1  # the first is the warm-up


def test_the_same_seed_gives_the_same_prompts_and_another_seed_others(native: OpenClipEncoder) -> None:
    part, _ = permuted(native)
    how = replace(FAST, init="", length=3, epochs=3)
    one, two = fit_prompts(part, how), fit_prompts(part, how)
    np.testing.assert_array_equal(one.ctx, two.ctx)
    assert np.abs(fit_prompts(replace(part, seed=1), how).ctx - one.ctx).max() > 1e-3


def test_random_vectors_have_the_spread_of_the_words(encoder: OpenClipEncoder) -> None:
    tower = tower_of(encoder)
    ctx = start(tower, PromptTraining(init="", length=64, class_specific=True), 4, 16, 0).ctx
    assert ctx.shape == (4, 64, 32)
    assert float(ctx.detach().std()) == pytest.approx(float(tower.words().std()), rel=0.05)


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_gradients_in_chunks_equal_those_at_once(encoder: OpenClipEncoder, chunk: int) -> None:
    part, _ = permuted(encoder)
    assert part.shots is not None
    assert part.shots.labels is not None
    rows, labels = torch.from_numpy(part.shots.features), torch.from_numpy(part.shots.labels)
    tower = tower_of(encoder)
    batch = PromptBatch(tower, lay_out(tower, NAMES, 4, "end"))
    at_once, chunked = start(tower, FAST, 4, 16, 0), start(tower, FAST, 4, 16, 0)
    loss = prompt_loss(batch, at_once, rows, labels, 10.0)
    loss.backward()
    batch.chunk = chunk
    in_chunks = prompt_loss(batch, chunked, rows, labels, 10.0)
    assert chunked.ctx.grad is None
    in_chunks.backward()
    assert float(in_chunks.detach()) == pytest.approx(float(loss.detach()), abs=1e-5)
    assert at_once.ctx.grad is not None
    assert chunked.ctx.grad is not None
    torch.testing.assert_close(at_once.ctx.grad, chunked.ctx.grad, atol=1e-5, rtol=1e-4)


def test_the_step_size_warms_up_for_one_epoch_and_falls_like_a_cosine() -> None:
    assert 0.002 * rate(0, 50, 0.002) == pytest.approx(1e-5)
    assert rate(0, 50, 1e-6) == rate(1, 50, 0.002) == 1
    assert rate(26, 50, 0.002) == pytest.approx(0.5)
    assert rate(49, 50, 0.002) == pytest.approx(0.5 * (1 + math.cos(math.pi * 48 / 50)))


def test_epochs_are_the_papers_on_a_clip(native: OpenClipEncoder) -> None:
    tower = tower_of(native)
    assert [epochs_of(PromptTraining(), shots, tower) for shots in (16, 8, 4, 2, 1)] == [200, 200, 100, 100, 50]
    assert epochs_of(PromptTraining("cocoop"), 16, tower) == 10
    assert lr_of(PromptTraining(), tower) == lr_of(PromptTraining("cocoop", batch=1), tower) == 0.002
    assert lr_of(PromptTraining("cocoop", batch=8), tower) == 0.016


def test_no_shots_and_a_step_size_past_all_bounds_are_refused(native: OpenClipEncoder) -> None:
    part, _ = permuted(native)
    with pytest.raises(InvalidInput, match="CoOp learns from labeled images and got none"):
        fit_prompts(replace(part, shots=None), FAST)
    with pytest.raises(InvalidInput, match="became NaN at learning rate"):
        fit_prompts(part, replace(FAST, lr=1e38, epochs=5))


def test_it_can_be_cancelled_at_any_step(native: OpenClipEncoder) -> None:
    calls: list[int] = []

    def stop(step: str, done: int, total: int) -> None:
        assert (step, total) == ("Learning prompts", 80)
        calls.append(done)
        if done == 3:
            raise Cancelled("stopped")

    part, _ = permuted(native, progress=stop)
    with pytest.raises(Cancelled):
        fit_prompts(part, FAST)
    assert calls == [0, 1, 2, 3]
