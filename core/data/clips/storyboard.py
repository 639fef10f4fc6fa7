"""Draw clips: a storyboard of six frames for galleries, and a small animation that a finished run stores."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from core.data.clips.frames import Clip, choose_frames, resize_rgb, small_size
from core.data.images.thumbnails import webp

COLUMNS = 3
ROWS = 2
"""Frames of a storyboard, left to right and down."""
GAP_PIXELS = 2
"""White between them."""
ANIMATION_FRAMES = 12
"""Frames of the animation that a run stores."""
MIN_DURATION_MS = 40
MAX_DURATION_MS = 2**24 - 1
"""Milliseconds that a frame of the animation is shown. WebP holds no more than the maximum (4.7 hours)."""


def storyboard(clip: Clip, size: int) -> bytes:
    """Draw six frames of the clip, evenly spread, as WebP bytes; longest side at most `size`."""
    rows = np.linspace(0, len(clip.frames) - 1, COLUMNS * ROWS).round().astype(int).tolist()
    width, height = clip.frames[0].size
    gaps = (GAP_PIXELS * (COLUMNS - 1), GAP_PIXELS * (ROWS - 1))
    scale = min((size - gaps[0]) / (COLUMNS * width), (size - gaps[1]) / (ROWS * height), 1.0)
    cell = (max(int(width * scale), 1), max(int(height * scale), 1))
    board = Image.new("RGB", (COLUMNS * cell[0] + gaps[0], ROWS * cell[1] + gaps[1]), "white")
    for index, row in enumerate(rows):
        left = index % COLUMNS * (cell[0] + GAP_PIXELS)
        top = index // COLUMNS * (cell[1] + GAP_PIXELS)
        board.paste(resize_rgb(clip.frames[row], cell), (left, top))
    return webp(board)


def animation(clip: Clip, size: int) -> bytes:
    """Animate at most `ANIMATION_FRAMES` frames at the clip's speed, as WebP bytes; longest side at most `size`."""
    rows = choose_frames(clip.seconds, ANIMATION_FRAMES).tolist()
    shape = small_size(*clip.frames[0].size, long=size)
    frames = [resize_rgb(clip.frames[row], shape) for row in rows]
    ends = np.append(clip.seconds[rows][1:], max(clip.length, clip.seconds[rows][-1]))
    milliseconds = np.round((ends - clip.seconds[rows]) * 1000)
    durations = np.clip(milliseconds, MIN_DURATION_MS, MAX_DURATION_MS).astype(int).tolist()
    out = io.BytesIO()
    frames[0].save(
        out, "WEBP", save_all=True, append_images=frames[1:], duration=durations, loop=0, quality=70, method=2
    )
    encoded = out.getvalue()
    # Pillow merges frames that hardly differ, and writes a single frame as a still image without a duration
    if b"ANMF" in encoded[:64]:
        return encoded
    # two frames of that one image: developers.google.com/speed/webp/docs/riff_container
    image_chunk = encoded[12:]
    duration = sum(durations)
    width, height = ((side - 1).to_bytes(3, "little") for side in shape)
    half = min(duration // 2, MAX_DURATION_MS).to_bytes(3, "little")
    frame = _chunk(b"ANMF", bytes(6) + width + height + half + b"\2" + image_chunk)  # 2: drawn over the frame before
    header = _chunk(b"VP8X", b"\2" + bytes(3) + width + height)  # 2: animated
    return _chunk(b"RIFF", b"WEBP" + header + _chunk(b"ANIM", bytes(6)) + 2 * frame)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)


def mosaic(clip: Clip, side: int = 128) -> Image.Image:
    """Draw four frames in a square, whose perceptual hash finds near-duplicates; a clip played backwards differs."""
    rows = np.linspace(0, len(clip.frames) - 1, 4).round().astype(int).tolist()
    board = Image.new("RGB", (2 * side, 2 * side))
    for index, row in enumerate(rows):
        board.paste(resize_rgb(clip.frames[row], (side, side)), (index % 2 * side, index // 2 * side))
    return board
