"""The released layout: read, written, filled from a T5, and refused with one message where it is not it."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import Tensor

from core.encoders.weights import read_tensors
from core.errors import InvalidInput
from core.systems.common.checkpoints import write_tensors
from core.systems.vl_t5.describer import Describer
from core.systems.vl_t5.folder import named_weights, read_describer, write_describer
from core.systems.vl_t5.vision import VisionSizes
from tests.support.describers import FEATURES, some_parts, tiny_describer

GIVEN = ["vqa: what colour is the cube ?", "caption:"]
VISUAL = "encoder.visual_embedding."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_describer(tiny_describer(), tmp_path / "model")
    return tmp_path / "model"


def states(describer: Describer) -> Tensor:
    ids, seen = describer.read(GIVEN)
    return describer.model.encode(ids, seen, some_parts(2))[0].detach()


def change(folder: Path, rename: Callable[[str], str], **more: Tensor) -> None:
    tensors = {rename(name): tensor for name, tensor in read_tensors(folder / "model.safetensors").items()} | more
    write_tensors(folder / "model.safetensors", {name: t for name, t in tensors.items() if name})


def configure(folder: Path, **changed: object) -> None:
    said = json.loads((folder / "config.json").read_text("utf-8"))
    kept = {name: value for name, value in (said | changed).items() if value is not None}
    (folder / "config.json").write_text(json.dumps(kept), "utf-8")


def test_what_is_written_is_read_again_and_in_half_precision_nearly(folder: Path, tmp_path: Path) -> None:
    torch.testing.assert_close(states(read_describer(folder)), states(tiny_describer()))
    write_describer(tiny_describer(), tmp_path / "half", half=True)
    torch.testing.assert_close(
        states(read_describer(tmp_path / "half")), states(tiny_describer()), atol=0.02, rtol=0.02
    )
    halved = read_tensors(tmp_path / "half" / "model.safetensors")
    assert {tensor.dtype for tensor in halved.values()} == {torch.float16}


def test_the_keys_are_those_of_the_released_code(folder: Path) -> None:
    names = set(read_tensors(folder / "model.safetensors"))
    visual = {name.removeprefix(VISUAL) for name in names if name.startswith(VISUAL)}
    assert visual == {
        *("feat_embedding.0.weight", "feat_embedding.0.bias", "feat_embedding.1.weight"),
        *("absolute_vis_pos_embedding.0.weight", "absolute_vis_pos_embedding.0.bias"),
        *("absolute_vis_pos_embedding.1.weight", "img_order_embedding.weight"),
    }
    t5 = import_module("transformers").T5ForConditionalGeneration(tiny_describer().model.t5.config)
    copies = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"}
    assert {name for name in names if not name.startswith(VISUAL)} == set(t5.state_dict()) - copies


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_released_checkpoint_with_its_copies_and_early_names_is_read(folder: Path, prefix: str) -> None:
    words = read_tensors(folder / "model.safetensors")["shared.weight"]
    copies = {
        f"{prefix}{name}": words
        for name in (
            *("vis_encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"),
            "vis_encoder.visual_embedding.obj_order_embedding.weight",
        )
    }
    copies[f"{prefix}decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"] = torch.zeros(32, 4)
    change(
        folder, lambda name: prefix + name.replace("encoder.", "vis_encoder.", name.startswith("encoder.")), **copies
    )
    configure(folder, feat_dim=None, n_images=None, box_order=None)
    found = read_describer(folder)
    assert found.model.visual.sizes == VisionSizes(FEATURES, 2, "released")
    ours = named_weights(tiny_describer().model)
    assert all(torch.equal(tensor, ours[name]) for name, tensor in named_weights(found.model).items())


def drop(part: str) -> Callable[[Path], None]:
    return lambda folder: change(folder, lambda name: "" if part in name else name)


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def untied(folder: Path) -> None:
    words = read_tensors(folder / "model.safetensors")["shared.weight"]
    change(folder, str, **{"lm_head.weight": words + 1})


def normed_at_the_end(folder: Path) -> None:
    change(folder, str, **{f"{VISUAL}layer_norm.weight": torch.ones(16)})


def longer(folder: Path) -> None:
    words = read_tensors(folder / "model.safetensors")["shared.weight"]
    change(folder, str, **{"shared.weight": torch.cat([words, words[:5]])})


def reshaped(name: str, array: Tensor) -> Callable[[Path], None]:
    return lambda folder: change(folder, str, **{name: array})


def twice(folder: Path) -> None:
    name = f"{VISUAL}feat_embedding.0.weight"
    change(folder, str, **{f"vis_{name}": read_tensors(folder / "model.safetensors")[name] + 1})


def numbered(change_numbers: Callable[[dict[str, int]], object]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / "tokenizer.json"
        said = json.loads(path.read_text("utf-8"))
        change_numbers(said["model"]["vocab"])
        path.write_text(json.dumps(said), "utf-8")

    return spoil


def spoiled(value: float) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        name = "encoder.block.0.layer.0.SelfAttention.q.weight"
        change(folder, str, **{name: torch.full_like(read_tensors(folder / "model.safetensors")[name], value)})

    return spoil


def whole_numbers(folder: Path) -> None:
    tensors = read_tensors(folder / "model.safetensors")
    write_tensors(folder / "model.safetensors", {name: tensor.to(torch.int8) for name, tensor in tensors.items()})


SETTINGS: list[tuple[str, object, str]] = [
    ("relative_attention_num_buckets", 3_000_000_000, "at most 4,096"),
    ("relative_attention_max_distance", 8, "above 16, half of relative_attention_num_buckets"),
    ("num_decoder_layers", -1, "at least 1"),
    ("layer_norm_epsilon", float("nan"), "a finite number"),
    ("feed_forward_proj", "gated-x", "'relu'"),
    ("decoder_start_token_id", 10**9, "below vocab_size"),
    ("eos_token_id", [1, 2], "a whole number"),
    ("tie_word_embeddings", "no", "true or false"),
]


@pytest.mark.parametrize(("name", "value", "rule"), SETTINGS)
def test_a_setting_that_no_t5_can_have_is_refused_by_name(folder: Path, name: str, value: object, rule: str) -> None:
    configure(folder, **{name: value})
    with pytest.raises(InvalidInput, match=f"config.json in .*{name} must be .*{rule}.*got"):
        read_describer(folder)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (reshaped("shared.weight", torch.tensor(1.0)), "shared.weight in model.safetensors must be a table"),
        (reshaped(f"{VISUAL}feat_embedding.0.weight", torch.ones(8)), r"must be a table: got \(8,\)"),
        (reshaped(f"{VISUAL}img_order_embedding.weight", torch.tensor(1.0)), "must be a table"),
        (drop("shared.weight"), "without shared.weight"),
        (twice, "feat_embedding.0.weight twice"),
        (spoiled(torch.nan), "must hold finite.*got NaN or infinite ones"),
        (spoiled(torch.inf), "must hold finite"),
        (whole_numbers, "floating-point numbers: got int8"),
        (numbered(lambda words: words.update(dict.fromkeys(words, 5))), "the tokenizer"),
        (numbered(lambda words: words.update(red=words["blue"])), "the tokenizer must number its words"),
        (pickled, "could run any program"),
        (drop("visual_embedding"), "holds a plain T5, which does not see"),
        (drop("feat_embedding.1"), "lacks weights"),
        (
            lambda folder: change(folder, str, **{f"{VISUAL}layer_norm.weight": torch.ones(16)}),
            "has unknown weights of a VL-T5: 'encoder.visual_embedding.layer_norm.weight'",
        ),
        (untied, "lm_head.weight must equal shared.weight"),
        (longer, "the tokenizer must number its words"),
        (
            lambda folder: configure(folder, feat_dim=7),
            r"feat_embedding.0.weight .* must be of shape \(16, 7\): got \(16, 6\)",
        ),
        (lambda folder: configure(folder, box_order="mine"), "box_order must be 'paper' or 'released'"),
        (lambda folder: configure(folder, model_type="bart"), "'bart'"),
        (lambda folder: configure(folder, d_model=32), "of a VL-T5 must be of shape"),
        (lambda folder: configure(folder, d_ff=10**9), "must be of shape"),
        (lambda folder: configure(folder, d_kv=10**9), "must be of shape"),
        (lambda folder: configure(folder, num_layers=150), "lacks weights of a VL-T5: .*encoder.block"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "no tokenizer"),
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
    ],
)
def test_what_is_no_such_model_is_refused_with_one_message(
    folder: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(folder)
    with pytest.raises(InvalidInput, match=said):
        read_describer(folder)
