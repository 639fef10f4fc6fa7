"""From the bytes of a video or an animated image to a few frames, or to the reason why not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageSequence

from core.data.clips.frames import SHORT_SIDE, Clip, Taken, check_memory, check_shape, small_size
from core.data.clips.videos import clip_of, of_video, whole
from core.data.images.decoding import open_picture
from core.data.modality import Unreadable
from core.limits import Limits

VERSION = "clips 1"
"""Change it with anything that changes the frames: it is part of the cache's key."""
STILL = "is a single image, and a clip has at least 2 frames."
MAX_PICTURES = 20_000
"""Frames of an animated image."""
_CONTAINERS: tuple[tuple[Callable[[bytes], bool], str, str], ...] = (
    (lambda head: head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"), "mov", "MP4"),
    (lambda head: head.startswith(b"\x1a\x45\xdf\xa3"), "matroska", "WebM or Matroska"),
    (lambda head: head.startswith(b"RIFF") and head[8:12] == b"AVI ", "avi", "AVI"),
)


def decode_clip(data: bytes, limits: Limits = Limits()) -> Clip:
    """The clip in `data`.

    Raises:
        Unreadable: the bytes are no clip, hold no frame, or more than the limits allow.
    """
    if not data:
        raise Unreadable("is empty.")
    if (container := _container_of(data)) is not None:
        return of_video(data, container, limits, lambda video: clip_of(video, len(data), limits))
    return _decode_animation(data, limits)


def _container_of(data: bytes) -> tuple[str, str] | None:
    """FFmpeg's and people's name of a video's container; None of what is no video."""
    return next(((container, name) for is_it, container, name in _CONTAINERS if is_it(data[:16])), None)


# ---- animated images


def _animation(data: bytes, limits: Limits) -> tuple[Image.Image, int]:
    """The animated image, still to be decoded, and its number of frames."""
    try:
        image = open_picture(data, limits)
    except Unreadable as error:
        what = "is not a clip in a known format (MP4, MOV, WebM, Matroska, AVI, animated GIF, WebP or PNG)."
        raise Unreadable(what if "is not an image in a format" in str(error) else str(error)) from None
    # Pillow counts a GIF's frames by walking over them one by one; this bound from above takes no time
    if data.startswith(b"GIF8") and data.count(b"\0,") + data.count(b"\0!") > MAX_PICTURES + len(data) // 2**14:
        raise Unreadable(f"has more than {MAX_PICTURES:,} frames, the most that are read of an animated image.")
    try:
        n = int(getattr(image, "n_frames", 1))
    except Exception as error:  # of a GIF Pillow counts the frames by reading on
        raise Unreadable(f"is damaged or cut short ({error}).") from error
    if n < 2:
        raise Unreadable(STILL)
    check_shape(*image.size, n, limits.max_frame_pixels)
    if n * image.width * image.height > limits.max_clip_pixels:
        raise Unreadable(
            f"has {n:,} frames of {image.width} x {image.height} pixels, more than the {limits.max_clip_pixels:,} "
            "pixels that are decoded of an animated image. Save it as MP4 or WebM."
        )
    return image, n


def _decode_animation(data: bytes, limits: Limits) -> Clip:
    """A GIF, WebP, PNG or AVIF of several frames. A frame's time is when the ones before it end."""
    image, n = _animation(data, limits)
    width, height = image.size
    try:
        taken = Taken(small_size(width, height, short=SHORT_SIDE), np.arange(n) / 10)
        starts = list[float]()
        at = 0.0
        for number, frame in enumerate(ImageSequence.Iterator(image)):
            frame.load()  # a WebP tells how long it is shown only then
            starts.append(at)
            at += max(float(frame.info.get("duration") or 100), 10.0) / 1000
            taken.see(number, frame)
    except Unreadable:
        raise
    except Exception as error:  # Pillow's readers raise many kinds of error on bad bytes
        raise Unreadable(f"is damaged or cut short ({error}).") from error
    seconds = np.array(starts)
    return taken.clip(seconds, at, (width, height), image.format or "unknown", len(data), None)


def every_frame(data: bytes, limits: Limits = Limits()) -> tuple[list[Image.Image], float]:
    """All frames of the clip in `data`, upright RGB at its own size, and its frames a second (of frames that are shown
    for different times, the median).

    Raises:
        Unreadable: as for `decode_clip`, or all frames together take more memory than the limit.
    """
    if (container := _container_of(data)) is not None:
        return of_video(data, container, limits, lambda video: whole(video, limits))
    image, n = _animation(data, limits)
    check_memory(n * image.width * image.height, limits)
    shown = list[Image.Image]()
    times = list[float]()
    try:
        for frame in ImageSequence.Iterator(image):
            shown.append(frame.convert("RGB"))
            times.append(float(frame.info.get("duration") or 100))
    except Exception as error:  # Pillow's readers raise many kinds of error on bad bytes
        raise Unreadable(f"is damaged or cut short ({error}).") from error
    return shown, 1000 / max(float(np.median(times)), 10.0)
