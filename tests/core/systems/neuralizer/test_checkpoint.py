"""Checkpoints of the released code, and ours, become the network that they are of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.errors import InvalidInput
from core.systems.neuralizer.encoder import NeuralizerEncoder
from core.systems.neuralizer.network import NetworkSizes, Neuralizer
from core.systems.neuralizer.use import treat
from core.systems.neuralizer.weights import CARD, PREFIX, centre_of, network_of, read_network, side_of, write_network
from tests.core.systems.neuralizer.test_network import begun, given

RELEASED = {
    "net.target_embedding.weight",
    "net.context_embedding.module.weight",
    "net.enc_blocks.0.context_conv.module.layers.0.weight",
    "net.enc_blocks.2.context_conv.module.layers.2.bias",
    "net.dec_blocks.1.target_conv.layers.2.weight",
    "net.enc_blocks.0.combine_conv_target.module.weight",
    "net.dec_blocks.0.combine_conv_context.module.bias",
    "net.upsample_blocks.1.context_conv_layer.module.weight",
    "net.upsample_blocks.0.target_conv_layer.weight",
    "net.output_block.block.0.layers.0.weight",
    "net.output_block.block.1.bias",
}


def test_a_lightning_checkpoint_gives_the_network_that_was_saved(tmp_path: Path) -> None:
    network = begun(NetworkSizes(3, 4, 3, 3))
    names = {f"{PREFIX}{name}": tensor for name, tensor in network.state_dict().items()}
    assert names.keys() >= RELEASED
    said = {"nb_levels": 3, "nb_inner_channels": [4], "nb_conv_layers_per_stage": 2, "data_slice_only": True}
    other = {"activation.dummy_param": torch.zeros(0)}
    torch.save({"epoch": 3, "state_dict": names | other, "hyper_parameters": said}, tmp_path / "model_weights.ckpt")
    found, card = read_network(tmp_path / "model_weights.ckpt")
    assert (found.sizes, card) == (network.sizes, {})
    before, after, target = (x.expand(*x.shape[:-3], 3, 16, 16) for x in given(2))
    assert torch.equal(found(before, after, target), network(before, after, target))


def test_three_channels_are_used_as_the_authors_do(tmp_path: Path) -> None:
    network = begun(NetworkSizes(3, 4, 3, 3))
    before, after, target = given(2, 1)
    wide = [torch.cat([x, torch.zeros_like(x), torch.zeros_like(x)], -3) for x in (before, after, target)]
    wanted = network(*wide)[:, 0].sigmoid().detach().numpy()
    found = treat(network, before[0, :, 0].numpy(), after[0, :, 0].numpy(), target[:, 0].numpy(), mask=True)
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_what_is_written_comes_back_with_its_card(tmp_path: Path) -> None:
    network = begun()
    write_network(network, tmp_path, {"what": "a test"})
    found, card = read_network(tmp_path)
    assert card["what"] == "a test"
    assert len(card["sha256"]) == 64
    assert torch.equal(found(*given(2)), network(*given(2)))


def test_a_card_of_other_weights_is_refused_and_one_that_does_not_say_of_which_is_not(tmp_path: Path) -> None:
    write_network(begun(), tmp_path, {"what": "a test"})
    said = json.loads((tmp_path / CARD).read_text("utf-8"))
    (tmp_path / CARD).write_text(json.dumps({**said, "sha256": "0" * 64}), "utf-8")
    with pytest.raises(InvalidInput, match=r"neuralizer\.json in .* belongs to other weights"):
        read_network(tmp_path)
    (tmp_path / CARD).write_text(json.dumps({"what": "a test"}), "utf-8")
    assert read_network(tmp_path)[1] == {"what": "a test"}


def test_weights_mean_scale_and_side_each_make_another_fingerprint(tmp_path: Path) -> None:
    n = len(begun_encoder(tmp_path).mean)
    plain = {"mean": [0.0] * n, "scale": [1.0] * n}
    cards = [{"features": plain, "side": 16}, {"features": plain, "side": 32}]
    cards += [{"features": {**plain, name: [0.5] * n}, "side": 16} for name in plain]
    made = {begun_encoder(tmp_path, card).finding_space for card in cards}
    assert len(made) == len(cards)
    assert begun_encoder(tmp_path, cards[0]).finding_space in made


def begun_encoder(folder: Path, card: dict[str, Any] | None = None) -> NeuralizerEncoder:
    write_network(begun(), folder, card or {"side": 16})
    return NeuralizerEncoder(str(folder))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda t: t.pop("target_embedding.weight"), "is not a Neuralizer of slices"),
        (lambda t: t.pop("dec_blocks.0.target_conv.layers.0.bias"), "lacks weights of a Neuralizer .*: 'dec_blocks.0"),
        (lambda t: t.update(head=torch.zeros(1)), "has unknown weights of a Neuralizer in two dimensions: 'head'"),
        (lambda t: t.update({"context_embedding.module.bias": torch.zeros(9)}), "must be of shape"),
        (lambda t: t["context_embedding.module.bias"].fill_(float("nan")), "must hold finite"),
    ],
)
def test_weights_of_something_else_are_refused(spoil: Any, said: str, tmp_path: Path) -> None:
    tensors = {name: tensor.clone() for name, tensor in begun().state_dict().items()}
    spoil(tensors)
    save_file(tensors, tmp_path / "w.safetensors")
    with pytest.raises(InvalidInput, match=said):
        read_network(tmp_path / "w.safetensors")


@pytest.mark.parametrize("side", [0, -1, 7, 257, 10**9, "64", [64], 64.5, True, float("nan")])
def test_a_card_whose_side_is_none_is_refused(side: Any) -> None:
    with pytest.raises(InvalidInput, match=r"neuralizer.json: side must be a whole number"):
        side_of({"side": side}, begun())


def test_a_card_without_a_side_means_what_the_network_can_see() -> None:
    assert side_of({}, begun()) == side_of({"side": None}, begun()) == 64
    assert side_of({}, Neuralizer(NetworkSizes(7, 2))) == 128
    assert side_of({"side": 63}, begun()) == 63


@pytest.mark.parametrize("mean", [0.0, [0.0], [0.0] * 23, "0", None, [[0.0] * 24], [None] * 24, [1e300] * 24])
def test_a_mean_of_other_features_is_refused(mean: Any) -> None:
    with pytest.raises(InvalidInput, match=r"neuralizer\.json: features.* must .*Use the card"):
        centre_of({"features": {"mean": mean, "scale": [1.0] * 24}}, 24)


@pytest.mark.parametrize("scale", [[0.0] * 24, [-1.0] * 24, [float("nan")] * 24, [1e-320] * 24, 1.0])
def test_a_scale_that_cannot_be_divided_by_is_refused(scale: Any) -> None:
    with pytest.raises(InvalidInput, match=r"neuralizer\.json: features\.scale.* must be .*Use the card"):
        centre_of({"features": {"mean": [0.0] * 24, "scale": scale}}, 24)


@pytest.mark.parametrize("features", [[1, 2], "x", {}])
def test_features_of_another_kind_are_refused(features: Any) -> None:
    with pytest.raises(InvalidInput, match="Use the card written with these weights"):
        centre_of({"features": features}, 24)


def test_vectors_are_centred_by_the_card_in_the_folder(tmp_path: Path) -> None:
    write_network(begun(), tmp_path, {"side": 16})
    plain = NeuralizerEncoder(str(tmp_path))
    n = len(plain.mean)
    slices = np.random.default_rng(0).random((2, 3, 16, 16), np.float32)
    assert np.isfinite(plain.encode_items(slices)[0]).all()
    write_network(begun(), tmp_path, {"side": 16, "features": {"mean": [0.0] * n, "scale": [0.0] * n}})
    with pytest.raises(InvalidInput, match=r"features\.scale\.0 must be at least 1e-06"):
        NeuralizerEncoder(str(tmp_path))


def test_a_pilot_network_under_its_own_names_computes_the_same(shared_data: Path) -> None:
    from safetensors.torch import load_file

    path = shared_data / "pilot_weights" / "neuralizer16_seg.safetensors"
    if not path.is_file():
        pytest.skip("needs the pilot's weights")
    network = network_of({renamed(name): tensor for name, tensor in load_file(path).items()}, path.name)
    assert network.sizes == Neuralizer().sizes


def renamed(name: str) -> str:
    """The released name of one of the pilot's."""
    for short, long in (
        ("te.", "target_embedding."),
        ("ce.", "context_embedding.module."),
        ("enc.", "enc_blocks."),
        ("dec.", "dec_blocks."),
        (".c.", ".context_conv.module."),
        (".t.", ".target_conv."),
        (".wt.", ".combine_conv_target.module."),
        (".wc.", ".combine_conv_context.module."),
        ("o.", "output_block.block."),
    ):
        if name.startswith(short) or short.startswith("."):
            name = name.replace(short, long, 1)
    for short, long in (("uc.", "context_conv_layer.module"), ("ut.", "target_conv_layer")):
        if name.startswith(short):
            _, k, last = name.split(".")
            return f"upsample_blocks.{k}.{long}.{last}"
    return name
