"""Checkpoints of the released code, and ours, become the network that they are of."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.errors import InvalidInput
from core.systems.univl.checkpoint import COPIES, build_univl, unshared_weights
from core.systems.univl.network import PARTS, Univl, UnivlSizes
from core.systems.univl.weights import ReadUnivl, read_univl, write_univl
from tests.support.univl import small_sizes, small_univl, small_words

SIZES = replace(small_sizes(), width=64, heads=1)
"""As wide as a head is in the published sizes, so that no card is needed."""
Shapes = dict[str, tuple[int, ...]]


def dense(name: str, out: int, into: int) -> Shapes:
    return {f"{name}.weight": (out, into), f"{name}.bias": (out,)}


def norm(name: str, width: int) -> Shapes:
    return {f"{name}.LayerNorm.weight": (width,), f"{name}.LayerNorm.bias": (width,)}


def bert_layers(begins: str, n: int, d: int, hidden: int) -> Shapes:
    found = Shapes()
    for k in range(n):
        at = f"{begins}.encoder.layer.{k}"
        for each in ("query", "key", "value"):
            found |= dense(f"{at}.attention.self.{each}", d, d)
        found |= dense(f"{at}.attention.output.dense", d, d) | norm(f"{at}.attention.output", d)
        found |= dense(f"{at}.intermediate.dense", hidden, d) | dense(f"{at}.output.dense", d, hidden)
        found |= norm(f"{at}.output", d)
    return found | dense(f"{begins}.pooler.dense", d, d)


def head(begins: str, d: int) -> Shapes:
    return dense(f"{begins}.predictions.transform.dense", d, d) | norm(f"{begins}.predictions.transform", d)


def decoder(s: UnivlSizes) -> Shapes:
    d, v, found = s.width, s.vocabulary, Shapes()
    for k in range(s.decoder_layers):
        at = f"decoder.decoder.layer.{k}"
        for way in ("slf_attn", "enc_attn"):
            for each in ("query", "key", "value"):
                found |= dense(f"{at}.{way}.att.{each}", d, d)
            found |= dense(f"{at}.{way}.output.dense", d, d) | norm(f"{at}.{way}.output", d)
        found |= dense(f"{at}.intermediate.dense", s.hidden, d) | dense(f"{at}.output.dense", d, s.hidden)
        found |= norm(f"{at}.output", d)
    found |= norm("decoder.embeddings", d) | head("decoder.classifier.cls", d)
    return found | {
        "decoder.embeddings.word_embeddings.weight": (v, d),
        "decoder.embeddings.position_embeddings.weight": (s.text_positions, d),
        "decoder.classifier.cls.predictions.bias": (v,),
        "decoder.classifier.cls.predictions.decoder.weight": (v, d),
    }


def released(s: UnivlSizes) -> Shapes:
    """Every name and shape of a checkpoint of the second stage, as the released code's modules give them."""
    d, found = s.width, bert_layers("bert", s.text_layers, s.width, s.hidden) | norm("bert.embeddings", s.width)
    found |= bert_layers("visual", s.video_layers, d, s.hidden) | norm("visual.embeddings", d)
    found |= bert_layers("cross", s.cross_layers, d, s.hidden) | norm("cross.embeddings", d)
    found |= dense("visual.embeddings.word_embeddings", d, s.features) | dense("similarity_dense", 1, d)
    found |= decoder(s) | head("cls", d) | head("cls_visual", d)
    return found | {
        "bert.embeddings.word_embeddings.weight": (s.vocabulary, d),
        "bert.embeddings.position_embeddings.weight": (s.text_positions, d),
        "bert.embeddings.token_type_embeddings.weight": (2, d),
        "visual.embeddings.position_embeddings.weight": (s.video_positions, d),
        "cross.embeddings.position_embeddings.weight": (s.cross_positions, d),
        "cross.embeddings.token_type_embeddings.weight": (2, d),
        "cls.predictions.bias": (s.vocabulary,),
        "cls.predictions.decoder.weight": (s.vocabulary, d),
        "cls_visual.predictions.weight": (d, s.features),
        "cls_visual.predictions.bias": (s.features,),
        "normalize_video.visual_norm2d.weight": (s.features,),
        "normalize_video.visual_norm2d.bias": (s.features,),
    }


def drawn(shapes: Shapes) -> dict[str, torch.Tensor]:
    """A checkpoint of those names: copies are the same tensor, as the released code saves them."""
    g = torch.Generator().manual_seed(0)
    tensors = {name: torch.randn(shape, generator=g) for name, shape in shapes.items() if name not in COPIES}
    return tensors | {name: tensors[of] for name, of in COPIES.items() if name in shapes}


def test_the_published_sizes_have_the_released_names_and_shapes_and_no_others() -> None:
    with torch.device("meta"):
        network = Univl(UnivlSizes())
    assert {name: tuple(t.shape) for name, t in network.state_dict().items()} == released(UnivlSizes())


@pytest.mark.parametrize("begins", ["", "module."])
def test_a_released_checkpoint_fills_every_weight_and_leaves_none(begins: str, tmp_path: Path) -> None:
    given = drawn(released(SIZES))
    torch.save({begins + name: tensor for name, tensor in given.items()}, tmp_path / "univl.pretrained.bin")
    (tmp_path / "vocab.txt").write_text("\n".join(small_words().pieces), "utf-8")
    network = read_univl(tmp_path / "univl.pretrained.bin").network
    assert network.parts == PARTS
    assert network.state_dict().keys() == given.keys()
    assert all(torch.equal(tensor, given[name]) for name, tensor in network.state_dict().items())


def test_an_old_berts_names_of_norms_are_known() -> None:
    given = drawn(released(SIZES))
    old = {n.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): t for n, t in given.items()}
    assert old.keys() != given.keys()
    assert torch.equal(build_univl(old, "w").bert.embeddings.LayerNorm.bias, given["bert.embeddings.LayerNorm.bias"])


@pytest.mark.parametrize(
    ("begins", "parts"),
    [
        (("bert", "visual", "normalize"), ()),
        (("bert", "visual", "normalize", "cross", "similarity"), ("cross",)),
        (("bert", "visual", "normalize", "cross", "similarity", "decoder"), ("cross", "decoder")),
    ],
)
def test_a_checkpoint_of_fewer_parts_is_read_as_what_it_is(begins: tuple[str, ...], parts: tuple[str, ...]) -> None:
    given = {name: t for name, t in drawn(released(SIZES)).items() if name.startswith(begins)}
    network = build_univl(given, "w")
    assert (network.parts, network.state_dict().keys()) == (parts, given.keys())


def test_what_is_written_comes_back_in_half_precision_with_card_and_words(tmp_path: Path) -> None:
    network = small_univl()
    write_univl(ReadUnivl(network, small_words(), 12, {"what": "a test"}), tmp_path)
    found = read_univl(tmp_path)
    assert (found.card["what"], found.tokens, found.words.pieces) == ("a test", 12, small_words().pieces)
    assert found.network.sizes == network.sizes
    assert read_univl(tmp_path / "univl.safetensors").network.sizes == network.sizes
    for name, tensor in unshared_weights(found.network).items():
        torch.testing.assert_close(tensor, unshared_weights(network)[name], atol=1e-3, rtol=1e-3)


Tensors = dict[str, torch.Tensor]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda t: t.pop("visual.embeddings.word_embeddings.weight"), "is not a UniVL: visual.embeddings"),
        (
            lambda t: t.pop("decoder.decoder.layer.0.enc_attn.att.key.bias"),
            "lacks weights of a UniVL with .*, heads: 'decoder.decoder.layer.0.enc",
        ),
        (lambda t: t.update(head=torch.zeros(1)), "has unknown weights of a UniVL with cross, decoder, heads: 'head'"),
        (lambda t: t["cross.pooler.dense.bias"].fill_(float("nan")), "cross.pooler.dense.bias must hold finite"),
        (lambda t: t.update({"cls.predictions.decoder.weight": torch.zeros(17, 64)}), "its shared weight"),
    ],
)
def test_weights_of_something_else_are_refused_by_name(
    spoil: Callable[[Tensors], object], said: str, tmp_path: Path
) -> None:
    given = {name: t.clone() for name, t in drawn(released(SIZES)).items()}
    spoil(given)
    save_file(given, tmp_path / "w.safetensors")
    with pytest.raises(InvalidInput, match=said):
        read_univl(tmp_path / "w.safetensors")


def test_heads_that_nothing_tells_are_not_guessed() -> None:
    with pytest.raises(InvalidInput, match="network 16 wide do not show its number of heads"):
        build_univl(small_univl().state_dict(), "w")
    with pytest.raises(InvalidInput, match=r"the width \(= 16\) must be divisible by the heads \(= 3\)"):
        build_univl(small_univl().state_dict(), "w", heads=3)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"dropout": 1}, "dropout must be below 1: got '1'"), ({"tokens": 99}, "tokens must be at most the weights' 12")],
)
def test_a_card_of_another_network_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    write_univl(ReadUnivl(small_univl(), small_words(), 12), tmp_path)
    card = json.loads((tmp_path / "univl.json").read_text("utf-8"))
    (tmp_path / "univl.json").write_text(json.dumps({**card, **change}), "utf-8")
    with pytest.raises(InvalidInput, match=said):
        read_univl(tmp_path)


def test_words_of_another_network_are_refused(tmp_path: Path) -> None:
    write_univl(ReadUnivl(small_univl(), small_words(), 12), tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join((*small_words().pieces, "more")), "utf-8")
    with pytest.raises(InvalidInput, match=r"vocab\.txt has 18 words, univl\.safetensors 17"):
        read_univl(tmp_path)
    (tmp_path / "vocab.txt").unlink()
    with pytest.raises(InvalidInput, match=r"was not found\. Add the vocab\.txt"):
        read_univl(tmp_path)
    with pytest.raises(InvalidInput, match="nothing contains no UniVL"):
        read_univl(tmp_path / "nothing")
