"""The space that EfficientNet-Lite0's features and MiniLM's sentence vectors share.

It is closed form, fitted by `research/weights/embedded/fit_alignment.py`, described in docs/encoder.md. The first 384
dimensions place an image at the sentence vectors of the ImageNet classes it looks like (a ConSE, Norouzi et al. 2014,
arXiv 1312.5650, with a soft threshold in place of its top ten). Then comes a ridge map between sentence vectors and the
classifier's rows. These 652 dimensions know objects; a block of one dimension for each of `conditions.CONDITIONS` knows
light, sharpness, color and place. An image has one dimension more, which is 0 in texts: it fills an image's vector up
to length 1. So the object part of every image has the same length, and neither light nor place changes how well an
object's name fits. The last dimensions were learned from captioned photographs (`caption_part`) and have a weight of
their own.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.encoders.arithmetic import gelu, products, unit_rows
from core.encoders.embedded.caption_part import WEIGHT, CaptionPart
from core.encoders.embedded.photo_words import CONDITIONS, Conditions
from core.errors import InvalidInput
from core.files import ASSETS
from core.records import F32

FILE = ASSETS / "encoder" / "alignment.safetensors"
PREFIX = "conditions."
"""Prefix of `Conditions`' arrays in the file."""
THRESHOLD = np.float32(3.0)
"""Soft threshold of the class logits: those well below it give almost 0."""
OBJECT_SHARE = np.float32(0.75)
"""Length of the object part, the same in every image: light does not change how well an object's name fits."""
BLOCK_LIMIT = 2.5
"""Maximal length of an image's activations; longer ones are scaled down."""
BLOCK_SHARE = np.float32(np.sqrt(1 - 0.75**2) / BLOCK_LIMIT)
"""Length in an image of one condition's full activation: a block at BLOCK_LIMIT fills the vector up to length 1."""
BLOCK_WEIGHT = np.float32(2.0)
"""Length in a text of one condition's full activation; the object part has length 1 before both are scaled to 1.
Settled after a first look at the table of conditions in docs/encoder.md."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Both maps into the joint space; k = 1,000 classes, r the rank of the ridge map."""

    classifier: F32
    """(k, 1280) rows of the network's own classifier."""
    classifier_bias: F32
    """(k,)."""
    feature_mean: F32
    """(1280,) subtracted from the features before the ridge map."""
    image_map: F32
    """(r, 1280)."""
    class_texts: F32
    """(k, 384) sentence vectors of the classes, centered and scaled."""
    text_mean: F32
    """(384,) subtracted from the sentence vectors."""
    text_scale: F32
    """(1,) weight of the first part on the text side."""
    text_map: F32
    """(r, 384)."""

    conditions: Conditions | None = None
    """None sets the block to 0."""
    captions: CaptionPart | None = None
    """None leaves its dimensions out."""
    caption_weight: float = WEIGHT

    @property
    def n_objects(self) -> int:
        """Leading dimensions, of objects: 384 + r."""
        return len(self.text_mean) + len(self.text_map)

    def images(self, features: F32, cues: F32) -> F32:
        """(n, 384 + r + k + 1 + p) unit rows from (n, 1280) pooled features and (n, q) cues."""
        return self.with_captions(self.known_images(features, cues), features, cues)

    def texts(self, sentences: F32) -> F32:
        """(n, 384 + r + k + 1 + p) unit rows from (n, 384) sentence vectors of any length."""
        known = self.known_texts(sentences)
        if self.captions is None:
            return known
        return self._join(known, self.captions.texts(sentences))

    def with_captions(self, known: F32, features: F32, cues: F32) -> F32:
        """`images` from the result of `known_images` for the same images."""
        if self.captions is None:
            return known
        return self._join(known, self.captions.images(features, cues))

    def _join(self, known: F32, captioned: F32) -> F32:
        return unit_rows(np.concatenate([known, np.float32(self.caption_weight**0.5) * captioned], 1))

    def known_images(self, features: F32, cues: F32) -> F32:
        """`images` without the part of captions: (n, 384 + r + k + 1) unit rows."""
        block = np.zeros((len(features), len(CONDITIONS)), np.float32)
        if self.conditions is not None:
            block = self.conditions.images(features, cues)
        length = np.sqrt((block * block).sum(1, keepdims=True))
        block = BLOCK_SHARE * block * np.minimum(BLOCK_LIMIT / np.maximum(length, 1e-6), 1).astype(np.float32)
        objects = OBJECT_SHARE * self.object_images(features)
        rest = 1 - (objects * objects).sum(1, keepdims=True) - (block * block).sum(1, keepdims=True)
        return unit_rows(np.concatenate([objects, block, np.sqrt(np.maximum(rest, 0))], 1))

    def object_images(self, features: F32) -> F32:
        """(n, 384 + r) unit rows from (n, 1280) pooled features."""
        evidence = gelu(products(features, self.classifier) + self.classifier_bias - THRESHOLD)
        mapped = products(features - self.feature_mean, self.image_map)
        return unit_rows(np.concatenate([products(evidence, self.class_texts.T), mapped], 1))

    def known_texts(self, sentences: F32) -> F32:
        """`texts` without the part of captions: (n, 384 + r + k + 1) unit rows."""
        block = np.zeros((len(sentences), len(CONDITIONS)), np.float32)
        if self.conditions is not None:
            block = BLOCK_WEIGHT * self.conditions.texts(sentences)
        zeros = np.zeros((len(block), 1), np.float32)
        return unit_rows(np.concatenate([self.object_texts(sentences), block, zeros], 1))

    def object_texts(self, sentences: F32) -> F32:
        """(n, 384 + r) unit rows from (n, 384) sentence vectors of any length."""
        centred = unit_rows(sentences) - self.text_mean
        return unit_rows(np.concatenate([self.text_scale * centred, products(centred, self.text_map)], 1))


def load_alignment(classifier: F32, classifier_bias: F32, file: Path = FILE) -> Alignment:
    """Load the shipped alignment with the classifier of the network's own checkpoint, without captions.

    Raises:
        InvalidInput: the file is missing, damaged or of another version.
    """
    if not file.is_file():
        raise InvalidInput(
            f"The embedded encoder needs {file.name} in assets/encoder, which is missing. Fetch the repository again."
        )
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        parts: dict[str, Any] = {name: array.astype(np.float32) for name, array in load_file(file).items()}
        words = {f.name: parts.pop(PREFIX + f.name) for f in fields(Conditions) if PREFIX + f.name in parts}
        alignment = Alignment(classifier.astype(np.float32), classifier_bias.astype(np.float32), **parts)
        if words:
            return replace(alignment, conditions=Conditions(**words))
        return alignment
    except (SafetensorError, TypeError) as error:
        raise InvalidInput(f"{file.name} is damaged or outdated ({error}). Fetch the repository again.") from error
