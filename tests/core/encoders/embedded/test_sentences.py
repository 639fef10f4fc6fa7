"""The embedded encoder of texts: the vectors of MiniLM, with samples and phrases in one space."""

from __future__ import annotations

import numpy as np

from core.embeddings.embed import read_images
from core.encoders import encoder_for, load_encoder
from core.encoders.embedded.minilm_tokens import MAX_TOKENS_OF_SAMPLE
from core.encoders.embedded.minilm_torch import embed_sentences
from tests.support.texts import made_texts

TEXTS = ["a dog in the snow", "shares fell on Monday", "word " * (MAX_TOKENS_OF_SAMPLE - 2), "word " * 400]


def test_samples_and_phrases_share_one_space_and_are_the_reference_networks_vectors() -> None:
    encoder = load_encoder(encoder_for("text", "embedded"))
    found = read_images(made_texts(TEXTS), encoder, modality="text")
    reference = embed_sentences([text.strip() for text in TEXTS], MAX_TOKENS_OF_SAMPLE)
    reference /= np.linalg.norm(reference, axis=1, keepdims=True)
    np.testing.assert_allclose(found.joint.vectors, reference, atol=1e-4)
    np.testing.assert_array_equal(found.embeddings.vectors, found.joint.vectors)
    assert found.joint.space == encoder.joint_space
    np.testing.assert_allclose(encoder.encode_texts(TEXTS[:2]), reference[:2], atol=1e-4)


def test_texts_that_lose_their_end_are_counted() -> None:
    found = read_images(made_texts(TEXTS), load_encoder("minilm"), modality="text")
    assert found.notes == ("1 of 4 texts exceed the encoder's limit; it does not see their ends.",)
    assert not any("cut" in column.name for column in found.properties)


def test_embedded_names_the_encoder_that_comes_along_for_each_modality() -> None:
    assert encoder_for("text", "embedded") == "minilm"
    assert encoder_for("image", "embedded") == "embedded"
    assert encoder_for("text", "sentences:/folder") == "sentences:/folder"
