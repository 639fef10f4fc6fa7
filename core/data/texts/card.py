"""A text as a card: an SVG image of its first lines, so that it can stand wherever a thumbnail stands."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from markupsafe import escape

WIDTH = 192
HEIGHT = 128
MARGIN = 12
SIZES = (14.0, 11.0)
"""Font sizes: the largest in which the whole text fits, else the smallest."""
_LEADING = 1.3
_EM = 0.54
"""Mean width of a letter over the font's size, in the sans-serif fonts of browsers; East Asian signs have 1."""
_READ = 2_000
"""Characters that are looked at: no more fit."""


def typeset(text: str) -> bytes:
    """An SVG of `WIDTH` by `HEIGHT` pixels, UTF-8; a text that does not fit ends in an ellipsis."""
    size, lines, whole = _fitted(text[:_READ])
    if not whole or len(text) > _READ:
        lines[-1] = lines[-1][:-1] + "…" if lines[-1] else "…"
    kinds = (kind for c in text[:_READ] if (kind := unicodedata.bidirectional(c)) in ("L", "R", "AL"))
    right = next(kinds, "L") != "L"
    x = WIDTH - MARGIN if right else MARGIN
    spans = "".join(
        f'<tspan x="{x}" y="{MARGIN + size + i * size * _LEADING:g}">{escape(line)}</tspan>'
        for i, line in enumerate(lines)
    )
    turned = ' direction="rtl" unicode-bidi="embed"' if right else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fbfaf7"/>'
        f'<text font-family="system-ui, sans-serif" font-size="{size:g}" fill="#26241f"{turned}>{spans}</text></svg>'
    ).encode()


def _fitted(text: str) -> tuple[float, list[str], bool]:
    """(font size, lines, whether they are the whole text)."""
    for size in SIZES:
        most = int((HEIGHT - 2 * MARGIN) / (size * _LEADING))
        lines = list(_wrapped(text, (WIDTH - 2 * MARGIN) / size))
        if len(lines) <= most or size == SIZES[-1]:
            return size, lines[:most] or [""], len(lines) <= most
    raise AssertionError


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
                line, used = (f"{line} {piece}", used + _EM + needed) if line else (piece, needed)
        yield line


def _pieces(word: str, width: float) -> Iterator[str]:
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
    return sum(
        1.0 if unicodedata.east_asian_width(c) in "WF" else 0.0 if unicodedata.combining(c) else _EM for c in text
    )
