"""Clips shown: a storyboard of six frames for galleries, and a small animation that a finished run keeps."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from core.data.clips.frames import Clip, chosen, sized, small_size

COLUMNS = 3
ROWS = 2
"""Frames of a storyboard, read like a page."""
GAP = 2
"""Pixels of white between them."""
KEPT = 12
"""Frames of the animation that a run keeps."""
SHORTEST = 40
LONGEST = 2**24 - 1
"""Milliseconds that one of its frames is shown at least, and the most that WebP can say (4.7 hours)."""


def storyboard(clip: Clip, size: int) -> bytes:
    """WebP bytes: six frames of the clip, evenly spread, from left to right and down; longest side at most `size`."""
    rows = np.linspace(0, len(clip.frames) - 1, COLUMNS * ROWS).round().astype(int).tolist()
    width, height = clip.frames[0].size
    most = ((size - GAP * (COLUMNS - 1)) / (COLUMNS * width), (size - GAP * (ROWS - 1)) / (ROWS * height), 1.0)
    cell = max(int(width * min(most)), 1), max(int(height * min(most)), 1)
    whole = (COLUMNS * cell[0] + GAP * (COLUMNS - 1), ROWS * cell[1] + GAP * (ROWS - 1))
    board = Image.new("RGB", whole, "white")
    for at, row in enumerate(rows):
        left = at % COLUMNS * (cell[0] + GAP)
        top = at // COLUMNS * (cell[1] + GAP)
        board.paste(sized(clip.frames[row], cell), (left, top))
    out = io.BytesIO()
    board.save(out, "WEBP", quality=78, method=2)
    return out.getvalue()


def animation(clip: Clip, size: int) -> bytes:
    """WebP bytes: at most `KEPT` frames that play in the clip's own time, longest side at most `size`."""
    rows = chosen(clip.seconds, KEPT).tolist()
    shape = small_size(*clip.frames[0].size, long=size)
    frames = [sized(clip.frames[row], shape) for row in rows]
    ends = np.append(clip.seconds[rows][1:], max(clip.length, clip.seconds[rows][-1]))
    shown = np.clip(np.round((ends - clip.seconds[rows]) * 1000), SHORTEST, LONGEST).astype(int).tolist()
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], duration=shown, loop=0, quality=70, method=2)
    made = out.getvalue()
    # frames that hardly differ are written as one, and one alone as an image that says no time
    return made if b"ANMF" in made[:64] else _still(made[12:], shape, sum(shown))


def _still(picture: bytes, size: tuple[int, int], shown: int) -> bytes:
    """WebP bytes: one image that is shown twice, so long together.

    Args:
        picture: the chunk of a WebP that holds it, with its name.
        shown: milliseconds.

    Source: the container's specification, developers.google.com/speed/webp/docs/riff_container.
    """
    wide, high = ((side - 1).to_bytes(3, "little") for side in size)
    half = min(shown // 2, LONGEST).to_bytes(3, "little")
    frame = _chunk(b"ANMF", bytes(6) + wide + high + half + b"\2" + picture)  # 2: drawn over what was there
    header = _chunk(b"VP8X", b"\2" + bytes(3) + wide + high)  # 2: animated
    return _chunk(b"RIFF", b"WEBP" + header + _chunk(b"ANIM", bytes(6)) + 2 * frame)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)


def mosaic(clip: Clip, side: int = 128) -> Image.Image:
    """Four frames in a square, by whose perceptual hash copies are told; backwards a clip has another."""
    rows = np.linspace(0, len(clip.frames) - 1, 4).round().astype(int).tolist()
    board = Image.new("RGB", (2 * side, 2 * side))
    for at, row in enumerate(rows):
        board.paste(sized(clip.frames[row], (side, side)), (at % 2 * side, at // 2 * side))
    return board
