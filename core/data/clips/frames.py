"""What a clip is once it was decoded: a few frames with their times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.data.images.decoding import MAX_ASPECT
from core.data.modality import Unreadable
from core.limits import Limits, byte_size
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
    """The image as RGB at that size."""
    image = image.convert("RGB")
    return image if image.size == size else image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def small_size(width: int, height: int, *, short: int = 0, long: int = 0) -> tuple[int, int]:
    """(width, height) with that short or long side, never enlarged."""
    scale = min(1.0, short / min(width, height) if short else long / max(width, height))
    return max(round(width * scale), 1), max(round(height * scale), 1)


def stacked(frames: Sequence[Image.Image]) -> npt.NDArray[np.uint8]:
    """(n, h, w, 3) of images of one size."""
    return np.stack([np.asarray(frame, np.uint8) for frame in frames])


class Taken:
    """Frames on their way in: those for encoder and previews, and small ones for motion and cuts.

    Args:
        size: of the frames that are kept.
        seconds: (n,) times of all frames, or their numbers where those are not known yet.
    """

    def __init__(self, size: tuple[int, int], seconds: F64) -> None:
        self.size = size
        self.small = small_size(*size, long=WATCHED_SIDE)
        length = float(seconds[-1] - seconds[0])
        self.kept = set[int](chosen(seconds, FRAMES).tolist())
        self.watched = set[int](chosen(seconds, int(min(max(length * WATCHED, 2), MOST_WATCHED)) + 1).tolist())
        self.frames = dict[int, Image.Image]()
        self.thumbs = dict[int, Image.Image]()

    def wants(self, number: int) -> bool:
        return number in self.kept or number in self.watched

    def see(self, number: int, frame: Image.Image) -> None:
        """Take the frame of that number, if it is one of those wanted."""
        if number in self.kept:
            self.frames[number] = sized(frame, self.size)
        if number in self.watched:
            self.thumbs[number] = sized(self.frames.get(number, frame), self.small)

    def clip(
        self, seconds: F64, length: float, whole: tuple[int, int], kind: str, size: int, sound: bool | None
    ) -> Clip:
        """The clip of what was seen.

        Raises:
            Unreadable: no frame was.
        """
        if not self.frames:
            raise Unreadable("holds no frame that can be decoded.")
        rows = sorted(self.frames)
        watched = sorted(self.thumbs)
        step = float(np.median(np.diff(seconds[watched]))) if len(watched) > 1 else np.nan
        thumbs = stacked([self.thumbs[i] for i in watched]) if watched else np.zeros((0, 1, 1, 3), np.uint8)
        return Clip(
            tuple(self.frames[i] for i in rows),
            seconds[rows] - seconds[0],
            thumbs,
            step,
            length,
            len(seconds),
            *whole,
            kind,
            size,
            sound,
        )


def check_shape(width: int, height: int, n: int, most: int) -> None:
    """
    Raises:
        Unreadable: n frames of that size are too few, have no pixels or more than `most`, or are an extreme shape.
    """
    if n < 2:
        raise Unreadable(f"has {n} frame{'' if n == 1 else 's'}, and a clip has at least 2.")
    if min(width, height) < 1:
        raise Unreadable(f"declares no size that is read: a frame has 1 to {most:,} pixels.")
    if width * height > most:
        raise Unreadable(f"has frames of {width} x {height} pixels, more than the {most:,} that are read.")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise Unreadable(f"is {width} x {height} pixels, more than {MAX_ASPECT} times as long as wide.")


def check_memory(pixels: int, limits: Limits) -> None:
    """
    Raises:
        Unreadable: all frames together, of so many pixels, take more memory than the limit.
    """
    if 3 * pixels > limits.max_decoder_bytes:
        raise Unreadable(
            f"takes {byte_size(3 * pixels)} with all its frames; {byte_size(limits.max_decoder_bytes)} are the most. "
            "Bring a shorter or smaller one."
        )
