"""The part of the embedded encoder's joint space learned from captioned photographs, beside objects and conditions.

Each side is one small network on the frozen towers' outputs: features and cues of an image, the sentence vector of a
text. `research/weights/embedded/fit_captions.py` trains it; docs/encoder.md measures it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from core.encoders.arithmetic import gelu, products, unit_rows
from core.encoders.embedded.photo_words import CUE_LIMIT
from core.errors import InvalidInput
from core.files import ASSETS
from core.records import F32

WEIGHT = 0.5
"""Weight of this part against the others of the joint space, in the inner product of unit rows. The heads are trained
with it; chosen on the images of the part "tune" and half of the ImageNet images
(`research/weights/embedded/caption_heads.py`)."""
FILE = ASSETS / "encoder" / "captions.safetensors"
SHA256 = "720844b7e887c3abaa2c13fb6942c85c160c4bf27730d6d91e27f0cc50699af4"
"""Hash of FILE."""
SENTENCE_GAIN = np.float32(384**0.5)
"""Factor of centered sentence vectors, which brings a coordinate to the order of 1."""
_EPSILON = 1e-5
"""Epsilon of the layer norms."""


@dataclass(frozen=True, slots=True, eq=False)
class CaptionHead:
    """layer norm(A x + C gelu(B x + b) + c), scaled to length 1."""

    direct: F32
    """(d, p): A."""
    hidden: F32
    """(h, p): B."""
    hidden_bias: F32
    """(h,): b."""
    output: F32
    """(d, h): C."""
    bias: F32
    """(d,): c."""
    gain: F32
    """(d,) of the layer norm."""
    shift: F32
    """(d,) of the layer norm."""

    def arrays(self) -> tuple[F32, ...]:
        """In the order of the fields."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def __call__(self, x: F32) -> F32:
        """(n, d) unit rows from (n, p)."""
        rows = products(x, self.direct) + self.bias
        rows = rows + products(gelu(products(x, self.hidden) + self.hidden_bias), self.output)
        centred = rows - rows.mean(1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(1, keepdims=True) + np.float32(_EPSILON))
        return unit_rows(centred / spread * self.gain + self.shift)


@dataclass(frozen=True, slots=True, eq=False)
class CaptionPart:
    """Both heads, with means and scales of their inputs."""

    feature_mean: F32
    feature_scale: F32
    cue_mean: F32
    cue_scale: F32
    sentence_mean: F32
    image: CaptionHead
    text: CaptionHead

    def image_inputs(self, features: F32, cues: F32) -> F32:
        """(n, 1280 + q) from pooled features and cues."""
        standard = np.clip((cues - self.cue_mean) / self.cue_scale, -CUE_LIMIT, CUE_LIMIT)
        return np.concatenate([(features - self.feature_mean) / self.feature_scale, standard], 1, dtype=np.float32)

    def text_inputs(self, sentences: F32) -> F32:
        """(n, 384) from sentence vectors of any length."""
        return (unit_rows(sentences) - self.sentence_mean) * SENTENCE_GAIN

    def images(self, features: F32, cues: F32) -> F32:
        """(n, d) unit rows."""
        return self.image(self.image_inputs(features, cues))

    def texts(self, sentences: F32) -> F32:
        """(n, d) unit rows."""
        return self.text(self.text_inputs(sentences))


def load_part(file: Path = FILE, sha256: str = SHA256) -> CaptionPart:
    """Load the part in `file`.

    Raises:
        InvalidInput: the file is missing, or has another hash.
    """
    from safetensors.numpy import load

    if not file.is_file():
        raise InvalidInput(
            f"The embedded encoder needs {file.name} in assets/encoder, which is missing. Fetch the repository again."
        )
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InvalidInput(f"{file.name} is not the file that was measured. Fetch the repository again.")
    arrays = {name: array.astype(np.float32) for name, array in load(content).items()}
    heads = dict[str, CaptionHead]()
    for side in ("image", "text"):
        heads[side] = CaptionHead(**{f.name: arrays.pop(f"{side}.{f.name}") for f in fields(CaptionHead)})
    return CaptionPart(
        arrays["feature_mean"],
        arrays["feature_scale"],
        arrays["cue_mean"],
        arrays["cue_scale"],
        arrays["sentence_mean"],
        heads["image"],
        heads["text"],
    )
