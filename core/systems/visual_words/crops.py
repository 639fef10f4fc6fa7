"""Parts of images around a cell."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

from core.data.images.decoding import decode

MARGIN_CELLS = 2
"""Cells shown on each side of the outlined one."""
CROP_PIXELS = 96


def crop_around(data: bytes, cell: int, grid: tuple[int, int]) -> bytes:
    """A WebP square of `CROP_PIXELS` with the outlined cell and its surroundings.

    Args:
        data: the image, whose largest centered square is divided into `grid` (rows, columns), as encoders do.
        cell: index of the cell, row by row.

    Raises:
        Unreadable: the bytes are not an image.
    """
    image = decode(data).image.convert("RGB")
    side = min(image.size)
    left = (image.width - side) / 2
    top = (image.height - side) / 2
    row, column = divmod(cell, grid[1])
    height = side / grid[0]
    width = side / grid[1]
    across = 2 * MARGIN_CELLS + 1
    first_row = max(0, min(row - MARGIN_CELLS, grid[0] - across))
    first_column = max(0, min(column - MARGIN_CELLS, grid[1] - across))
    rows = min(across, grid[0])
    columns = min(across, grid[1])
    x = left + first_column * width
    y = top + first_row * height
    size = (CROP_PIXELS, CROP_PIXELS)
    shown = image.resize(size, Image.Resampling.BICUBIC, (x, y, x + columns * width, y + rows * height))
    box = [(column - first_column) * CROP_PIXELS / columns, (row - first_row) * CROP_PIXELS / rows]
    box += [box[0] + CROP_PIXELS / columns - 1, box[1] + CROP_PIXELS / rows - 1]
    draw = ImageDraw.Draw(shown)
    draw.rectangle(box, outline="white", width=2)  # two colors, so that it is visible on any background
    draw.rectangle([box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1], outline="black")
    buffer = io.BytesIO()
    shown.save(buffer, "WEBP", quality=80)
    return buffer.getvalue()
