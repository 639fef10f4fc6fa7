"""Whether anything in a sample set is like a text at all.

A cosine means nothing by itself: every image has some cosine with "an elephant". So the text is compared, sample by
sample, with the names of ordinary objects: how many standard deviations of their cosines it lies above their mean. If
something is shown, the most alike images reach several; otherwise the text is one name among others. The line between
the two depends on the encoder and is measured with its competence (`core.checks.competence`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.embeddings.texts import TextTower, encode_texts
from core.encoders.arithmetic import unit
from core.language.speech import SPEECH
from core.records import F32, F64

TOP = 5
"""How many of the most alike images are averaged: a single one may be odd. A convention."""
_BATCH_ROWS = 4096
"""Samples that are compared at once."""
THINGS = (
    *("dog", "cat", "bird", "horse", "cow", "fish", "car", "bus", "train", "boat", "bicycle", "airplane", "house"),
    *("building", "street", "tree", "flower", "grass", "mountain", "beach", "sea", "sky", "snow", "person", "man"),
    *("woman", "child", "baby", "crowd", "face", "hand", "food", "fruit", "cake", "cup", "bottle", "table", "chair"),
    *("bed", "sofa", "lamp", "book", "computer", "phone", "camera", "guitar", "piano", "ball", "kite", "umbrella"),
    *("hat", "shirt", "dress", "shoe", "bag", "clock", "sign", "window", "door", "bridge", "road", "fence", "garden"),
    *("forest", "desert", "river", "field", "kitchen", "bathroom", "office", "shop", "church", "tower", "statue"),
    *("toy", "robot", "machine", "tool", "knife", "spoon", "plate", "bowl", "egg", "bread", "meat", "vegetable"),
    *("insect", "butterfly", "spider", "snake", "frog", "bear", "elephant", "monkey", "rabbit", "mouse", "sheep"),
)
"""The names that a text is compared with. Fixed beforehand, not tuned."""


def likeness(joint: F32, texts: F32, things: F32) -> F64:
    """(n, q) how much more alike each image is to each text than to ordinary objects, in standard deviations.

    Args:
        joint: (n, d) images.
        texts: (q, d) unit rows.
        things: (t, d) from `things_of`.
    """
    usual = joint @ things.T
    spread = np.maximum(usual.std(1, keepdims=True), 1e-6)
    return ((joint @ texts.T - usual.mean(1, keepdims=True)) / spread).astype(np.float64)


def question_prompts(text: str, modality: str = "image") -> list[str]:
    """The sentences in which a free text is encoded."""
    return [text, SPEECH[modality].shows(text)]


def question_vectors(texts: Sequence[str], encoder: TextTower, cache: Path | None = None) -> F32:
    """(q, d) unit rows: each text as the mean of its sentences."""
    prompts: list[str] = []
    for text in texts:
        prompts += question_prompts(text, encoder.modality)
    return unit(encode_texts(encoder, prompts, cache).reshape(len(texts), 2, -1).mean(1))


def support_of(joint: F32, phrases: Sequence[str], encoder: TextTower, cache: Path | None = None) -> F64:
    """(q,) support of each phrase among all samples.

    Args:
        joint: (n, d) samples in the encoder's space; read in batches.
    """
    texts = question_vectors(phrases, encoder, cache)
    things = things_of(encoder, cache)
    best = np.zeros((0, len(phrases)))
    for start in range(0, len(joint), _BATCH_ROWS):
        scores = likeness(joint[start : start + _BATCH_ROWS], texts, things)
        best = np.sort(np.concatenate([best, scores]), axis=0)[-TOP:]
    return best.mean(0)


def support(scores: F64) -> float:
    """Mean likeness of the most alike images, which is compared with the encoder's line."""
    return float(np.sort(scores)[-TOP:].mean())


_known: dict[str, F32] = {}


def things_of(encoder: TextTower, cache: Path | None = None) -> F32:
    """(t, d) vectors of the names of ordinary objects, computed once per encoder."""
    if encoder.fingerprint not in _known:
        sentences = [SPEECH[encoder.modality].shows(f"a {name}") for name in THINGS]
        _known[encoder.fingerprint] = encode_texts(encoder, sentences, cache)
    return _known[encoder.fingerprint]
