"""Images made in memory for the tests of reading and encoding."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from core.records import F32, ItemStore


class Pictures(ItemStore):
    """A store over bytes; `reads` counts what was opened."""

    def __init__(self, payloads: list[bytes]) -> None:
        self.payloads, self.reads = payloads, 0

    def __len__(self) -> int:
        return len(self.payloads)

    def name(self, index: int) -> str:
        return f"picture{index}.png"

    def read(self, index: int) -> bytes:
        self.reads += 1
        return self.payloads[index]


def encoded(image: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def blobs(seed: int, size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A smooth random image, different for each seed."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


class MeanColour:
    """A stand-in for an encoder: 8 x 8 pixels in [0, 1] give their own unit vector, plus a joint space of the mean
    color."""

    name, fingerprint, description = "mean color", "mean-colour-1", "A stand-in."
    modality, finding_space, joint_space = "image", "pixels", "colours"
    logit_scale = 100.0

    def __init__(self, fingerprint: str = "mean-colour-1", batch_size: int = 4) -> None:
        self.fingerprint, self.batch_size, self.encoded = fingerprint, batch_size, 0

    def preprocess(self, image: Image.Image) -> F32:
        return np.asarray(image.resize((8, 8), Image.Resampling.BOX), np.float32).transpose(2, 0, 1) / np.float32(255)

    def encode_items(self, batch: F32) -> tuple[F32, F32]:
        self.encoded += len(batch)
        return _unit(batch.reshape(len(batch), -1) + np.float32(1e-3)), _unit(batch.mean((2, 3)) + np.float32(1e-3))

    def encode_texts(self, texts: Any) -> F32:
        return np.ones((len(texts), 3), np.float32) / np.float32(3**0.5)

    def count_truncated(self, texts: Any) -> int:
        return 0


def _unit(rows: F32) -> F32:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def plain(colour: str | tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> Image.Image:
    return Image.new("RGB", size, colour)
