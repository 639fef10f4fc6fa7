"""CoOp: it begins as zero-shot, learns only its context, and wins where names say nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.encoders import load_encoder
from core.encoders.open_clip.encoder import OpenClipEncoder
from core.errors import Cancelled, InvalidInput
from core.probes import make_probe
from core.probes.base import ProbeInput
from core.probes.prompt_learning import learner as prompt_learner
from core.probes.prompt_learning.cocoop import CoCoOp
from core.probes.prompt_learning.context import Prompts, PromptTraining, lay_out, load_prompts, save_prompts
from core.probes.prompt_learning.coop import CoOp, shown_prompt
from core.probes.prompt_learning.learner import Frame, Learner, classifier, prompt_logits, restore, tower_of
from core.probes.prompt_learning.training import backward, epochs_of, fit_prompts, lr_of, rate, start
from core.records import I64
from tests.support.prompts import NAMES, part_around
from tests.support.tiny_clip import write_hugging_face, write_native

FAST = PromptTraining(epochs=20, lr=0.05, batch=8)


@pytest.fixture(scope="module", params=["native", "hugging face"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> OpenClipEncoder:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    if request.param == "native":
        write_native(folder)
    else:
        write_hugging_face(folder, context_length=16)
    return OpenClipEncoder(f"local-dir:{folder}")


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> OpenClipEncoder:
    return OpenClipEncoder(f"local-dir:{write_native(tmp_path_factory.mktemp('models') / 'native')}")


def permuted(encoder: OpenClipEncoder, seed: int = 0, **more: object) -> tuple[ProbeInput, I64]:
    """Images around the text vectors of the wrong names: zero-shot must fail on every class, and the shots show it."""
    centres = encoder.encode_texts([f"a photo of a {name}." for name in NAMES])
    return part_around(encoder, centres[[1, 2, 3, 0]], seed=seed, **more)  # type: ignore[arg-type]


def accuracy(part: ProbeInput, prompts: Prompts, labels: I64) -> float:
    return float(
        (prompt_logits(prompts, part.encoder, part.test.features, part.class_names).argmax(1) == labels).mean()
    )


@pytest.mark.parametrize("class_specific", [False, True])
def test_zero_steps_give_zero_shot_with_the_words_as_template(encoder: OpenClipEncoder, class_specific: bool) -> None:
    part, _ = permuted(encoder)
    scored = CoOp(epochs=0, class_specific=class_specific).run(part)
    texts = encoder.encode_texts([f"a photo of a {name}." for name in NAMES])
    np.testing.assert_allclose(scored.logits, encoder.logit_scale * part.test.features @ texts.T, atol=1e-4)


@pytest.mark.parametrize("position", ["end", "middle", "front"])
def test_a_class_specific_context_of_equal_copies_is_the_unified_one(encoder: OpenClipEncoder, position: str) -> None:
    tower = tower_of(encoder)
    ctx = torch.randn(2, tower.words().shape[1], generator=torch.Generator().manual_seed(0))
    frame = Frame(tower, lay_out(tower, NAMES, 2, position))  # type: ignore[arg-type]
    with torch.no_grad():
        one = frame.encode(Learner(ctx), torch.arange(4), None)
        each = frame.encode(Learner(ctx.expand(4, -1, -1)), torch.arange(4), None)
    torch.testing.assert_close(one, each, atol=1e-6, rtol=0)


def test_the_middle_gives_the_vector_of_the_reordered_words(encoder: OpenClipEncoder) -> None:
    tower = tower_of(encoder)
    words = tower.embed(torch.tensor(tower.tokens("a photo of red")))
    frame = Frame(tower, lay_out(tower, ["dog"], 4, "middle"))
    with torch.no_grad():
        got = frame.encode(Learner(words), torch.arange(1), None).numpy()
    np.testing.assert_allclose(got, encoder.encode_texts(["a photo dog of red."]), atol=1e-5)


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


def test_where_names_mislead_a_class_specific_context_wins_by_far(native: OpenClipEncoder) -> None:
    part, labels = permuted(native, spread=0.05, shots=16, validation=4)
    scored = CoOp(class_specific=True, epochs=60, lr=0.2).run(part)
    zero_shot = float((scored.controls["zero-shot"][0] == labels).mean())
    assert zero_shot < 0.1
    assert float((scored.logits.argmax(1) == labels).mean()) > zero_shot + 0.8


def test_labels_without_a_pattern_teach_nothing_that_holds(native: OpenClipEncoder) -> None:
    part, labels = permuted(native, spread=0.05, shots=16, validation=4)
    assert part.shots is not None
    assert part.shots.labels is not None
    shuffled = replace(part.shots, labels=np.random.default_rng(0).permutation(part.shots.labels))
    prompts = fit_prompts(
        replace(part, shots=shuffled, validation=None), PromptTraining(class_specific=True, epochs=60, lr=0.2)
    )
    assert accuracy(part, prompts, labels) < 0.6


def test_the_parts_sum_to_the_logits_and_the_details_are_plain(native: OpenClipEncoder) -> None:
    import json

    part, _ = permuted(native, validation=2)
    scored = CoOp(epochs=3, lr=0.05).run(part)
    np.testing.assert_allclose(sum(scored.parts.values()), scored.logits, atol=1e-9)
    details = json.loads(json.dumps(scored.details))
    assert [row["epoch"] for row in details["curve"]] == [0, 1, 2, 3]
    assert details["curve"][0]["training loss"] is None
    assert len(details["nearest words"]) == 4
    assert all(len(row["by cosine"]) == len(row["by distance"]) == 5 for row in details["nearest words"])
    assert len(details["training"]["first_two_steps"]) == 2
    assert scored.choices[0].how == "validation"
    assert scored.support_source == "16 shots a class"


def test_an_untrained_context_is_nearest_to_its_own_words(native: OpenClipEncoder) -> None:
    part, _ = permuted(native)
    rows = CoOp(epochs=0).run(part).details["nearest words"]
    for kind in ("by cosine", "by distance"):
        assert [row[kind][0][0] for row in rows] == ["a", "photo", "of", "a"]


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
    contrary = replace(
        part.validation, features=texts[part.validation.labels]
    )  # images that zero-shot knows, and the shots deny
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
    frame = Frame(tower, lay_out(tower, NAMES, 4, "end"))
    at_once, chunked = start(tower, FAST, 4, 16, 0), start(tower, FAST, 4, 16, 0)
    loss = backward(frame, at_once, rows, labels, 10.0)
    frame.chunk = chunk
    assert backward(frame, chunked, rows, labels, 10.0) == pytest.approx(loss, abs=1e-5)
    assert at_once.ctx.grad is not None
    assert chunked.ctx.grad is not None
    torch.testing.assert_close(at_once.ctx.grad, chunked.ctx.grad, atol=1e-5, rtol=1e-4)


def test_the_step_size_warms_up_for_one_epoch_and_falls_like_a_cosine() -> None:
    assert rate(0, 50, 0.002) == 1e-5
    assert rate(1, 50, 0.002) == 0.002
    assert rate(26, 50, 0.002) == pytest.approx(0.001)
    assert rate(49, 50, 0.002) == pytest.approx(0.001 * (1 + math.cos(math.pi * 48 / 50)))


def test_epochs_are_the_papers_on_a_clip(native: OpenClipEncoder) -> None:
    tower = tower_of(native)
    assert [epochs_of(PromptTraining(), shots, tower) for shots in (16, 8, 4, 2, 1)] == [200, 200, 100, 100, 50]
    assert epochs_of(PromptTraining("cocoop"), 16, tower) == 10
    assert lr_of(PromptTraining(), tower) == lr_of(PromptTraining("cocoop", batch=1), tower) == 0.002
    assert lr_of(PromptTraining("cocoop", batch=8), tower) == 0.016


def test_saved_prompts_score_as_trained_and_serve_other_names(native: OpenClipEncoder, tmp_path: Path) -> None:
    part, _ = permuted(native)
    file = tmp_path / "prompts.npz"
    trained = CoOp(epochs=3, lr=0.05, save=str(file)).run(part)
    loaded = CoOp(load=str(file)).run(replace(part, shots=None))
    np.testing.assert_array_equal(trained.logits, loaded.logits)
    assert loaded.choices[0].how == "given"
    assert CoOp(load=str(file)).needs().shots == 0
    assert classifier(load_prompts(file), native, ["frog", "ship"]).shape == (2, 16)


def test_a_file_that_is_there_is_never_written_over(native: OpenClipEncoder, tmp_path: Path) -> None:
    part, _ = permuted(native)
    notes = [CoOp(epochs=0, save=str(tmp_path / "prompts")).run(part).notes[0] for _ in range(2)]
    assert [Path(note.split("saved in ")[1][:-1]).name for note in notes] == ["prompts.npz", "prompts-2.npz"]


def test_a_place_that_cannot_be_written_is_refused_before_the_training_and_prompts_of_another_kind_are_not_taken(
    native: OpenClipEncoder, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    part, _ = permuted(native)
    with pytest.raises(InvalidInput, match="cannot be saved"):
        CoOp(shots=1, epochs=10_000, save=str(tmp_path / "file" / "p.npz")).run(part)
    CoOp(shots=1, epochs=0, save=str(tmp_path / "p.npz")).run(part)
    with pytest.raises(InvalidInput, match="holds prompts of coop, and this is cocoop"):
        CoCoOp(load=str(tmp_path / "p.npz")).run(part)


def test_loaded_prompts_say_how_many_scored_images_taught_them(native: OpenClipEncoder, tmp_path: Path) -> None:
    part, _ = permuted(native)
    assert part.shots is not None
    save_prompts(fit_prompts(part, replace(FAST, epochs=0)), tmp_path / "p.npz")
    seen = replace(part, test=replace(part.shots, labels=None))
    assert any(
        note.startswith("32 of the 32 scored images were in the training of these prompts")
        for note in CoOp(load=str(tmp_path / "p.npz")).run(seen).notes
    )


def test_prompts_of_another_checkpoint_are_refused(native: OpenClipEncoder, tmp_path: Path) -> None:
    part, _ = permuted(native)
    prompts = replace(fit_prompts(part, replace(FAST, epochs=0)), fingerprint="another")
    save_prompts(prompts, tmp_path / "p.npz")
    with pytest.raises(InvalidInput, match="mean nothing to"):
        CoOp(load=str(tmp_path / "p.npz")).run(part)


def test_restored_prompts_ask_for_no_gradient(native: OpenClipEncoder) -> None:
    part, _ = permuted(native)
    learner = restore(fit_prompts(part, replace(FAST, epochs=0)), tower_of(native))
    assert not any(p.requires_grad for p in learner.parameters())


def test_no_shots_and_a_step_size_past_all_bounds_are_refused(native: OpenClipEncoder) -> None:
    part, _ = permuted(native)
    with pytest.raises(InvalidInput, match="CoOp learns from labelled images and got none"):
        fit_prompts(replace(part, shots=None), FAST)
    with pytest.raises(InvalidInput, match="no number any more at a step size"):
        fit_prompts(part, replace(FAST, lr=1e38, epochs=5))


def test_it_can_be_cancelled_at_any_step(native: OpenClipEncoder) -> None:
    calls: list[int] = []

    def stop(step: str, done: int, total: int) -> None:
        assert (step, total) == ("learn prompts", 80)
        calls.append(done)
        if done == 3:
            raise Cancelled("stopped")

    part, _ = permuted(native, progress=stop)
    with pytest.raises(Cancelled):
        fit_prompts(part, FAST)
    assert calls == [0, 1, 2, 3]


def test_vectors_are_shown_around_the_name(native: OpenClipEncoder) -> None:
    part, _ = permuted(native)
    prompts = fit_prompts(part, replace(FAST, epochs=0, position="middle"))
    assert shown_prompt("dog", prompts) == "[v1] [v2] dog [v3] [v4]."


def test_names_that_lose_their_end_are_told(native: OpenClipEncoder) -> None:
    part, _ = permuted(native)
    long = replace(part, class_names=("dog " * 20, *NAMES[1:]))
    assert (
        "1 of the 4 class names lost their end to the text tower's limit of 16 tokens."
        in CoOp(epochs=0).run(long).notes
    )
    assert CoOp(epochs=0).run(part).notes == ()


def test_settings_are_read_from_text() -> None:
    probe = make_probe("coop", {"shots": "4", "class_specific": "yes", "epochs": "", "lr": "0.01"})
    assert (probe.shots, probe.class_specific, probe.epochs, probe.lr) == (4, True, None, 0.01)
    with pytest.raises(InvalidInput, match="position must be one of end, middle, front"):
        make_probe("coop", {"position": "left"})


@pytest.mark.parametrize("class_specific", [False, True])
def test_names_of_unequal_length_keep_their_order_and_context_in_chunks(
    encoder: OpenClipEncoder, class_specific: bool
) -> None:
    part, _ = permuted(encoder)
    names = ("red cat of photo", "dog", "red cat", "frog")
    how = PromptTraining(init="", length=3, class_specific=class_specific, epochs=0)
    prompts = fit_prompts(replace(part, class_names=names), how)
    frame = Frame(tower_of(encoder), lay_out(tower_of(encoder), names, 3, "end"))
    one_by_one = [frame.encode(restore(prompts, frame.tower), torch.tensor([c]), None)[0].numpy() for c in range(4)]
    np.testing.assert_allclose(classifier(prompts, encoder, names), np.stack(one_by_one), atol=1e-5)


@pytest.mark.slow
def test_the_embedded_encoder_begins_as_zero_shot_and_improves_on_its_shots() -> None:
    encoder = load_encoder()
    texts = encoder.encode_texts([f"a photo of a {name}." for name in NAMES])
    part, labels = part_around(encoder, texts[[1, 2, 3, 0]], shots=4, spread=0.02)
    begun = CoOp(epochs=0).run(part)
    np.testing.assert_allclose(
        begun.logits, encoder.logit_scale * part.test.features @ texts.T, atol=2e-3
    )  # 1e-4 of a cosine
    prompts = fit_prompts(part, PromptTraining(class_specific=True, epochs=30, lr=0.5))
    assert (begun.logits.argmax(1) == labels).mean() < 0.2
    assert accuracy(part, prompts, labels) > 0.5


def test_tokens_bound_what_goes_through_the_tower_at_a_time(
    native: OpenClipEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_learner, "TOKENS", 30)
    part, _ = permuted(native)
    prompts, sizes = fit_prompts(part, replace(FAST, epochs=1)), []
    true = prompt_learner.Frame.encode

    def noted(self: Frame, learner: Learner, classes: torch.Tensor, shift: torch.Tensor | None) -> torch.Tensor:
        sizes.append(len(classes) * self.ids.shape[1])
        return true(self, learner, classes, shift)

    monkeypatch.setattr(prompt_learner.Frame, "encode", noted)
    fit_prompts(part, replace(FAST, epochs=1))
    classifier(prompts, native, NAMES)
    assert 0 < max(sizes) <= 30
