"""Draw a text as a card: an SVG image of its first lines, for every place that shows a thumbnail."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from markupsafe import escape

WIDTH = 192
HEIGHT = 128
MARGIN = 12
"""WIDTH, HEIGHT and MARGIN are in pixels."""
FONT_SIZES = (14.0, 11.0)
"""In pixels: the largest in which the whole text fits, else the smallest."""
_LEADING = 1.3
"""Line height over the font's size."""
_EM = 0.54
"""Mean width of a letter over the font's size, in the sans-serif fonts of browsers; East Asian signs have 1."""
_MAX_CHARACTERS = 2_000
"""No more fit on a card."""


def typeset(text: str) -> bytes:
    """Draw an SVG of `WIDTH` by `HEIGHT` pixels, UTF-8; a text that does not fit ends in an ellipsis."""
    start = text[:_MAX_CHARACTERS]
    fitted = (FONT_SIZES[0], [""], True)
    for size in FONT_SIZES:
        n_lines = int((HEIGHT - 2 * MARGIN) / (size * _LEADING))
        lines = list(_wrapped(start, (WIDTH - 2 * MARGIN) / size))
        fitted = (size, lines[:n_lines] or [""], len(lines) <= n_lines)
        if len(lines) <= n_lines:
            break
    size, lines, whole = fitted
    if not whole or len(text) > _MAX_CHARACTERS:
        lines[-1] = f"{lines[-1][:-1]}…"
    x = MARGIN
    direction = ""
    if _is_right_to_left(start):
        x = WIDTH - MARGIN
        direction = ' direction="rtl" unicode-bidi="embed"'
    spans = ""
    for i, line in enumerate(lines):
        y = MARGIN + size + i * size * _LEADING
        spans += f'<tspan x="{x}" y="{y:g}">{escape(line)}</tspan>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fbfaf7"/>'
        f'<text font-family="system-ui, sans-serif" font-size="{size:g}" fill="#26241f"{direction}>{spans}</text></svg>'
    ).encode()


def _is_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction runs from right to left."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in ("L", "R", "AL"):
            return kind != "L"
    return False


def _wrapped(text: str, width: float) -> Iterator[str]:
    """Lines of at most `width` em; a word that is longer is broken."""
    for paragraph in text.split("\n"):
        line = ""
        used = 0.0
        for word in paragraph.split(" "):
            for piece in _pieces(word, width):
                needed = _width(piece)
                if line and used + _EM + needed > width:
                    yield line
                    line = ""
                    used = 0.0
                if line:
                    line += f" {piece}"
                    used += _EM + needed
                else:
                    line = piece
                    used = needed
        yield line


def _pieces(word: str, width: float) -> Iterator[str]:
    """Parts of a word of at most `width` em each."""
    start = 0
    used = 0.0
    for i, sign in enumerate(word):
        needed = _width(sign)
        if used + needed > width and i > start:
            yield word[start:i]
            start = i
            used = 0.0
        used += needed
    yield word[start:]


def _width(text: str) -> float:
    """Width in em."""
    width = 0.0
    for character in text:
        if unicodedata.east_asian_width(character) in "WF":
            width += 1.0
        elif not unicodedata.combining(character):
            width += _EM
    return width
