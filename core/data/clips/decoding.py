"""Decode a video or an animated image to a few frames, or raise the reason why not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageSequence

from core.data.clips.frames import SHORT_SIDE, Clip, FrameCollector, check_memory, check_shape, small_size
from core.data.clips.videos import build_clip, decode_all_frames, with_video
from core.data.images.decoding import open_picture
from core.data.modality import Unreadable
from core.limits import Limits

VERSION = "clips 1"
"""Change it with anything that changes the frames: it is part of the cache's key."""
STILL = "is a single image; a clip has at least 2 frames."
MAX_ANIMATION_FRAMES = 20_000
"""Limit for an animated image; Pillow counts frames by walking over them."""
_CONTAINERS: tuple[tuple[Callable[[bytes], bool], str, str], ...] = (
    (lambda head: head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"), "mov", "MP4"),
    (lambda head: head.startswith(b"\x1a\x45\xdf\xa3"), "matroska", "WebM or Matroska"),
    (lambda head: head.startswith(b"RIFF") and head[8:12] == b"AVI ", "avi", "AVI"),
)


def decode_clip(data: bytes, limits: Limits = Limits()) -> Clip:
    """Decode the clip in `data`.

    Raises:
        Unreadable: the bytes are not a clip, hold no frame, or more than the limits allow.
    """
    if not data:
        raise Unreadable("is empty.")
    container = _container_of(data)
    if container is not None:
        return with_video(data, container, limits, lambda video: build_clip(video, len(data), limits))
    return _decode_animation(data, limits)


def _container_of(data: bytes) -> tuple[str, str] | None:
    """FFmpeg's name of a video's container and the usual name; None if the bytes are not a video."""
    for matches, container, name in _CONTAINERS:
        if matches(data[:16]):
            return container, name
    return None


# ---- animated images


def _animation(data: bytes, limits: Limits) -> tuple[Image.Image, int]:
    """Open an animated image, still to be decoded, and count its frames."""
    try:
        image = open_picture(data, limits)
    except Unreadable as error:
        if "is not an image in a known format" not in str(error):
            raise
        raise Unreadable(
            "is not a clip in a known format (MP4, MOV, WebM, Matroska, AVI, animated GIF, WebP, or PNG). "
            "Save it as MP4."
        ) from None
    # Pillow counts a GIF's frames by walking over them one by one; this bound from above takes no time
    if data.startswith(b"GIF8") and data.count(b"\0,") + data.count(b"\0!") > MAX_ANIMATION_FRAMES + len(data) // 2**14:
        raise Unreadable(f"has more than {MAX_ANIMATION_FRAMES:,} frames, the limit of an animated image. Cut it.")
    try:
        n = int(getattr(image, "n_frames", 1))
    except Exception as error:  # of a GIF Pillow counts the frames by reading on
        raise Unreadable(f"is damaged or cut short ({error}).") from error
    if n < 2:
        raise Unreadable(STILL)
    check_shape(*image.size, n, limits.max_frame_pixels)
    if n * image.width * image.height > limits.max_clip_pixels:
        raise Unreadable(
            f"has {n:,} frames of {image.width} x {image.height} pixels, above the limit of "
            f"{limits.max_clip_pixels:,} pixels for an animated image. Save it as MP4 or WebM."
        )
    return image, n


def _decode_animation(data: bytes, limits: Limits) -> Clip:
    """Decode a GIF, WebP, PNG or AVIF of several frames. Each frame begins when the one before it ends."""
    image, n = _animation(data, limits)
    width, height = image.size
    try:
        collector = FrameCollector(small_size(width, height, short=SHORT_SIDE), np.arange(n) / 10)
        starts = list[float]()
        at = 0.0
        for number, frame in enumerate(ImageSequence.Iterator(image)):
            frame.load()  # a WebP has its duration only then
            starts.append(at)
            at += max(float(frame.info.get("duration") or 100), 10.0) / 1000
            collector.add(number, frame)
    except Unreadable:
        raise
    except Exception as error:  # Pillow's readers raise many kinds of error on bad bytes
        raise Unreadable(f"is damaged or cut short ({error}).") from error
    seconds = np.array(starts)
    return collector.clip(seconds, at, (width, height), image.format or "unknown", len(data), None)


def every_frame(data: bytes, limits: Limits = Limits()) -> tuple[list[Image.Image], float]:
    """Decode all frames of the clip in `data`, upright RGB at full size, and its frames per second (from the median
    duration).

    Raises:
        Unreadable: as for `decode_clip`, or all frames together take more memory than the limit.
    """
    container = _container_of(data)
    if container is not None:
        return with_video(data, container, limits, lambda video: decode_all_frames(video, limits))
    image, n = _animation(data, limits)
    check_memory(n * image.width * image.height, limits)
    frames = list[Image.Image]()
    durations = list[float]()  # milliseconds
    try:
        for frame in ImageSequence.Iterator(image):
            frames.append(frame.convert("RGB"))
            durations.append(float(frame.info.get("duration") or 100))
    except Exception as error:  # Pillow's readers raise many kinds of error on bad bytes
        raise Unreadable(f"is damaged or cut short ({error}).") from error
    return frames, 1000 / max(float(np.median(durations)), 10.0)
