"""From the bytes of a video or an animated picture to a few frames, or to the reason why not.

Videos are read by FFmpeg's libraries (PyAV) with the container that their first bytes tell, so that no playlist or
other list of files can be taken for one: nothing but the bytes is opened. Only codecs that people film with are run.
What a file declares is checked against `Limits` before memory is given to it: its size in pixels, its number of frames,
and what decoding all of them would take. Of a clip above that, single frames are decoded, sought by their time, and
motion and cuts are left open.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageSequence

from core.data.clips.frames import (
    FRAMES,
    MOST_WATCHED,
    SHORT_SIDE,
    WATCHED,
    WATCHED_SIDE,
    Clip,
    chosen,
    sized,
    small_size,
    stacked,
)
from core.data.images.decoding import MAX_ASPECT, open_picture
from core.data.modality import Unreadable
from core.limits import Limits
from core.records import F64

VERSION = "clips 1"
"""Change it with anything that changes the frames: it is part of the cache's key."""
CODECS = frozenset(
    "h264 hevc vp8 vp9 av1 libdav1d mpeg4 mjpeg mpeg1video mpeg2video h263 msmpeg4v3 prores rawvideo ffv1 huffyuv "
    "cinepak".split()
)
"""Codecs that are run, by FFmpeg's names."""
MAX_PICTURES = 20_000
"""Frames of an animated picture."""
_CONTAINERS: tuple[tuple[Callable[[bytes], bool], str, str], ...] = (
    (lambda head: head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"), "mov", "MP4"),
    (lambda head: head.startswith(b"\x1a\x45\xdf\xa3"), "matroska", "WebM or Matroska"),
    (lambda head: head.startswith(b"RIFF") and head[8:12] == b"AVI ", "avi", "AVI"),
)
_TRIED = 64
"""Frames that may follow one that was sought, until it is reached."""


def decode_clip(data: bytes, limits: Limits = Limits()) -> Clip:
    """The clip in `data`.

    Raises:
        Unreadable: the bytes are no clip, hold no frame, or more than the limits allow.
    """
    if not data:
        raise Unreadable("is empty.")
    for is_it, container, name in _CONTAINERS:
        if is_it(data[:16]):
            return _decode_video(data, container, name, limits)
    return _decode_animation(data, limits)


# ---- animated pictures


def _decode_animation(data: bytes, limits: Limits) -> Clip:
    """A GIF, WebP, PNG or AVIF of several frames. A frame's time is when the ones before it end."""
    try:
        image = open_picture(data, limits)
    except Unreadable as error:
        what = "is no clip in a format that is known here (MP4, MOV, WebM, Matroska, AVI, animated GIF, WebP or PNG)."
        raise Unreadable(what if "is not a picture in a format" in str(error) else str(error)) from None
    # Pillow counts a GIF's frames by walking over them one by one; this bound from above takes no time
    if data.startswith(b"GIF8") and data.count(b"\0,") + data.count(b"\0!") > MAX_PICTURES + len(data) // 2**14:
        raise Unreadable(f"has more than {MAX_PICTURES:,} frames, the most that are read of an animated picture.")
    n = int(getattr(image, "n_frames", 1))
    if n < 2:
        raise Unreadable("is a single picture, and a clip has at least 2 frames.")
    width, height = image.size
    _check_shape(width, height, n, limits)
    if n * width * height > limits.max_clip_pixels:
        raise Unreadable(
            f"has {n:,} frames of {width} x {height} pixels, more than the {limits.max_clip_pixels:,} pixels that are "
            "decoded of an animated picture. Save it as MP4 or WebM."
        )
    try:
        taken = _Taken(small_size(width, height, short=SHORT_SIDE), np.arange(n) / 10)
        starts, at = list[float](), 0.0
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


class _Taken:
    """Frames on their way in: those for encoder and previews, and small ones for motion and cuts.

    Args:
        size: of the frames that are kept.
        seconds: (n,) times of all frames, or their numbers where those are not known yet.
    """

    def __init__(self, size: tuple[int, int], seconds: F64) -> None:
        self.size, self.small = size, small_size(*size, long=WATCHED_SIDE)
        length = float(seconds[-1] - seconds[0])
        self.kept = {int(i): i for i in chosen(seconds, FRAMES)}
        self.watched = {int(i): i for i in chosen(seconds, int(min(max(length * WATCHED, 2), MOST_WATCHED)) + 1)}
        self.frames, self.thumbs = dict[int, Image.Image](), dict[int, Image.Image]()

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
        rows, watched = sorted(self.frames), sorted(self.thumbs)
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


# ---- videos


@dataclass(slots=True)
class _Video:
    """An open container with what was read of its video before any frame was decoded."""

    container: Any
    stream: Any
    seconds: F64
    """(n,) times of the frames, in the order in which they are shown."""


def _decode_video(data: bytes, container: str, name: str, limits: Limits) -> Clip:
    import av  # FFmpeg's libraries: not before a video is there
    from av import logging
    from av.error import FFmpegError

    logging.set_level(None)  # what FFmpeg finds odd in a file is no matter for the log
    try:
        with av.open(io.BytesIO(data), format=container, metadata_errors="ignore") as opened:
            return _decoded(opened, data, name, limits)
    except Unreadable:
        raise
    except (FFmpegError, ValueError, OverflowError, MemoryError) as error:
        why = "there is not enough memory" if isinstance(error, MemoryError) else getattr(error, "strerror", str(error))
        raise Unreadable(f"is damaged, cut short or no {name} ({why}).") from error


def _decoded(opened: Any, data: bytes, name: str, limits: Limits) -> Clip:
    if not opened.streams.video:
        raise Unreadable("has no pictures, only sound." if opened.streams.audio else "has no video in it.")
    stream = opened.streams.video[0]
    context = stream.codec_context
    codec = "unknown" if context is None else str(context.name)
    if context is None or codec not in CODECS:
        raise Unreadable(f"is coded as {codec!r}, which is not read here. Convert it to H.264 in MP4, or to WebM.")
    width, height = context.width, context.height
    seconds = _times(opened, stream, limits)
    _check_shape(width, height, len(seconds), limits)
    stream.thread_count, stream.thread_type = 1, "NONE"
    context.options = {"max_pixels": str(limits.max_pixels)}  # also where the size changes midway
    video = _Video(opened, stream, seconds)
    step = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.0
    length = float(seconds[-1] - seconds[0]) + step
    opened.seek(0, stream=None)
    whole = len(seconds) * width * height <= limits.max_clip_pixels
    taken, upright = _all_frames(video) if whole else _single_frames(video)
    kind = f"{name} ({codec})"
    return taken.clip(seconds, length, upright or (width, height), kind, len(data), bool(opened.streams.audio))


def _check_shape(width: int, height: int, n: int, limits: Limits) -> None:
    if n < 2:
        raise Unreadable(f"has {n} frame{'' if n == 1 else 's'}, and a clip has at least 2.")
    if min(width, height) < 1 or width * height > limits.max_pixels:
        raise Unreadable(f"has {width} x {height} pixels; 1 to {limits.max_pixels:,} are read.")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise Unreadable(f"is {width} x {height} pixels, more than {MAX_ASPECT} times as long as wide.")


def _times(opened: Any, stream: Any, limits: Limits) -> F64:
    """(n,) seconds of the frames, from the packets alone: nothing is decoded.

    Raises:
        Unreadable: there are more than the limit.
    """
    found, base = list[float](), float(stream.time_base or 0) or 1 / 25
    for number, packet in enumerate(opened.demux(stream)):
        if number > limits.max_clip_frames:
            raise Unreadable(f"has more than {limits.max_clip_frames:,} frames, the most that are read. Cut it.")
        if packet.size and not packet.is_discard:
            found.append((packet.pts if packet.pts is not None else packet.dts if packet.dts is not None else 0) * base)
    return np.array(sorted(found))


def _all_frames(video: _Video) -> tuple[_Taken, tuple[int, int] | None]:
    """Every frame decoded in turn; the wanted ones are kept."""
    taken, size = None, None
    for number, frame in enumerate(_frames(video)):
        if number >= len(video.seconds):
            break
        if taken is None:
            size = _upright(frame)
            taken = _Taken(small_size(*size, short=SHORT_SIDE), video.seconds)
        if taken.wants(number):
            taken.see(number, _picture(frame, taken.size))
    return taken or _Taken((1, 1), video.seconds), size


def _single_frames(video: _Video) -> tuple[_Taken, tuple[int, int] | None]:
    """The frames nearest to the wanted times that can be decoded alone."""
    taken, size = None, None
    for number in chosen(video.seconds, FRAMES).tolist():
        wanted = video.seconds[number]
        video.container.seek(int(wanted / float(video.stream.time_base)), stream=video.stream)
        for tried, frame in enumerate(_frames(video)):
            if tried < _TRIED and frame.time is not None and frame.time < wanted and not frame.key_frame:
                continue
            if taken is None:
                size = _upright(frame)
                taken = _Taken(small_size(*size, short=SHORT_SIDE), video.seconds)
                taken.watched = {}
            taken.see(number, _picture(frame, taken.size))
            break
    return taken or _Taken((1, 1), video.seconds), size


def _frames(video: _Video) -> Iterator[Any]:
    """Decoded frames from where the container stands. A frame that is damaged ends them: what came before stays."""
    from av.error import FFmpegError

    try:
        yield from video.container.decode(video.stream)
    except FFmpegError:
        return


def _upright(frame: Any) -> tuple[int, int]:
    """(width, height) as it is shown: telephones film sideways and say so."""
    return (frame.height, frame.width) if frame.rotation % 180 else (frame.width, frame.height)


def _picture(frame: Any, size: tuple[int, int]) -> Image.Image:
    """The frame at that size, upright RGB."""
    turned = frame.rotation % 360
    width, height = size if turned % 180 == 0 else size[::-1]
    image = Image.fromarray(frame.to_ndarray(format="rgb24", width=width, height=height))
    return image.rotate(turned, expand=True) if turned else image
