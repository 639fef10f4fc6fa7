"""Videos read by FFmpeg's libraries (PyAV).

Nothing but the bytes is opened, with the container that was told beforehand, so that no playlist or other list of files
can be taken for one. Only codecs that people film with are run. What a file declares is checked against `Limits` before
memory is given to it: the pixels of a frame (also while FFmpeg looks for what the header leaves out), the number of
frames, and what decoding all of them would take. Of a clip above that single frames are decoded, sought by their time.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from core.data.clips.frames import FRAMES, SHORT_SIDE, Clip, Taken, check_memory, check_shape, chosen, small_size
from core.data.modality import Unreadable
from core.limits import Limits
from core.records import F64

T = TypeVar("T")
CODECS = frozenset(
    "h264 hevc vp8 vp9 av1 libdav1d mpeg4 mjpeg mpeg1video mpeg2video h263 msmpeg4 prores rawvideo ffv1 huffyuv "
    "cinepak".split()
)
"""Codecs that are run, by FFmpeg's names."""
_STREAMS = 1_000
"""FFmpeg reads no more of a file."""


@dataclass(slots=True)
class Video:
    """An open container with what was read of its video before any frame was decoded."""

    container: Any
    stream: Any
    seconds: F64
    """(n,) times of the frames, in the order in which they are shown."""
    size: tuple[int, int]
    """(width, height) as it is coded."""
    kind: str

    @property
    def step(self) -> float:
        """Seconds from one frame to the next."""
        return float(np.median(np.diff(self.seconds))) or 1 / 25

    @property
    def pixels(self) -> int:
        """Of all frames together."""
        return len(self.seconds) * self.size[0] * self.size[1]


def of_video(data: bytes, container: tuple[str, str], limits: Limits, use: Callable[[Video], T]) -> T:
    """What `use` makes of the video, which is open only then.

    Args:
        container: FFmpeg's name of it, and people's.
    """
    import av  # FFmpeg's libraries: not before a video is there
    from av import logging
    from av.error import FFmpegError

    logging.set_level(None)  # what FFmpeg finds odd in a file is no matter for the log
    bound = {"max_pixels": str(limits.max_frame_pixels)}  # of every frame, also where the size changes midway
    # PyAV's stub says that these are texts; they are options of each stream, and hold while its header is completed
    while_opening: dict[str, Any] = {"stream_options": [bound] * _STREAMS}
    try:
        with av.open(io.BytesIO(data), format=container[0], metadata_errors="ignore", **while_opening) as opened:
            return use(_looked_over(opened, container[1], limits, bound))
    except Unreadable:
        raise
    except (FFmpegError, ValueError, OverflowError, MemoryError) as error:
        if "stream_options" in str(error):  # PyAV found no stream to set them on
            raise Unreadable("has no video in it.") from None
        why = "there is not enough memory" if isinstance(error, MemoryError) else getattr(error, "strerror", str(error))
        raise Unreadable(f"is damaged, cut short or no {container[1]} ({why}).") from error


def _looked_over(opened: Any, name: str, limits: Limits, bound: Mapping[str, str]) -> Video:
    """The container's video, once all that it declares is within the limits."""
    if not opened.streams.video:
        raise Unreadable("has no images, only sound." if opened.streams.audio else "has no video in it.")
    stream = opened.streams.video[0]
    context = stream.codec_context
    codec = "unknown" if context is None else str(context.name)
    if context is None or codec not in CODECS:
        raise Unreadable(f"is coded as {codec!r}, which is not read here. Convert it to H.264 in MP4, or to WebM.")
    size = (context.width, context.height)
    seconds = _times(opened, stream, limits)
    check_shape(*size, len(seconds), limits.max_frame_pixels)
    stream.thread_count = 1
    stream.thread_type = "NONE"
    context.options = dict(bound)
    opened.seek(0, stream=None)
    return Video(opened, stream, seconds, size, f"{name} ({codec})")


def clip_of(video: Video, n_bytes: int, limits: Limits) -> Clip:
    """The clip of an open video: of one that is too large only single frames are decoded."""
    taken, upright = (
        _all_frames(video, limits.max_clip_pixels)
        if video.pixels <= limits.max_clip_pixels
        else _single_frames(video, limits.max_clip_pixels)
    )
    length = float(video.seconds[-1] - video.seconds[0]) + video.step
    sound = bool(video.container.streams.audio)
    return taken.clip(video.seconds, length, upright or video.size, video.kind, n_bytes, sound)


def whole(video: Video, limits: Limits) -> tuple[list[Image.Image], float]:
    """All frames of an open video, and how many are shown a second."""
    check_memory(video.pixels, limits)
    (width, height), frames = video.size, list[Image.Image]()
    for frame in islice(_frames(video, video.pixels), len(video.seconds)):
        frames.append(_picture(frame, (height, width) if _turn(frame) % 180 else (width, height)))
    if len(frames) < 2:
        raise Unreadable(f"holds {'one frame' if frames else 'no frame'} that can be decoded.")
    return frames, 1 / video.step


def _times(opened: Any, stream: Any, limits: Limits) -> F64:
    """(n,) seconds of the frames, from the packets alone: nothing is decoded.

    Raises:
        Unreadable: there are more than the limit.
    """
    found = list[float]()
    base = float(stream.time_base or 0) or 1 / 25
    for number, packet in enumerate(opened.demux(stream)):
        if number > limits.max_clip_frames:
            raise Unreadable(f"has more than {limits.max_clip_frames:,} frames, the most that are read. Cut it.")
        if packet.size and not packet.is_discard:
            found.append((packet.pts if packet.pts is not None else packet.dts if packet.dts is not None else 0) * base)
    return np.array(sorted(found))


def _all_frames(video: Video, most: int) -> tuple[Taken, tuple[int, int] | None]:
    """Every frame decoded in turn; the wanted ones are kept."""
    taken = None
    size = None
    for number, frame in enumerate(_frames(video, most)):
        if number >= len(video.seconds):
            break
        if taken is None:
            size = _upright(frame)
            taken = Taken(small_size(*size, short=SHORT_SIDE), video.seconds)
        if taken.wants(number):
            taken.see(number, _picture(frame, taken.size))
    return taken or Taken((1, 1), video.seconds), size


def _single_frames(video: Video, most: int) -> tuple[Taken, tuple[int, int] | None]:
    """The wanted frames, each sought from the key frame before it; where that takes more than its share of `most`
    decoded pixels, an earlier one, under its own time."""
    taken = None
    size = None
    wanted = chosen(video.seconds, FRAMES).tolist()
    for number in wanted:
        second = video.seconds[number]
        frame = None
        video.container.seek(int(second / float(video.stream.time_base)), stream=video.stream)
        for frame in _frames(video, most // len(wanted)):
            if frame.time is None or frame.time >= second - video.step / 2:
                break
        if frame is None:
            continue
        if taken is None:
            size = _upright(frame)
            taken = Taken(small_size(*size, short=SHORT_SIDE), video.seconds)
            taken.watched = set()
        shown = number if frame.time is None else int(np.abs(video.seconds - frame.time).argmin())
        taken.frames[shown] = _picture(frame, taken.size)
    return taken or Taken((1, 1), video.seconds), size


def _frames(video: Video, most: int) -> Iterator[Any]:
    """Decoded frames from where the container stands, the first and others until `most` pixels were decoded: frames may
    be larger than the header says. A frame that is damaged ends them: what came before stays."""
    from av.error import FFmpegError

    try:
        for frame in video.container.decode(video.stream):
            yield frame
            if (most := most - frame.width * frame.height) <= 0:
                return
    except FFmpegError:
        return


def _turn(frame: Any) -> int:
    """0, 90, 180 or 270 degrees by which it is turned to stand upright: the nearest of them, since telephones film
    sideways but nothing aslant."""
    return round(frame.rotation / 90) * 90 % 360


def _upright(frame: Any) -> tuple[int, int]:
    """(width, height) as it is shown."""
    return (frame.height, frame.width) if _turn(frame) % 180 else (frame.width, frame.height)


def _picture(frame: Any, size: tuple[int, int]) -> Image.Image:
    """The frame at that size, upright RGB."""
    turned = _turn(frame)
    width, height = size if turned % 180 == 0 else size[::-1]
    image = Image.fromarray(frame.to_ndarray(format="rgb24", width=width, height=height))
    return image.rotate(turned, expand=True) if turned else image
