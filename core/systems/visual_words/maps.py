"""Where in each image the confirmed words are."""

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
"""Of the words that are outlined, in order; light ones, since each has a dark border on both sides."""
SIDE = 420
"""Pixels of the longer side of an image with outlines."""


@dataclass(frozen=True, slots=True, eq=False)
class WordMaps:
    """The cells of the strongest confirmed words."""

    findings: tuple[WordFinding, ...]
    left_out: int
    """Confirmed words past those."""
    cells: I16
    """(m, r, c) place of the cell's word among `findings`; -1 where it is none of them, or is one that was confirmed
    in a scope to which the image does not belong."""
    rows: I64
    """(m,) row of the run of each image that could be read, ascending."""

    def of_row(self, row: int) -> I16 | None:
        """(r, c) of a row of the run; None where its image could not be read."""
        at = int(np.searchsorted(self.rows, row))
        return self.cells[at] if at < len(self.rows) and self.rows[at] == row else None


def maps_of(search: VisualSearch, most: int | None = len(COLOURS)) -> WordMaps:
    """Of the words that the search confirmed, the strongest `most`; None takes all."""
    told = search.confirmed[:most]
    cells = np.full(search.words.maps.shape, -1, np.int16)
    for place, finding in enumerate(told):
        cells[(search.words.maps == finding.word) & finding.rows[:, None, None]] = place
    return WordMaps(told, len(search.confirmed) - len(told), cells, search.rows)


def outline(data: bytes, cells: I16, colours: Sequence[str] = COLOURS) -> bytes:
    """WebP of an image of `SIDE` pixels at its longer side, regions of cells of one place outlined in its colour.

    Args:
        data: the image, of which the largest centred square is divided into cells, as encoders do.
        cells: (r, c) places among `colours`, -1 for none.

    Raises:
        Unreadable: the bytes are no image.
    """
    image = decode(data).image.convert("RGB")
    scale = SIDE / max(image.size)
    shown = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    side = min(shown.size)
    left = (shown.width - side) / 2
    top = (shown.height - side) / 2
    draw = ImageDraw.Draw(shown)
    lines = list[tuple[tuple[float, ...], str]]()
    for place in range(int(cells.max()) + 1):
        for x0, y0, x1, y1 in _borders(cells == place):
            width = side / cells.shape[1]
            height = side / cells.shape[0]
            at = (left + x0 * width, top + y0 * height, left + x1 * width, top + y1 * height)
            lines.append((at, colours[place]))
    for at, _ in lines:
        draw.line(at, "black", 5)
    for at, colour in lines:
        draw.line(at, colour, 3)
    kept = io.BytesIO()
    shown.save(kept, "WEBP", quality=85)
    return kept.getvalue()


def _borders(own: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Sides of cells between one of a region and one that is not, or the edge: (x0, y0, x1, y1) in cells."""
    padded = np.pad(own, 1)
    beside = padded[1:-1, 1:] != padded[1:-1, :-1]
    below = padded[1:, 1:-1] != padded[:-1, 1:-1]
    across = [(int(c), int(r), int(c), int(r) + 1) for r, c in np.argwhere(beside)]
    return across + [(int(c), int(r), int(c) + 1, int(r)) for r, c in np.argwhere(below)]
