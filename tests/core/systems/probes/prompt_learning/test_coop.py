"""CoOp: it begins as zero-shot, learns only its context, and wins where names say nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.encoders import load_encoder
from core.encoders.open_clip.encoder import OpenClipEncoder
from core.errors import InvalidInput
from core.systems.probes import make_probe
from core.systems.probes.prompt_learning.cocoop import CoCoOp
from core.systems.probes.prompt_learning.context import PromptTraining, load_prompts, save_prompts
from core.systems.probes.prompt_learning.coop import CoOp, shown_prompt
from core.systems.probes.prompt_learning.learner import classifier
from core.systems.probes.prompt_learning.training import fit_prompts
from tests.support.prompts import FAST, NAMES, accuracy, part_around, permuted


@pytest.mark.parametrize("class_specific", [False, True])
def test_zero_steps_give_zero_shot_with_the_words_as_template(encoder: OpenClipEncoder, class_specific: bool) -> None:
    part, _ = permuted(encoder)
    scored = CoOp(epochs=0, class_specific=class_specific).run(part)
    texts = encoder.encode_texts([f"a photo of a {name}." for name in NAMES])
    np.testing.assert_allclose(scored.logits, encoder.logit_scale * part.test.features @ texts.T, atol=1e-4)


def test_where_names_mislead_a_class_specific_context_wins_by_far(native: OpenClipEncoder) -> None:
    part, labels = permuted(native, spread=0.05, shots=16, validation=4)
    scored = CoOp(class_specific=True, epochs=60, lr=0.2).run(part)
    zero_shot = float((scored.controls["zero-shot"][0] == labels).mean())
    assert zero_shot < 0.1
    assert float((scored.logits.argmax(1) == labels).mean()) > zero_shot + 0.8


def test_the_parts_sum_to_the_logits_and_the_details_are_plain(native: OpenClipEncoder) -> None:
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
    assert [Path(note.split("prompts in ")[1][:-1]).name for note in notes] == ["prompts.npz", "prompts-2.npz"]


def test_a_place_that_cannot_be_written_is_refused_before_the_training_and_prompts_of_another_kind_are_not_taken(
    native: OpenClipEncoder, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    part, _ = permuted(native)
    with pytest.raises(InvalidInput, match="Cannot save"):
        CoOp(shots=1, epochs=10_000, save=str(tmp_path / "file" / "p.npz")).run(part)
    CoOp(shots=1, epochs=0, save=str(tmp_path / "p.npz")).run(part)
    with pytest.raises(InvalidInput, match="has prompts of coop, not cocoop"):
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
    with pytest.raises(InvalidInput, match=r"belong to open_clip:.* \(checkpoint another\), not to"):
        CoOp(load=str(tmp_path / "p.npz")).run(part)


def test_vectors_are_shown_around_the_name(native: OpenClipEncoder) -> None:
    part, _ = permuted(native)
    prompts = fit_prompts(part, replace(FAST, epochs=0, position="middle"))
    assert shown_prompt("dog", prompts) == "[v1] [v2] dog [v3] [v4]."


def test_names_that_lose_their_end_are_told(native: OpenClipEncoder) -> None:
    part, _ = permuted(native)
    long = replace(part, class_names=("dog " * 20, *NAMES[1:]))
    assert "The text tower's limit of 16 tokens truncated 1 of 4 class names." in CoOp(epochs=0).run(long).notes
    assert CoOp(epochs=0).run(part).notes == ()


def test_settings_are_read_from_text() -> None:
    probe = make_probe("coop", {"shots": "4", "class_specific": "yes", "epochs": "", "lr": "0.01"})
    assert (probe.shots, probe.class_specific, probe.epochs, probe.lr) == (4, True, None, 0.01)
    with pytest.raises(InvalidInput, match="position must be one of end, middle, front"):
        make_probe("coop", {"position": "left"})


@pytest.mark.slow
def test_the_embedded_encoder_begins_as_zero_shot_and_improves_on_its_shots() -> None:
    encoder = load_encoder()
    texts = encoder.encode_texts([f"a photo of a {name}." for name in NAMES])
    part, labels = part_around(encoder, texts[[1, 2, 3, 0]], shots=4, spread=0.02)
    begun = CoOp(epochs=0).run(part)
    # 2e-3 is 1e-4 of a cosine.
    np.testing.assert_allclose(begun.logits, encoder.logit_scale * part.test.features @ texts.T, atol=2e-3)
    prompts = fit_prompts(part, PromptTraining(class_specific=True, epochs=30, lr=0.5))
    assert (begun.logits.argmax(1) == labels).mean() < 0.2
    assert accuracy(part, prompts, labels) > 0.5
