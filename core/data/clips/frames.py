"""A decoded clip: a few frames with their times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.data.images.decoding import MAX_ASPECT
from core.data.modality import Unreadable
from core.limits import Limits, byte_size
from core.numbers import count
from core.records import F64, I64

KEPT_FRAMES = 16
"""Frames of a clip for the encoder and previews, evenly spread over its time."""
WATCHED_PER_SECOND = 8.0
"""Frames per second in which motion and cuts are measured."""
MAX_WATCHED_FRAMES = 512
"""Watched frames of one clip: beyond about a minute the steps are longer, and a note names it."""
SHORT_SIDE = 256
"""Frames are shrunk to this short side, in pixels, while decoding; smaller ones keep their size."""
WATCHED_SIDE = 48
"""Longer side, in pixels, of the frames in which motion and cuts are measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A decoded clip."""

    frames: tuple[Image.Image, ...]
    """At most `KEPT_FRAMES`, upright RGB, all of one size."""
    seconds: F64
    """(frames,) when each is shown, from the clip's start."""
    watched: npt.NDArray[np.uint8]
    """(n, h, w, 3) small frames, evenly spread over the clip's time, at most `WATCHED_PER_SECOND` a second."""
    step: float
    """Seconds between two watched frames; nan if only single frames of a long clip were decoded."""
    length: float
    """Seconds."""
    n_frames: int
    """Of the file."""
    width: int
    """Of the file, upright; pixels."""
    height: int
    file_format: str
    """For example "MP4 (h264)" or "GIF"."""
    file_bytes: int
    has_sound: bool | None
    """None if the format cannot hold sound."""


def choose_frames(seconds: F64, most: int) -> I64:
    """Choose (k,) at most `most` of n frames, evenly spread over the time from the first to the last, each once.

    Args:
        seconds: (n,) times in rising order.
    """
    if len(seconds) <= most:
        return np.arange(len(seconds), dtype=np.int64)
    ends = np.linspace(seconds[0], seconds[-1], most)
    after = np.clip(np.searchsorted(seconds, ends), 1, len(seconds) - 1)
    nearer = after - (ends - seconds[after - 1] <= seconds[after] - ends)
    return np.unique(nearer).astype(np.int64)


def resize_rgb(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Convert an image to RGB at that size."""
    image = image.convert("RGB")
    if image.size == size:
        return image
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def small_size(width: int, height: int, *, short: int = 0, long: int = 0) -> tuple[int, int]:
    """Scale (width, height) to that short or long side, never enlarged."""
    scale = long / max(width, height)
    if short:
        scale = short / min(width, height)
    scale = min(scale, 1.0)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def stack_frames(frames: Sequence[Image.Image]) -> npt.NDArray[np.uint8]:
    """Stack images of one size to (n, h, w, 3)."""
    return np.stack([np.asarray(frame, np.uint8) for frame in frames])


class FrameCollector:
    """Collect frames while decoding: those for encoder and previews, and small ones for motion and cuts.

    Args:
        size: (width, height) of the frames for encoder and previews.
        seconds: (n,) times of all frames, or estimates before the times are known.
    """

    def __init__(self, size: tuple[int, int], seconds: F64) -> None:
        self.size = size
        self.small = small_size(*size, long=WATCHED_SIDE)
        length = float(seconds[-1] - seconds[0])
        self.wanted = set[int](choose_frames(seconds, KEPT_FRAMES).tolist())
        steps = int(min(max(length * WATCHED_PER_SECOND, 2), MAX_WATCHED_FRAMES))
        self.watched = set[int](choose_frames(seconds, steps + 1).tolist())
        self.frames = dict[int, Image.Image]()
        self.thumbs = dict[int, Image.Image]()

    def wants(self, number: int) -> bool:
        return number in self.wanted or number in self.watched

    def add(self, number: int, frame: Image.Image) -> None:
        """Add the frame of that number if it is wanted."""
        if number in self.wanted:
            self.frames[number] = resize_rgb(frame, self.size)
        if number in self.watched:
            self.thumbs[number] = resize_rgb(self.frames.get(number, frame), self.small)

    def clip(
        self, seconds: F64, length: float, full_size: tuple[int, int], kind: str, size: int, sound: bool | None
    ) -> Clip:
        """Build the clip from the frames added.

        Raises:
            Unreadable: no frame was added.
        """
        if not self.frames:
            raise Unreadable("contains no frame that can be decoded. Convert it to MP4.")
        rows = sorted(self.frames)
        watched = sorted(self.thumbs)
        step = np.nan
        if len(watched) > 1:
            step = float(np.median(np.diff(seconds[watched])))
        thumbs = np.zeros((0, 1, 1, 3), np.uint8)
        if watched:
            thumbs = stack_frames([self.thumbs[i] for i in watched])
        return Clip(
            tuple(self.frames[i] for i in rows),
            seconds[rows] - seconds[0],
            thumbs,
            step,
            length,
            len(seconds),
            *full_size,
            kind,
            size,
            sound,
        )


def check_shape(width: int, height: int, n: int, most: int) -> None:
    """Check that n frames of that size can be a clip.

    Raises:
        Unreadable: the frames are too few, have no pixels or more than `most`, or have an extreme shape.
    """
    if n < 2:
        raise Unreadable(f"has {count(n, 'frame')}; a clip has at least 2. Remove it.")
    if min(width, height) < 1:
        raise Unreadable(f"declares frames of {width} x {height} pixels. Convert it to MP4.")
    if width * height > most:
        raise Unreadable(f"has frames of {width} x {height} pixels, above the limit of {most:,}. Shrink it.")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise Unreadable(f"is {width} x {height} pixels, more than {MAX_ASPECT} times as long as wide. Crop it.")


def check_memory(pixels: int, limits: Limits) -> None:
    """Check that all frames together fit in memory.

    Args:
        pixels: of all frames.

    Raises:
        Unreadable: they take more memory than the limit.
    """
    if 3 * pixels > limits.max_decoder_bytes:
        raise Unreadable(
            f"takes {byte_size(3 * pixels)} with all its frames, above the limit of "
            f"{byte_size(limits.max_decoder_bytes)}. Cut or shrink it."
        )
