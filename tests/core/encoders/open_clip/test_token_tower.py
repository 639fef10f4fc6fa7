"""Towers opened before their last blocks: tokens, and what follows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from timm.models import register_model
from timm.models.eva import eva02_tiny_patch14_224
from timm.models.swin_transformer import swin_tiny_patch4_window7_224

from core.encoders.open_clip.encoder import OpenClipEncoder
from core.encoders.open_clip.token_tower import OpenClipTokenTower
from core.encoders.tokens import TextTokens
from core.errors import InvalidInput
from tests.support.pictures import blobs
from tests.support.tiny_clip import TINY, TWO, write_hugging_face, write_model

ResNet = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 64}
SIGLIP = {"pool_type": "last", "no_causal_mask": True, "proj_bias": True}
TEXTS = ["a photo of a red dog", "a cat", "", "a photo of a green frog . a dog . a cat . a dog . a cat"]


def changed(
    vision: dict[str, Any] | None = None, text: dict[str, Any] | None = None, **more: Any
) -> Callable[[Path], Path]:
    """Writes the two-layer model with these settings."""
    config = {
        **TWO,
        **more,
        "vision_cfg": {**TWO["vision_cfg"], **(vision or {})},
        "text_cfg": {**TWO["text_cfg"], **(text or {})},
    }
    return lambda folder: write_model(folder, config)


@register_model
def small_swin(pretrained: bool = False, **kwargs: Any) -> Any:
    """timm's smallest Swin with fewer and narrower blocks."""
    return swin_tiny_patch4_window7_224(pretrained, depths=(1, 1, 2, 1), embed_dim=16, num_heads=(1, 2, 4, 8), **kwargs)


@register_model
def small_eva(pretrained: bool = False, **kwargs: Any) -> Any:
    """timm's smallest EVA with fewer and narrower blocks."""
    return eva02_tiny_patch14_224(pretrained, depth=2, embed_dim=48, num_heads=3, **kwargs)


def timm(name: str, size: int = 64, **more: Any) -> Callable[[Path], Path]:
    """Writes a model with an image tower of timm."""
    vision = {
        "timm_model_name": name,
        "timm_model_pretrained": False,
        "timm_pool": "",
        "timm_proj": "linear",
        "image_size": size,
        **more,
    }
    return lambda folder: write_model(folder, {**TWO, "custom_text": True, "vision_cfg": vision})


KINDS: dict[str, Callable[[Path], Path]] = {
    "native": changed(),
    "one layer": lambda folder: write_model(folder, TINY),
    "mean pool": changed({"pool_type": "avg", "final_ln_after_pool": True}),
    "attention pool": changed({"attentional_pool": True, "attn_pooler_queries": 4, "attn_pooler_heads": 2}),
    "custom text": changed(custom_text=True),
    "siglip text": changed(text=SIGLIP, custom_text=True),
    "resnet": lambda folder: write_model(folder, {**TWO, "vision_cfg": ResNet}),
    "hugging face": write_hugging_face,
    "hugging face, cls": lambda folder: write_hugging_face(folder, hf_pooler_type="cls_pooler"),
    "timm vit": timm("test_vit", 160),
    "timm vit, registers": timm("test_vit2", 64),
    "timm vit, mean pool": timm("test_vit4", 160),
    "timm vit, attention pool": timm("test_vit3", 160),
    "timm cnn": timm("test_resnet", timm_pool="avg"),
    "timm swin": timm("small_swin", 224, timm_pool="avg"),
    "timm eva": timm("small_eva", 224, timm_pool="avg"),  # rotary positions go into each block
    "timm convnext": timm("test_convnext", timm_pool="avg"),
    "timm efficientnet": timm("test_efficientnet", timm_pool="avg"),
}


@pytest.fixture(scope="module", params=KINDS)
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, OpenClipEncoder, OpenClipTokenTower]:
    folder = tmp_path_factory.mktemp("models") / "model"
    encoder = OpenClipEncoder(f"local-dir:{KINDS[request.param](folder)}")
    return request.param, encoder, encoder.token_tower()  # pyright: ignore[reportReturnType]


def pixels(encoder: OpenClipEncoder, n: int) -> np.ndarray:
    return np.stack([encoder.preprocess(blobs(seed)) for seed in range(n)])


Opened = tuple[str, OpenClipEncoder, OpenClipTokenTower]


@pytest.mark.parametrize("n", [0, 1, 9])  # batches hold 8 on a CPU
def test_pooled_vectors_are_the_encoders_and_tokens_fill_the_grid(opened: Opened, n: int) -> None:
    _, encoder, tower = opened
    found = tower.image_tokens(batch := pixels(encoder, max(n, 1))[:n])
    np.testing.assert_allclose(found.pooled, encoder.encode_items(batch)[0], atol=1e-5)
    assert found.tokens.shape == (n, tower.grid[0] * tower.grid[1], tower.image_width)
    assert found.pooled.shape == (n, tower.joint_width)
    assert tower.logit_scale == encoder.logit_scale


def test_what_follows_gives_the_pooled_vectors_back_and_every_parameter_counts(opened: Opened) -> None:
    _, encoder, tower = opened
    found, late = tower.image_tokens(pixels(encoder, 5)), tower._images.late()
    tokens, *prefix, _ = tower._images.run(torch.from_numpy(pixels(encoder, 5)))
    out = late(tokens, prefix[0] if prefix else None)
    np.testing.assert_allclose(out.detach().numpy(), found.pooled, atol=1e-3)
    out[:, 0].sum().backward()
    assert [name for name, p in late.named_parameters() if p.grad is None] == []
    texts = tower.text_tokens(TEXTS)
    after = tower._texts.late()
    again = after(torch.from_numpy(texts.tokens), torch.from_numpy(texts.ids), torch.from_numpy(texts.seen))
    np.testing.assert_allclose(again.detach().numpy(), texts.pooled, atol=1e-3)
    again[:, 0].sum().backward()
    assert [name for name, p in after.named_parameters() if p.grad is None] == []


def test_training_a_copy_leaves_the_encoder_as_it_was(opened: Opened) -> None:
    _, encoder, tower = opened
    before = encoder.encode_items(batch := pixels(encoder, 1))[0], encoder.encode_texts(TEXTS)
    with torch.no_grad():
        for p in (*tower._images.late().parameters(), *tower._texts.late().parameters()):
            p.add_(1.0)
    np.testing.assert_array_equal(encoder.encode_items(batch)[0], before[0])
    np.testing.assert_array_equal(encoder.encode_texts(TEXTS), before[1])


def test_tokens_depend_on_neither_the_batch_nor_its_order(opened: Opened) -> None:
    _, encoder, tower = opened
    batch = pixels(encoder, 9)
    whole, backwards, alone = (
        tower.image_tokens(batch),
        tower.image_tokens(batch[::-1].copy()),
        tower.image_tokens(batch[8:]),
    )
    np.testing.assert_array_equal(whole.tokens, backwards.tokens[::-1])
    np.testing.assert_array_equal(whole.tokens[8:], alone.tokens)
    texts, one = tower.text_tokens(TEXTS), tower.text_tokens(TEXTS[1:2])
    np.testing.assert_array_equal(texts.tokens[1, : one.ids.shape[1]], one.tokens[0])
    np.testing.assert_array_equal(texts.pooled[1:2], one.pooled)


def test_text_vectors_are_the_encoders_and_words_leave_out_marks_and_padding(opened: Opened) -> None:
    kind, encoder, tower = opened
    found = tower.text_tokens(TEXTS)
    np.testing.assert_allclose(found.pooled, encoder.encode_texts(TEXTS), atol=1e-5)
    assert found.tokens.shape == (*found.ids.shape, tower.text_width)
    assert (found.seen.sum(1) == [len(pieces) for pieces in found.pieces]).all()
    if kind != "siglip text":  # which was trained to see its padding
        assert not found.tokens[~found.seen].any()
    assert spoken(found)[:3] == [["a", "photo", "of", "a", "red", "dog"], ["a", "cat"], []]
    assert len(found.words[3].nonzero()[0]) == found.ids.shape[1] - 2  # cut at the context length, marks kept


def spoken(found: TextTokens) -> list[list[str]]:
    return [[piece for piece, own in zip(pieces, words) if own] for pieces, words in zip(found.pieces, found.words)]


def test_no_texts_give_no_rows(opened: Opened) -> None:
    _, _, tower = opened
    assert len(tower.text_tokens([]).tokens) == 0


def test_patch_vectors_are_unit_rows_of_the_joint_space(opened: Opened) -> None:
    _, encoder, tower = opened
    assert tower.has_patch_vectors
    vectors = tower.patch_vectors(pixels(encoder, 3))
    assert vectors.shape == (3, tower.grid[0] * tower.grid[1], tower.joint_width)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=2), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[2:], tower.patch_vectors(pixels(encoder, 3)[2:]))


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> OpenClipEncoder:
    return OpenClipEncoder(f"local-dir:{changed()(tmp_path_factory.mktemp('models') / 'native')}")


def test_tokens_are_the_penultimate_ones_that_open_clip_names(native: OpenClipEncoder) -> None:
    tower, batch = native.token_tower(), torch.from_numpy(pixels(native, 2))
    ids = native._tokenizer(TEXTS[:2])
    with torch.inference_mode():
        known = native._model.forward_intermediates(
            image=batch, text=ids, image_indices=2, text_indices=2, image_output_fmt="NLC"
        )
    np.testing.assert_allclose(
        tower.image_tokens(batch.numpy()).tokens, known["image_intermediates"][0].numpy(), atol=1e-5
    )
    found = tower.text_tokens(TEXTS[:2])
    np.testing.assert_allclose(
        found.tokens[0], known["text_intermediates"][0].numpy()[0, : found.ids.shape[1]], atol=1e-5
    )


def test_a_patch_goes_by_its_value_alone(native: OpenClipEncoder) -> None:
    tower, batch = native.token_tower(), pixels(native, 2)
    found = tower.image_tokens(batch)
    visual: Any = native._model.visual
    x, block = torch.from_numpy(found.tokens), visual.transformer.resblocks[-1]
    with torch.no_grad():
        normed, width = block.ln_1(x), x.shape[-1]
        value = normed @ block.attn.in_proj_weight[2 * width :].T + block.attn.in_proj_bias[2 * width :]
        x = x + block.attn.out_proj(value)
        x = x + block.mlp(block.ln_2(x))
        slow = torch.nn.functional.normalize(visual.ln_post(x) @ visual.proj, dim=-1).numpy()
    np.testing.assert_allclose(tower.patch_vectors(batch), slow, atol=1e-5)  # pyright: ignore[reportAttributeAccessIssue]


def test_the_fingerprint_names_model_and_depth(native: OpenClipEncoder) -> None:
    assert native.token_tower().fingerprint.startswith(native.fingerprint)
    assert native.token_tower().fingerprint != native.fingerprint


def test_a_tower_that_cannot_be_opened_is_refused_with_the_ways_out(
    native: OpenClipEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(native._model.visual), "_pool", lambda self, x: (x[:, 0] * 2 + x[:, 1].roll(1, -1), x))
    original = type(native._model.visual).forward
    monkeypatch.setattr(type(native._model.visual), "forward", lambda self, x: original(self, x) + 1)
    with pytest.raises(InvalidInput, match=r"image tower of open_clip:local-dir.*VisionTransformer.*embedded"):
        native.token_tower()


def test_a_text_tower_that_cannot_be_opened_is_refused_with_the_ways_out(tmp_path: Path) -> None:
    folder = write_model(
        tmp_path / "coca", {**TWO, "custom_text": True, "text_cfg": {**TWO["text_cfg"], "embed_cls": True}}
    )
    with pytest.raises(InvalidInput, match=r"text tower of open_clip:local-dir.*class token.*linear"):
        OpenClipEncoder(f"local-dir:{folder}").token_tower()
