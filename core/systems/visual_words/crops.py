"""Parts of images around a cell."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

from core.data.images.decoding import decode

AROUND = 2
"""Cells shown on each side of the one that is meant."""
SIDE = 96
"""Pixels of a crop."""


def crop_around(data: bytes, cell: int, grid: tuple[int, int]) -> bytes:
    """WebP of `SIDE` pixels: the cell, outlined, with what lies around it.

    Args:
        data: the image, of which the largest centred square is divided into `grid` (rows, columns), as encoders do.
        cell: row by row.

    Raises:
        Unreadable: the bytes are no image.
    """
    image = decode(data).image.convert("RGB")
    side = min(image.size)
    left = (image.width - side) / 2
    top = (image.height - side) / 2
    row, column = divmod(cell, grid[1])
    height = side / grid[0]
    width = side / grid[1]
    first_row, first_column = (
        max(0, min(at - AROUND, n - 2 * AROUND - 1)) for at, n in ((row, grid[0]), (column, grid[1]))
    )
    rows = min(2 * AROUND + 1, grid[0])
    columns = min(2 * AROUND + 1, grid[1])
    x = left + first_column * width
    y = top + first_row * height
    shown = image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, (x, y, x + columns * width, y + rows * height))
    box = [(column - first_column) * SIDE / columns, (row - first_row) * SIDE / rows]
    box += [box[0] + SIDE / columns - 1, box[1] + SIDE / rows - 1]
    draw = ImageDraw.Draw(shown)
    draw.rectangle(box, outline="white", width=2)  # two colours, so that it is seen on any ground
    draw.rectangle([box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1], outline="black")
    kept = io.BytesIO()
    shown.save(kept, "WEBP", quality=80)
    return kept.getvalue()
