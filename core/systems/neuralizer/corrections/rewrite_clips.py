"""Frames written as a video for the user's model."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from PIL import Image


def video_bytes(frames: Sequence[Image.Image], rate: float) -> bytes:
    """The frames as an MP4 without sound.

    Args:
        frames: RGB, all of one size; an odd side loses its last row of pixels, which H.264 cannot hold.
        rate: frames per second.

    Returns:
        H.264 of nearly lossless quality (CRF 12), or MPEG-4 Part 2 where FFmpeg lacks an H.264 encoder.
    """
    import av  # FFmpeg's libraries

    coded = next(name for name in ("libx264", "mpeg4") if name in av.codecs_available)
    width, height = (max(side // 2 * 2, 2) for side in frames[0].size)
    a_second = Fraction(rate).limit_denominator(1001)
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream: Any = container.add_stream(coded, rate=a_second)
        stream.width = width
        stream.height = height
        stream.pix_fmt = "yuv420p"
        stream.time_base = 1 / a_second
        stream.thread_count = 1  # the same bytes on any machine
        if coded == "libx264":
            stream.codec_context.options = {"crf": "12", "preset": "veryfast"}
        else:
            stream.codec_context.bit_rate = max(2_000_000, int(2 * width * height * a_second))
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(picture.crop((0, 0, width, height)))))
        container.mux(stream.encode())
    return out.getvalue()
