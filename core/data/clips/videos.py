"""Read videos with FFmpeg's libraries (PyAV).

Only the bytes are opened, with the container fixed beforehand, so that no playlist or other list of files can pass for
a video. Only codecs that people film with are run. What a file declares is checked against `Limits` before memory is
allocated: the pixels of a frame (also while FFmpeg looks for what the header leaves out), the number of frames, and the
pixels of all together. Of a clip above that limit, single frames are decoded, sought by their time.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from core.data.clips.frames import (
    KEPT_FRAMES,
    SHORT_SIDE,
    Clip,
    FrameCollector,
    check_memory,
    check_shape,
    choose_frames,
    small_size,
)
from core.data.modality import Unreadable
from core.limits import Limits
from core.numbers import count
from core.records import F64

T = TypeVar("T")
CODECS = frozenset(
    "h264 hevc vp8 vp9 av1 libdav1d mpeg4 mjpeg mpeg1video mpeg2video h263 msmpeg4 prores rawvideo ffv1 huffyuv "
    "cinepak".split()
)
"""Codecs that are run, by FFmpeg's names."""
_MAX_STREAMS = 1_000
"""FFmpeg's limit of streams in a file."""


@dataclass(slots=True)
class Video:
    """An open container and what its headers and packets declare, before any frame is decoded."""

    container: Any
    stream: Any
    seconds: F64
    """(n,) times of the frames, in the order of showing."""
    size: tuple[int, int]
    """(width, height) as coded, before any rotation."""
    kind: str

    @property
    def step(self) -> float:
        """Seconds from one frame to the next."""
        return float(np.median(np.diff(self.seconds))) or 1 / 25

    @property
    def pixels(self) -> int:
        """Pixels of all frames together."""
        return len(self.seconds) * self.size[0] * self.size[1]


def with_video(data: bytes, container: tuple[str, str], limits: Limits, use: Callable[[Video], T]) -> T:
    """Call `use` on the video, which is open only during the call, and return its result.

    Args:
        container: FFmpeg's name and the usual name.

    Raises:
        Unreadable: the file is damaged, declares more than the limits allow, or has another codec than `CODECS`.
    """
    import av  # loads FFmpeg's libraries: only when there is a video
    from av import logging
    from av.error import FFmpegError

    logging.set_level(None)  # FFmpeg's warnings about a file stay out of the log
    bound = {"max_pixels": str(limits.max_frame_pixels)}  # of every frame, even if the size changes midway
    # PyAV's stub types these as texts; they are options of each stream, in force while FFmpeg completes its header
    while_opening: dict[str, Any] = {"stream_options": [bound] * _MAX_STREAMS}
    try:
        with av.open(io.BytesIO(data), format=container[0], metadata_errors="ignore", **while_opening) as opened:
            return use(_check_video(opened, container[1], limits, bound))
    except Unreadable:
        raise
    except (FFmpegError, ValueError, OverflowError, MemoryError) as error:
        if "stream_options" in str(error):  # PyAV found no stream to set them on
            raise Unreadable("contains no video. Remove it.") from None
        reason = getattr(error, "strerror", str(error))
        if isinstance(error, MemoryError):
            reason = "there is not enough memory"
        raise Unreadable(f"is damaged, cut short, or not {container[1]} ({reason}).") from error


def _check_video(opened: Any, name: str, limits: Limits, bound: Mapping[str, str]) -> Video:
    """Return the container's video, once all that it declares is within the limits."""
    if not opened.streams.video:
        if opened.streams.audio:
            raise Unreadable("contains only sound. Remove it.")
        raise Unreadable("contains no video. Remove it.")
    stream = opened.streams.video[0]
    context = stream.codec_context
    codec = "unknown"
    if context is not None:
        codec = str(context.name)
    if context is None or codec not in CODECS:
        raise Unreadable(
            f"has the codec {codec!r}, which Errata does not read. Convert it to H.264 in MP4, or to WebM."
        )
    size = (context.width, context.height)
    seconds = _times(opened, stream, limits)
    check_shape(*size, len(seconds), limits.max_frame_pixels)
    stream.thread_count = 1
    stream.thread_type = "NONE"
    context.options = dict(bound)
    opened.seek(0, stream=None)
    return Video(opened, stream, seconds, size, f"{name} ({codec})")


def build_clip(video: Video, n_bytes: int, limits: Limits) -> Clip:
    """Decode the clip of an open video; of one that is too large, only single frames."""
    if video.pixels <= limits.max_clip_pixels:
        collector, upright = _collect_all(video, limits.max_clip_pixels)
    else:
        collector, upright = _collect_single(video, limits.max_clip_pixels)
    length = float(video.seconds[-1] - video.seconds[0]) + video.step
    sound = bool(video.container.streams.audio)
    return collector.clip(video.seconds, length, upright or video.size, video.kind, n_bytes, sound)


def decode_all_frames(video: Video, limits: Limits) -> tuple[list[Image.Image], float]:
    """Decode all frames of an open video; also return the frames per second.

    Raises:
        Unreadable: they take too much memory, or fewer than 2 can be decoded.
    """
    check_memory(video.pixels, limits)
    width, height = video.size
    frames = list[Image.Image]()
    for frame in islice(_frames(video, video.pixels), len(video.seconds)):
        size = (width, height)
        if _rotation(frame) % 180:
            size = (height, width)
        frames.append(_to_image(frame, size))
    if len(frames) < 2:
        raise Unreadable(
            f"has {count(len(frames), 'frame')} that can be decoded; a clip has at least 2. Convert it to MP4."
        )
    return frames, 1 / video.step


def _times(opened: Any, stream: Any, limits: Limits) -> F64:
    """(n,) seconds of the frames, from the packets: nothing is decoded.

    Raises:
        Unreadable: the frames exceed the limit.
    """
    seconds = list[float]()
    base = float(stream.time_base or 0) or 1 / 25
    for number, packet in enumerate(opened.demux(stream)):
        if number > limits.max_clip_frames:
            raise Unreadable(f"has more than {limits.max_clip_frames:,} frames, the limit. Cut it.")
        if packet.size and not packet.is_discard:
            ticks = packet.dts or 0
            if packet.pts is not None:
                ticks = packet.pts
            seconds.append(ticks * base)
    return np.array(sorted(seconds))


def _collect_all(video: Video, most: int) -> tuple[FrameCollector, tuple[int, int] | None]:
    """Decode every frame in turn and collect the wanted ones; also return (width, height) as shown."""
    collector = None
    size = None
    for number, frame in enumerate(_frames(video, most)):
        if number >= len(video.seconds):
            break
        if collector is None:
            size = _upright_size(frame)
            collector = FrameCollector(small_size(*size, short=SHORT_SIDE), video.seconds)
        if collector.wants(number):
            collector.add(number, _to_image(frame, collector.size))
    return collector or FrameCollector((1, 1), video.seconds), size


def _collect_single(video: Video, most: int) -> tuple[FrameCollector, tuple[int, int] | None]:
    """Decode the wanted frames, each sought from the key frame before it. If that takes more than a frame's share of
    `most` decoded pixels, an earlier frame is used, with its time."""
    collector = None
    size = None
    wanted = choose_frames(video.seconds, KEPT_FRAMES).tolist()
    for number in wanted:
        second = video.seconds[number]
        frame = None
        video.container.seek(int(second / float(video.stream.time_base)), stream=video.stream)
        for frame in _frames(video, most // len(wanted)):
            if frame.time is None or frame.time >= second - video.step / 2:
                break
        if frame is None:
            continue
        if collector is None:
            size = _upright_size(frame)
            collector = FrameCollector(small_size(*size, short=SHORT_SIDE), video.seconds)
            collector.watched = set()
        index = number
        if frame.time is not None:
            index = int(np.abs(video.seconds - frame.time).argmin())
        collector.frames[index] = _to_image(frame, collector.size)
    return collector or FrameCollector((1, 1), video.seconds), size


def _frames(video: Video, most: int) -> Iterator[Any]:
    """Decoded frames from the container's position on: at least one, until `most` pixels were decoded, since frames may
    be larger than the header declares. A damaged frame ends them; the frames before it count."""
    from av.error import FFmpegError

    try:
        for frame in video.container.decode(video.stream):
            yield frame
            most -= frame.width * frame.height
            if most <= 0:
                return
    except FFmpegError:
        return


def _rotation(frame: Any) -> int:
    """Degrees to turn a frame upright, rounded to 0, 90, 180 or 270: telephones film sideways but never at a slant."""
    return round(frame.rotation / 90) * 90 % 360


def _upright_size(frame: Any) -> tuple[int, int]:
    """(width, height) as shown."""
    if _rotation(frame) % 180:
        return frame.height, frame.width
    return frame.width, frame.height


def _to_image(frame: Any, size: tuple[int, int]) -> Image.Image:
    """Convert a frame to upright RGB of that (width, height)."""
    rotation = _rotation(frame)
    width, height = size
    if rotation % 180:
        height, width = size
    image = Image.fromarray(frame.to_ndarray(format="rgb24", width=width, height=height))
    if rotation:
        image = image.rotate(rotation, expand=True)
    return image
