"""What a clip is once it was decoded: a few frames with their times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.records import F64, I64

FRAMES = 16
"""Frames of a clip that are kept for encoder and previews, evenly spread over its time."""
WATCHED = 8.0
"""Frames a second at which motion and cuts are looked for."""
MOST_WATCHED = 512
"""Of one clip: of more than a minute the steps are longer, and a note says so."""
SHORT_SIDE = 256
"""Frames are shrunk to this short side, in pixels, while decoding; smaller ones are left as they are."""
WATCHED_SIDE = 48
"""Longer side, in pixels, of the frames in which motion and cuts are looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A decoded clip."""

    frames: tuple[Image.Image, ...]
    """At most `FRAMES`, upright RGB, all of one size."""
    seconds: F64
    """(frames,) when each is shown, from the clip's start."""
    watched: npt.NDArray[np.uint8]
    """(w, h, w, 3) small frames, evenly spread over the clip's time, at most `WATCHED` a second."""
    step: float
    """Seconds between two watched frames; nan where only single frames of a long clip were decoded."""
    length: float
    """Seconds."""
    n_frames: int
    """Of the file."""
    width: int
    """Of the file, upright; pixels."""
    height: int
    file_format: str
    """Such as "MP4 (h264)" or "GIF"."""
    file_bytes: int
    has_sound: bool | None
    """None where the format has none."""


def chosen(seconds: F64, most: int) -> I64:
    """(k,) at most `most` of n frames, evenly spread over the time from the first to the last, each once.

    Args:
        seconds: (n,) times in rising order.
    """
    if len(seconds) <= most:
        return np.arange(len(seconds), dtype=np.int64)
    ends = np.linspace(seconds[0], seconds[-1], most)
    after = np.clip(np.searchsorted(seconds, ends), 1, len(seconds) - 1)
    nearer = after - (ends - seconds[after - 1] <= seconds[after] - ends)
    return np.unique(nearer).astype(np.int64)


def sized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture as RGB at that size."""
    image = image.convert("RGB")
    return image if image.size == size else image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def small_size(width: int, height: int, *, short: int = 0, long: int = 0) -> tuple[int, int]:
    """(width, height) with that short or long side, never enlarged."""
    scale = min(1.0, short / min(width, height) if short else long / max(width, height))
    return max(round(width * scale), 1), max(round(height * scale), 1)


def stacked(frames: Sequence[Image.Image]) -> npt.NDArray[np.uint8]:
    """(n, h, w, 3) of pictures of one size."""
    return np.stack([np.asarray(frame, np.uint8) for frame in frames])
