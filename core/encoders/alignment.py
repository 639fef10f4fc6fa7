"""The space that EfficientNet-Lite0's features and MiniLM's sentence vectors share.

It is closed form, made by `scripts/fit_alignment.py` and described in docs/encoder.md. The first 384 dimensions place an image at
the sentence vectors of the ImageNet classes it looks like (a ConSE, Norouzi et al. 2014, arXiv 1312.5650, with a soft threshold in
place of its top ten). The others hold a ridge map between sentence vectors and the classifier's rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.records import F32

FILE = Path(__file__).parents[2] / "assets" / "encoder" / "alignment.safetensors"
THRESHOLD = np.float32(3.0)
"""Logits well below it count for nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Both maps into the joint space; k = 1,000 classes, r the rank of the ridge map."""

    classifier: F32
    """(k, 1280) rows of the network's own classifier."""
    classifier_bias: F32
    """(k,)."""
    feature_mean: F32
    """(1280,) taken off the features before the ridge map."""
    image_map: F32
    """(r, 1280)."""
    class_texts: F32
    """(k, 384) sentence vectors of the classes, centred and scaled."""
    text_mean: F32
    """(384,) taken off the sentence vectors."""
    text_scale: F32
    """(1,) weight of the first part on the text side."""
    text_map: F32
    """(r, 384)."""

    def images(self, features: F32) -> F32:
        """(n, 384 + r) unit rows from (n, 1280) pooled features."""
        evidence = gelu(_products(features, self.classifier) + self.classifier_bias - THRESHOLD)
        mapped = _products(features - self.feature_mean, self.image_map)
        return unit_rows(np.concatenate([_products(evidence, self.class_texts.T), mapped], 1))

    def texts(self, sentences: F32) -> F32:
        """(n, 384 + r) unit rows from (n, 384) sentence vectors of any length."""
        centred = unit_rows(sentences) - self.text_mean
        return unit_rows(np.concatenate([self.text_scale * centred, _products(centred, self.text_map)], 1))


def _products(rows: F32, others: F32) -> F32:
    """(n, m) inner products of (n, d) and (m, d), by numpy's own loop.

    A BLAS would take two threads for such a small product and let them spin: on two busy cores that cost 11 ms of CPU an image against
    0.3 ms here. Its result may also depend, in the last bit, on the number of rows; this one's does not.
    """
    return np.einsum("nd,md->nm", rows, np.ascontiguousarray(others), optimize=False)


def gelu(x: F32) -> F32:
    """x times the normal distribution function of x."""
    special: Any = import_module("scipy.special")
    return (x * special.ndtr(x)).astype(np.float32)


def unit_rows(vectors: npt.NDArray[Any]) -> F32:
    """The rows scaled to length 1, float32; a row of zeros stays zero."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)


def load_alignment(classifier: F32, classifier_bias: F32, file: Path = FILE) -> Alignment:
    """The alignment that ships, joined to the classifier of the network's own checkpoint.

    Raises:
        InvalidInput: the file is missing.
    """
    if not file.is_file():
        raise InvalidInput(f"The embedded encoder needs {file.name} in assets/encoder, which is missing. Fetch the repository again.")
    safetensors: Any = import_module("safetensors.numpy")
    parts = {name: array.astype(np.float32) for name, array in safetensors.load_file(file).items()}
    return Alignment(classifier.astype(np.float32), classifier_bias.astype(np.float32), **parts)
