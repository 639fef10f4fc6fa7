"""CoCoOp: equal to the loop one image at a time, CoOp without its network, and of bounded memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from core.encoders.open_clip.encoder import OpenClipEncoder
from core.encoders.prompts import PromptTower
from core.errors import InvalidInput
from core.records import F64
from core.systems.probes import make_probe
from core.systems.probes.prompt_learning import learner as prompt_learner
from core.systems.probes.prompt_learning.cocoop import CoCoOp
from core.systems.probes.prompt_learning.context import PromptTraining, lay_out, load_prompts
from core.systems.probes.prompt_learning.learner import Learner, PromptBatch, classifier, prompt_logits, tower_of
from core.systems.probes.prompt_learning.training import epochs_of, fit_prompts, lr_of, prompt_loss, start
from tests.support.prompts import NAMES, bounded_to, permuted
from tests.support.tiny_clip import write_custom, write_hugging_face, write_native

HOW = PromptTraining("cocoop", epochs=3, lr=0.1, batch=8)
WRITERS = {
    "native": write_native,
    "siglip": lambda folder: write_custom(folder, no_causal_mask=True, pool_type="last", proj_bias=True),
    "hugging face": lambda folder: write_hugging_face(folder, context_length=16),
}


@pytest.fixture(scope="module", params=list(WRITERS))
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> OpenClipEncoder:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    WRITERS[request.param](folder)
    return OpenClipEncoder(f"local-dir:{folder}")


def loop(tower: PromptTower, learner: Learner, image: torch.Tensor, scale: float) -> torch.Tensor:
    """(k,) logits of one image, written from the formula: [marks] v_i + pi(x) [name] . [marks], class by class."""
    assert learner.meta is not None
    first, _, last = learner.meta
    assert isinstance(first, torch.nn.Linear)
    assert isinstance(last, torch.nn.Linear)
    bias = last.weight @ torch.relu(first.weight @ image + first.bias) + last.bias
    before, after = tower.marks()
    found: list[torch.Tensor] = []
    for name in NAMES:
        own = tower.tokens(f"{name}.")
        ids = torch.tensor(tower.padded([[*before, *[tower.placeholder] * 4, *own, *after]]))
        plain = tower.embed(ids)[0]
        at = len(before)
        embeds = torch.cat([plain[:at], learner.ctx + bias, plain[at + 4 :]])
        found.append(scale * image @ tower.encode(embeds[None], ids)[0])
    return torch.stack(found)


def learner_and_batch(encoder: OpenClipEncoder) -> tuple[PromptTower, Learner, PromptBatch]:
    tower = tower_of(encoder)
    return tower, start(tower, HOW, 4, 16, 0), PromptBatch(tower, lay_out(tower, NAMES, 4, "end"))


@pytest.mark.parametrize("chunk", [1, 3, 8, 1000])
def test_scores_equal_the_loop_one_image_at_a_time(encoder: OpenClipEncoder, chunk: int) -> None:
    tower, learner, batch = learner_and_batch(encoder)
    part, _ = permuted(encoder, test=2)
    rows = torch.from_numpy(part.test.features)
    batch.chunk = chunk
    with torch.no_grad():
        slow = torch.stack([loop(tower, learner, row, 1.0) for row in rows])
    torch.testing.assert_close(batch.scores(learner, rows, 1.0), slow, atol=1e-5, rtol=0)


@pytest.mark.parametrize("chunk", [3, 8, 1000])
def test_a_step_has_the_loss_and_the_gradients_of_the_loop(encoder: OpenClipEncoder, chunk: int) -> None:
    tower, learner, batch = learner_and_batch(encoder)
    part, _ = permuted(encoder, shots=2)
    assert part.shots is not None
    assert part.shots.labels is not None
    rows, labels = torch.from_numpy(part.shots.features), torch.from_numpy(part.shots.labels)
    slow = cross_entropy(torch.stack([loop(tower, learner, row, 10.0) for row in rows]), labels)
    slow.backward()
    expected = [p.grad.clone() for p in learner.parameters() if p.grad is not None]
    learner.zero_grad()
    batch.chunk = chunk
    loss = prompt_loss(batch, learner, rows, labels, 10.0)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(float(slow.detach()), abs=1e-5)
    assert len(expected) == 5
    for parameter, gradient in zip(learner.parameters(), expected, strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-5, rtol=1e-4)


def test_a_network_whose_last_layer_is_zero_is_coop(encoder: OpenClipEncoder) -> None:
    part, _ = permuted(encoder)
    trained = fit_prompts(part, HOW)
    zeroed = {name: array * (not name.startswith("2.")) for name, array in trained.meta.items()}
    without = replace(trained, meta=zeroed)
    plain = replace(trained, kind="coop", meta={})
    np.testing.assert_allclose(
        prompt_logits(without, encoder, part.test.features, NAMES),
        prompt_logits(plain, encoder, part.test.features, NAMES),
        atol=1e-4,
    )
    moved: F64 = prompt_logits(trained, encoder, part.test.features, NAMES)
    assert np.abs(moved - prompt_logits(plain, encoder, part.test.features, NAMES)).max() > 1e-3


def test_context_and_network_are_trained_and_nothing_else(encoder: OpenClipEncoder) -> None:
    part, _ = permuted(encoder)
    before = {name: tensor.clone() for name, tensor in encoder._model.state_dict().items()}
    began = start(tower_of(encoder), HOW, 4, 16, 0)
    trained = fit_prompts(part, HOW)
    assert all(torch.equal(before[name], tensor) for name, tensor in encoder._model.state_dict().items())
    assert not any(p.requires_grad for p in encoder._model.parameters())
    assert set(trained.meta) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    assert np.abs(trained.ctx - began.ctx.detach().numpy()).max() > 0
    assert began.meta is not None
    assert all(np.abs(trained.meta[name] - p.detach().numpy()).max() > 0 for name, p in began.meta.named_parameters())


def test_the_network_is_as_narrow_as_in_the_paper() -> None:
    sizes = [p.numel() for p in prompt_learner.meta_network(512, 512).parameters()]
    assert sizes == [512 * 32, 32, 32 * 512, 512]


@pytest.mark.slow
def test_where_names_mislead_it_wins_over_zero_shot(native: OpenClipEncoder) -> None:
    """Its shift is linear in an image, and one context must serve all classes, so that the names' order can only be
    bent."""
    part, labels = permuted(native, spread=0.05, shots=8)
    scored = CoCoOp(epochs=20, lr=0.2, validate=False).run(part)
    gain = (scored.logits.argmax(1) == labels).mean() - (scored.controls["zero-shot"][0] == labels).mean()
    assert gain > 0.3


def test_saved_prompts_score_as_trained(native: OpenClipEncoder, tmp_path: Path) -> None:
    part, _ = permuted(native, validation=2)
    file = tmp_path / "p.npz"
    trained = CoCoOp(epochs=2, lr=0.1, save=str(file)).run(part)
    np.testing.assert_array_equal(CoCoOp(load=str(file)).run(replace(part, shots=None)).logits, trained.logits)
    assert prompt_logits(load_prompts(file), native, part.test.features[:3], ["frog", "ship"]).shape == (3, 2)


def test_prompts_of_the_other_kind_are_refused(native: OpenClipEncoder) -> None:
    part, _ = permuted(native)
    one = fit_prompts(part, replace(HOW, epochs=0))
    with pytest.raises(InvalidInput, match="CoCoOp has a vector for each image and class"):
        classifier(one, native, NAMES)


def test_tokens_bound_what_goes_through_the_tower_at_a_time(
    native: OpenClipEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, _ = permuted(native, validation=2)
    unbounded, sizes = fit_prompts(part, replace(HOW, epochs=1)), bounded_to(30, monkeypatch)
    bounded = fit_prompts(part, replace(HOW, epochs=1))
    assert 0 < max(sizes) <= 30
    np.testing.assert_allclose(bounded.ctx, unbounded.ctx, atol=1e-6)
    for name, weights in unbounded.meta.items():
        np.testing.assert_allclose(bounded.meta[name], weights, atol=1e-6)


def test_scoring_reports_its_progress(native: OpenClipEncoder) -> None:
    said: list[tuple[str, int, int]] = []
    part, _ = permuted(native)
    prompt_logits(
        fit_prompts(part, replace(HOW, epochs=0)),
        native,
        part.test.features,
        NAMES,
        progress=lambda *at: said.append(at),
    )
    assert said[-1] == ("Scoring images", 80, 80)


def test_it_learns_as_in_the_paper_unless_told_otherwise(native: OpenClipEncoder) -> None:
    """One image a step, ten epochs, a step size of 0.002: in batches of 8 it learned worse at each of the seeds."""
    probe, tower = CoCoOp(), tower_of(native)
    how = PromptTraining("cocoop", init=probe.init, batch=probe.batch, lr=probe.lr, epochs=probe.epochs)
    assert (probe.batch, epochs_of(how, 16, tower), lr_of(how, tower)) == (1, 10, 0.002)
    part, _ = permuted(native)
    assert part.shots is not None
    training = CoCoOp(epochs=1, validate=False).run(part).details["training"]
    assert (training["batch"], training["lr"], training["steps"]) == (1, 0.002, len(part.shots))


def test_a_run_at_ten_classes_is_estimated_longer_than_coop() -> None:
    coop, cocoop = make_probe("coop"), make_probe("cocoop")
    assert cocoop.estimate(1000, 10, 2) > 2 * coop.estimate(1000, 10, 2)
    assert cocoop.estimate(10_000, 100, 2) > 10 * cocoop.estimate(1000, 10, 2)
