"""Positions of the confirmed words in each image."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from core.data.images.decoding import decode
from core.records import I64
from core.systems.visual_words.findings import WordFinding
from core.systems.visual_words.fit import I16
from core.systems.visual_words.search import VisualSearch

COLOURS = ("#ffd400", "#00c2ff", "#ff5cc8", "#53e06b", "#ff8c1a", "#a78bfa")
"""Colors of the outlined words, in order; light, because each outline has a dark border on both sides."""
MAP_PIXELS = 420
"""Longer side of an image with outlines."""


@dataclass(frozen=True, slots=True, eq=False)
class WordMaps:
    """The cells of the strongest confirmed words."""

    findings: tuple[WordFinding, ...]
    left_out: int
    """Number of confirmed words beyond those."""
    cells: I16
    """(m, r, c) index of the cell's word in `findings`; -1 for other words and for images outside the word's scope."""
    rows: I64
    """(m,) row of the run of each readable image, ascending."""

    def of_row(self, row: int) -> I16 | None:
        """(r, c) of a row of the run; None where its image could not be read."""
        at = int(np.searchsorted(self.rows, row))
        if at < len(self.rows) and self.rows[at] == row:
            return self.cells[at]
        return None


def maps_of(search: VisualSearch, max_words: int | None = len(COLOURS)) -> WordMaps:
    """The maps of the strongest `max_words` confirmed words, or of all with None."""
    findings = search.confirmed[:max_words]
    cells = np.full(search.words.maps.shape, -1, np.int16)
    for index, finding in enumerate(findings):
        cells[(search.words.maps == finding.word) & finding.rows[:, None, None]] = index
    return WordMaps(findings, len(search.confirmed) - len(findings), cells, search.rows)


def outline(data: bytes, cells: I16, colours: Sequence[str] = COLOURS) -> bytes:
    """A WebP of the image, its longer side `MAP_PIXELS`, with the regions of each word outlined in its color.

    Args:
        data: the image, whose largest centered square is divided into cells, as encoders do.
        cells: (r, c) index into `colours`, -1 for none.

    Raises:
        Unreadable: the bytes are not an image.
    """
    image = decode(data).image.convert("RGB")
    scale = MAP_PIXELS / max(image.size)
    shown = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    side = min(shown.size)
    left = (shown.width - side) / 2
    top = (shown.height - side) / 2
    draw = ImageDraw.Draw(shown)
    lines = list[tuple[tuple[float, ...], str]]()
    width = side / cells.shape[1]
    height = side / cells.shape[0]
    for index in range(int(cells.max()) + 1):
        for x0, y0, x1, y1 in _borders(cells == index):
            line = (left + x0 * width, top + y0 * height, left + x1 * width, top + y1 * height)
            lines.append((line, colours[index]))
    for line, _ in lines:
        draw.line(line, "black", 5)
    for line, colour in lines:
        draw.line(line, colour, 3)
    buffer = io.BytesIO()
    shown.save(buffer, "WEBP", quality=85)
    return buffer.getvalue()


def _borders(region: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Sides of cells between a region and its outside or the edge: (x0, y0, x1, y1) in cells."""
    padded = np.pad(region, 1)
    beside = padded[1:-1, 1:] != padded[1:-1, :-1]
    below = padded[1:, 1:-1] != padded[:-1, 1:-1]
    vertical = [(int(c), int(r), int(c), int(r) + 1) for r, c in np.argwhere(beside)]
    return vertical + [(int(c), int(r), int(c) + 1, int(r)) for r, c in np.argwhere(below)]
