"""What the text tower makes of learned contexts and class names, at once and in chunks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.encoders.open_clip.encoder import OpenClipEncoder
from core.systems.probes.prompt_learning.context import PromptTraining, lay_out
from core.systems.probes.prompt_learning.learner import Learner, PromptBatch, classifier, restore, tower_of
from core.systems.probes.prompt_learning.training import fit_prompts
from tests.support.prompts import FAST, NAMES, bounded_to, permuted


@pytest.mark.parametrize("position", ["end", "middle", "front"])
def test_a_class_specific_context_of_equal_copies_is_the_unified_one(encoder: OpenClipEncoder, position: str) -> None:
    tower = tower_of(encoder)
    ctx = torch.randn(2, tower.words().shape[1], generator=torch.Generator().manual_seed(0))
    batch = PromptBatch(tower, lay_out(tower, NAMES, 2, position))  # type: ignore[arg-type]
    with torch.no_grad():
        one = batch.encode(Learner(ctx), torch.arange(4), None)
        each = batch.encode(Learner(ctx.expand(4, -1, -1)), torch.arange(4), None)
    torch.testing.assert_close(one, each, atol=1e-6, rtol=0)


def test_the_middle_gives_the_vector_of_the_reordered_words(encoder: OpenClipEncoder) -> None:
    tower = tower_of(encoder)
    words = tower.embed(torch.tensor(tower.tokens("a photo of red")))
    batch = PromptBatch(tower, lay_out(tower, ["dog"], 4, "middle"))
    with torch.no_grad():
        got = batch.encode(Learner(words), torch.arange(1), None).numpy()
    np.testing.assert_allclose(got, encoder.encode_texts(["a photo dog of red."]), atol=1e-5)


def test_restored_prompts_ask_for_no_gradient(native: OpenClipEncoder) -> None:
    part, _ = permuted(native)
    learner = restore(fit_prompts(part, replace(FAST, epochs=0)), tower_of(native))
    assert not any(p.requires_grad for p in learner.parameters())


@pytest.mark.parametrize("class_specific", [False, True])
def test_names_of_unequal_length_keep_their_order_and_context_in_chunks(
    encoder: OpenClipEncoder, class_specific: bool
) -> None:
    part, _ = permuted(encoder)
    names = ("red cat of photo", "dog", "red cat", "frog")
    how = PromptTraining(init="", length=3, class_specific=class_specific, epochs=0)
    prompts = fit_prompts(replace(part, class_names=names), how)
    batch = PromptBatch(tower_of(encoder), lay_out(tower_of(encoder), names, 3, "end"))
    one_by_one = [batch.encode(restore(prompts, batch.tower), torch.tensor([c]), None)[0].numpy() for c in range(4)]
    np.testing.assert_allclose(classifier(prompts, encoder, names), np.stack(one_by_one), atol=1e-5)


def test_tokens_bound_what_goes_through_the_tower_at_a_time(
    native: OpenClipEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, (part, _) = bounded_to(30, monkeypatch), permuted(native)
    classifier(fit_prompts(part, replace(FAST, epochs=1)), native, NAMES)
    assert 0 < max(sizes) <= 30
