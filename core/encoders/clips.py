"""Clips through an encoder of images: some frames of each, pooled over time.

For words and questions the frames' vectors of the joint space are averaged (CLIP4Clip's "meanP", Luo et al. 2022,
arXiv 2104.08860, section 3.3). A mean cannot tell a clip from the same one backwards; so for finding failures the mean
is joined with how the vectors change from the first half to the second, which changes its sign then. That second half
is ours, not the paper's: their poolers that see the order have to be trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.encoders import Encoder, load_encoder, texts_missing
from core.encoders.arithmetic import unit
from core.encoders.text_batches import text_batches
from core.errors import InvalidInput, MissingDependency
from core.records import F32, I64

SEEN_FRAMES = 8
"""Frames of a clip that the encoder sees; with fewer, some are seen twice."""
CHANGE_WEIGHT = 2.0
"""Weight of the change over time beside the mean, chosen on drawn clips (`tests.support.clips`, seeds 11 and 12).

Weights of 0.5, 1, 2, 3, 4 and 6 predict 0.17, 0.33, 0.39, 0.41, 0.41 and 0.44 of the variance of a loss that depends on
the direction, and 0.11, 0.11, 0.07, 0.05, 0.03 and 0.03 of one that depends on the ground's color."""


class HasFrames(Protocol):
    """The part of a clip that the encoder needs (`core.data.clips.frames.Clip`)."""

    @property
    def frames(self) -> Sequence[Image.Image]:
        """Upright RGB, in their order."""
        ...


def seen_frames(n: int) -> list[int]:
    """Indices of the seen frames among n, evenly spread; some repeat if n is below `SEEN_FRAMES`."""
    return np.linspace(0, n - 1, SEEN_FRAMES).round().astype(int).tolist()


class ClipEncoder:
    """An encoder of images that sees clips: `core.encoders.Encoder` of the modality "clip".

    Args:
        pictures: name of the encoder of images.
    """

    modality = "clip"
    batch_size = 4

    def __init__(self, pictures: str = "embedded", **options: Any) -> None:
        self.pictures: Encoder = load_encoder(pictures, **options)
        if self.pictures.modality != "image":
            raise InvalidInput(
                f"Frames of clips are images, but {pictures!r} embeds {self.pictures.modality}s. "
                "Use an encoder of images, such as clips:ViT-B-32/laion2b_s34b_b79k."
            )
        self.name = "clips" if pictures == "embedded" else f"clips:{self.pictures.name}"
        self.fingerprint = f"{self.pictures.fingerprint} in {SEEN_FRAMES} frames, change {CHANGE_WEIGHT:g}"
        self.description = f"{SEEN_FRAMES} frames of a clip through {self.pictures.name}: {self.pictures.description}"
        self.finding_space = f"{self.pictures.finding_space}, mean and change of {SEEN_FRAMES} frames"
        self.joint_space = self.pictures.joint_space
        self.logit_scale = self.pictures.logit_scale

    def preprocess(self, item: HasFrames, /) -> npt.NDArray[Any]:
        """(`SEEN_FRAMES`, ...) frames, preprocessed for the encoder of images, in their order."""
        rows = seen_frames(len(item.frames))
        ready = {row: self.pictures.preprocess(item.frames[row]) for row in sorted(set(rows))}
        return np.stack([ready[row] for row in rows])

    def encode_items(self, batch: npt.NDArray[Any]) -> tuple[F32, F32]:
        """From (n, `SEEN_FRAMES`, ...) frames, (n, 2 d) vectors for finding failures and (n, d2) of the joint space."""
        finding, joint = self.encode_frames(batch)
        half = SEEN_FRAMES // 2
        change = finding[:, half:].mean(1) - finding[:, :half].mean(1)
        return unit(np.concatenate([finding.mean(1), np.float32(CHANGE_WEIGHT) * change], 1)), unit(joint.mean(1))

    def encode_frames(self, batch: npt.NDArray[Any]) -> tuple[F32, F32]:
        """From (n, t, ...) frames, (n, t, d) and (n, t, d2) unit rows, frame by frame; t is `SEEN_FRAMES`."""
        n = len(batch)
        finding, joint = self.pictures.encode_items(batch.reshape(n * SEEN_FRAMES, *batch.shape[2:]))
        return finding.reshape(n, SEEN_FRAMES, -1), joint.reshape(n, SEEN_FRAMES, -1)

    def encode_texts(self, texts: Sequence[str]) -> F32:
        return self.pictures.encode_texts(texts)

    def text_batches(self, texts: Sequence[str]) -> list[I64]:
        """Indices of the texts in batches for `encode_texts`, as the encoder of images has them."""
        return text_batches(self.pictures, texts)

    def find_texts(self) -> None:
        """Raises MissingDependency if the encoder of images lacks weights for texts."""
        missing = texts_missing(self.pictures)
        if missing:
            raise MissingDependency(missing)

    def count_truncated(self, texts: Sequence[str]) -> int:
        return self.pictures.count_truncated(texts)
