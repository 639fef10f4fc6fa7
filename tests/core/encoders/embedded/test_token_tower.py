"""The embedded encoder opened before its last blocks: its tokens, and that what follows them gives the encoder's own
vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.encoders import load_encoder
from core.encoders.embedded.lite0_runtime import onnx_mapper, torch_mapper
from core.encoders.embedded.token_tower import COARSE, FINE, WIDTH
from core.records import F32

TEXTS = ["a red cube and a blue ball", "dog", ""]


@pytest.fixture(scope="module")
def encoder() -> Any:
    return load_encoder("embedded")


@pytest.fixture(scope="module")
def batch() -> F32:
    return np.random.default_rng(0).uniform(-1, 1, (3, 3, 224, 224)).astype(np.float32)


def test_pooled_vectors_are_the_encoders_own(encoder: Any, batch: F32) -> None:
    tower = encoder.token_tower()
    found, texts = tower.image_tokens(batch), tower.text_tokens(TEXTS)
    assert found.tokens.shape == (3, 49, WIDTH)
    np.testing.assert_array_equal(found.pooled, encoder.encode_items(batch)[1])
    np.testing.assert_allclose(texts.pooled, encoder.encode_texts(TEXTS), atol=1e-6)
    assert found.pooled.shape[1] == texts.pooled.shape[1] == tower.joint_width


def test_a_picture_s_tokens_do_not_depend_on_its_batch_and_lie_where_they_are_in_the_picture(
    encoder: Any, batch: F32
) -> None:
    tower = encoder.token_tower()
    whole = tower.image_tokens(batch).tokens
    np.testing.assert_array_equal(whole[1:2], tower.image_tokens(batch[1:2]).tokens)
    changed = batch.copy()
    changed[:, :, :16, :16] = 0  # the upper left corner
    apart = np.abs(tower.image_tokens(changed).tokens - whole).mean((0, 2)).reshape(7, 7)
    assert apart[0, 0] == apart.max()
    assert apart[0, 0] > 5 * apart[6, 6]


def test_words_are_neither_marks_nor_padding(encoder: Any) -> None:
    texts = encoder.token_tower().text_tokens(TEXTS)
    assert texts.pieces[0] == ("[CLS]", "a", "red", "cube", "and", "a", "blue", "ball", "[SEP]")
    assert texts.words.sum(1).tolist() == [7, 1, 0]
    assert texts.seen.sum(1).tolist() == [9, 3, 2]
    assert not texts.tokens[~texts.seen].any()
    assert encoder.token_tower().text_tokens([]).tokens.shape[0] == 0


def test_both_runtimes_give_the_same_maps(encoder: Any, batch: F32) -> None:
    layers = encoder._layers
    for a, b in zip(onnx_mapper(layers, (COARSE, FINE), 1)(batch[:1]), torch_mapper(layers, (COARSE, FINE))(batch[:1])):
        np.testing.assert_allclose(a, b, atol=1e-2 * float(np.abs(a).max()))
