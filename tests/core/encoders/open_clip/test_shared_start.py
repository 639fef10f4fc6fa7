"""Texts that begin alike go through a causal tower as if each went alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.encoders.open_clip.encoder import OpenClipEncoder
from core.encoders.open_clip.prompt_tower import OpenClipTower
from core.systems.probes.prompt_learning.context import PromptTraining, lay_out
from core.systems.probes.prompt_learning.learner import Learner, PromptBatch, common_start, meta_network, tower_of
from core.systems.probes.prompt_learning.training import fit_prompts, prompt_loss
from tests.support.prompts import FAST, NAMES, permuted
from tests.support.tiny_clip import TWO, write_custom, write_hugging_face, write_model

SHARING: dict[str, Any] = {
    "native": lambda folder: write_model(folder, TWO),
    "quick gelu": lambda folder: write_model(folder, {**TWO, "quick_gelu": True}),
    "layer scale": lambda folder: write_model(folder, {**TWO, "text_cfg": {**TWO["text_cfg"], "ls_init_value": 0.1}}),
    "custom": lambda folder: write_custom(folder, context_length=20),
}
ALONE: dict[str, Any] = {
    "no mask": lambda folder: write_custom(folder, no_causal_mask=True),
    "hugging face": lambda folder: write_hugging_face(folder, context_length=12),
    "other blocks": lambda folder: write_custom(folder, block_type="custom", qk_norm=True),
}


def _tower(write: Any, folder: Path) -> Any:
    return tower_of(OpenClipEncoder(f"local-dir:{write(folder / 'model')}"))


@pytest.mark.parametrize("kind", list(SHARING))
def test_vectors_and_gradients_are_those_of_whole_texts(kind: str, tmp_path: Path) -> None:
    tower = _tower(SHARING[kind], tmp_path)
    assert tower.shares_starts
    rng = torch.Generator().manual_seed(0)
    before, after = tower.marks()
    rows = [[*before, *tower.tokens(f"a photo of {end}"), *after] for end in ("a red dog.", "frog", "a cat.")]
    ids = torch.from_numpy(tower.padded(rows))
    of = torch.tensor([0, 1, 1])
    start = torch.randn(2, 4, tower.words().shape[1], generator=rng) * 0.05
    rest = tower.embed(ids)[:, 4:].clone()
    found, grads = [], []
    for alone in (True, False):
        given = [start.clone().requires_grad_(), rest.clone().requires_grad_()]
        if alone:
            vectors = tower.encode(torch.cat([given[0][of], given[1]], 1), ids)
        else:
            vectors = tower.encode_behind(*given, of, ids)
        (vectors * torch.randn(vectors.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
        found.append(vectors.detach())
        grads.append([one.grad for one in given])
    torch.testing.assert_close(found[1], found[0], atol=1e-5, rtol=0)
    for a, b in zip(grads[1], grads[0]):
        assert float((a - b).norm() / b.norm()) < 1e-5
    assert float((found[0][1] - found[0][2]).abs().max()) > 1e-3


@pytest.mark.parametrize("kind", list(ALONE))
def test_towers_that_see_what_follows_or_are_of_other_blocks_take_whole_texts(kind: str, tmp_path: Path) -> None:
    tower = _tower(ALONE[kind], tmp_path)
    assert not tower.shares_starts
    assert PromptBatch(tower, lay_out(tower, NAMES, 2, "end")).n_shared == 0


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> OpenClipEncoder:
    return OpenClipEncoder(f"local-dir:{write_model(tmp_path_factory.mktemp('clip') / 'model', TWO)}")


def test_prompts_begin_alike_up_to_the_first_place_that_differs(encoder: OpenClipEncoder) -> None:
    tower = tower_of(encoder)
    found = {p: common_start(lay_out(tower, ["dog", "red cat"], 4, p)) for p in ("end", "middle", "front")}
    assert found == {"end": 5, "middle": 3, "front": 1}  # the mark at the beginning is one
    assert common_start(lay_out(tower, ["red dog", "red cat"], 4, "end")) == 6
    assert common_start(lay_out(tower, ["dog"], 4, "end")) == 0
    word = tower.spelled(tower.placeholder)
    assert common_start(lay_out(tower, [f"{word} dog", "dog"], 4, "front")) == 1  # a word there, a learned vector here
    same = lay_out(tower, ["dog", "dog"], 4, "end")
    assert common_start(same) == same.ids.shape[1] - 1


@pytest.mark.parametrize("position", ["end", "middle", "front"])
@pytest.mark.parametrize("images", [0, 3])
def test_a_step_has_the_same_loss_and_gradients_with_starts_shared(
    images: int, position: Any, encoder: OpenClipEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    tower = tower_of(encoder)
    starts = list[int]()
    true = OpenClipTower.encode_behind

    def noted(self: OpenClipTower, start: torch.Tensor, *more: torch.Tensor) -> torch.Tensor:
        starts.append(len(start))
        return true(self, start, *more)

    monkeypatch.setattr(OpenClipTower, "encode_behind", noted)
    rng = torch.Generator().manual_seed(0)
    features = torch.nn.functional.normalize(torch.randn(3, 16, generator=rng), dim=1)
    width = tower.words().shape[1]
    ctx, meta = torch.randn(4, width, generator=rng) * 0.05, meta_network(16, width, rng) if images else None
    if meta is not None:
        torch.nn.init.constant_(next(p for name, p in meta.named_parameters() if name == "0.bias"), 2.0)  # awake
    losses, grads = [], []
    for shared in (True, False):
        learner, batch = Learner(ctx, meta), PromptBatch(tower, lay_out(tower, NAMES, 4, position))
        assert batch.n_shared > 0
        batch.n_shared = batch.n_shared if shared else 0
        learner.zero_grad()
        loss = prompt_loss(batch, learner, features, torch.tensor([0, 1, 2]), 20.0)
        loss.backward()
        losses.append(float(loss.detach()))
        grads.append([p.grad.clone() for p in learner.parameters() if p.grad is not None])
    assert starts[-1:] == [max(1, images)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert len(grads[0]) == (5 if images else 1)
    for a, b in zip(*grads):
        assert float((a - b).norm()) < 1e-4 * float(b.norm())


@pytest.mark.parametrize("kind", ["coop", "cocoop"])
def test_a_training_ends_at_the_same_context(
    kind: Any, encoder: OpenClipEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, _ = permuted(encoder, validation=2)
    how = (
        replace(FAST, kind=kind, epochs=3) if kind == "coop" else PromptTraining(kind=kind, epochs=1, batch=3, lr=0.01)
    )
    shared = fit_prompts(part, how)
    monkeypatch.setattr(OpenClipTower, "shares_starts", False)
    alone = fit_prompts(part, how)
    np.testing.assert_allclose(shared.ctx, alone.ctx, atol=1e-5)
    assert (
        np.abs(shared.ctx - tower_of(encoder).embed(torch.tensor(tower_of(encoder).tokens(how.init))).numpy()).max()
        > 1e-4
    )
    assert [e.validation_loss for e in shared.curve] == pytest.approx(
        [e.validation_loss for e in alone.curve], rel=1e-5
    )
