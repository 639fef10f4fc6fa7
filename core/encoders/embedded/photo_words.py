"""Photo conditions and places as directions of the joint space: activations of images and of texts.

Both sides give one activation for each of `CONDITIONS`: 0 where a condition is absent, about 1 where it is shown or
named, and below 0 for the opposite. An image's come from a linear probe on its cues and features, squashed; a text's
from a small network on its sentence vector, so that paraphrases of the fitted texts count too. Both are fitted by
`research/weights/embedded/fit_words.py`; docs/encoder.md measures them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.encoders.arithmetic import gelu, products, unit_rows
from core.records import F32

CONDITIONS = (
    *"light colour contrast blur noise red orange yellow green blue purple small turned plain".split(),
    *"fog snowfall rain grass snow city forest water sand indoors sky mountains".split(),
)
"""Opposites, negative: dark, black-and-white, low in contrast, sharp; large; cluttered; outdoors. Others have none."""
CUE_LIMIT = np.float32(3)
"""Standard deviations at which a cue is clipped."""
TEXT_GAIN = np.float32(8)
"""Factor of the centered sentence vectors, which differ little, at the network's input."""


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Both maps to activations; k = len(CONDITIONS), q = len(CUES), h hidden units."""

    cue_mean: F32
    """(q,)."""
    cue_scale: F32
    """(q,) standard deviations."""
    cue_map: F32
    """(k, q)."""
    feature_map: F32
    """(k, 1280) for the raw pooled features."""
    bias: F32
    """(k,) so that an ordinary image has 0."""
    sentence_mean: F32
    """(384,)."""
    hidden_map: F32
    """(h, 384)."""
    hidden_bias: F32
    """(h,)."""
    output_map: F32
    """(k, h)."""
    output_bias: F32
    """(k,)."""
    threshold: F32
    """(1,) a text's activations nearer to 0 become 0, so that names of objects have none."""

    def images(self, features: F32, cues: F32) -> F32:
        """(n, k) activations in (-1, 1) of (n, 1280) pooled features and (n, q) cues."""
        standard = np.clip((cues - self.cue_mean) / self.cue_scale, -CUE_LIMIT, CUE_LIMIT)
        raw = products(standard, self.cue_map) + products(features, self.feature_map) + self.bias
        return np.tanh(raw)

    def texts(self, sentences: F32) -> F32:
        """(n, k) activations in [-1.2, 1.2] of (n, 384) sentence vectors of any length."""
        centred = (unit_rows(sentences) - self.sentence_mean) * TEXT_GAIN
        raw = products(gelu(products(centred, self.hidden_map) + self.hidden_bias), self.output_map) + self.output_bias
        shrunk = np.sign(raw) * np.maximum(np.abs(raw) - self.threshold, 0)
        return np.clip(shrunk, -1.2, 1.2).astype(np.float32)
