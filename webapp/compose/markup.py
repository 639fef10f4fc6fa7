"""Small pieces of markup that the views of composition share: pictures, tabs, marks of right and wrong, changed
words."""

from __future__ import annotations

import base64
import difflib
from collections.abc import Sequence

import numpy as np

from core.errors import InvalidInput
from core.numbers import bracketed, percent
from core.records import F64, Estimate, ItemStore
from webapp.markup.html import esc
from webapp.markup.whiskers import Mark, line

SIZE = 224
"""Longest side, in pixels, of a picture on the page."""
RIGHT, WRONG = "✓", "✗"
AS_IT_IS = frozenset({"mean rank"})
"""Metrics that are no share."""


def address(store: ItemStore, at: int) -> str:
    """The picture, small, as a data address, so that no picture has one that another visitor could ask for; "" if it
    cannot be read."""
    from core.data.images.thumbnails import shrink  # Pillow

    try:
        return "data:image/webp;base64," + base64.b64encode(shrink(store.read(at), SIZE)).decode("ascii")
    except (InvalidInput, OSError, ValueError):
        return ""


def image(store: ItemStore, at: int, alt: str) -> str:
    """The picture as an element, or its name where it cannot be read."""
    source = address(store, at)
    return (
        f'<img src="{source}" alt="{esc(alt)}" loading="lazy">'
        if source
        else f'<span class="no-picture">{esc(store.name(at))}</span>'
    )


def tabs(prefix: str, label: str, panels: Sequence[tuple[str, str, str]]) -> str:
    """(key, title, view) of each panel behind tabs, which pane.js switches."""
    heads = body = ""
    for i, (key, title, view) in enumerate(panels):
        name = f"{prefix}-{key}"
        heads += (
            f'<button type="button" role="tab" id="tab-{name}" aria-controls="panel-{name}" '
            f'aria-selected="{str(i == 0).lower()}" '
            f'data-tab="{name}">{esc(title)}</button>'
        )
        body += (
            f'<div role="tabpanel" id="panel-{name}" '
            f'aria-labelledby="tab-{name}"{"" if i == 0 else " hidden"}>{view}</div>'
        )
    return f'<div class="tabs probe-tabs"><div role="tablist" aria-label="{esc(label)}">{heads}</div>{body}</div>'


def figure(key: str, value: float) -> str:
    """A metric's value: a percentage, or of a rank the number itself."""
    return f"{value:.2f}" if key in AS_IT_IS else percent(value)


def with_interval(key: str, estimate: Estimate) -> str:
    """ "13 % [9, 18]"."""
    return f"{figure(key, estimate.value)} {bracketed(estimate, share=key not in AS_IT_IS)}".strip()


def drawn(estimates: Sequence[Estimate], chance: float | None, axis: tuple[float, float] = (0.0, 1.0)) -> str:
    """One or two estimates on a line, with a tick where chance is."""
    marks = [Mark(estimate, kind) for estimate, kind in zip(estimates, ("observed", "read"))]
    tick = [] if chance is None else [Mark(Estimate(chance, float("nan"), float("nan")), "rest")]
    return line([*tick, *marks], axis)


def outcome(right: bool | None, text: str) -> str:
    """Right or wrong, told by shape, colour and words."""
    kind = "even" if right is None else "held" if right else "bad"
    sign = "=" if right is None else RIGHT if right else WRONG
    return f'<span class="outcome {kind}"><span aria-hidden="true">{sign}</span> {esc(text)}</span>'


def changed(text: str, other: str) -> str:
    """The text as markup, its words that the other text has not in that place marked."""
    mine, theirs = text.split(), other.split()
    kept = {
        i
        for block in difflib.SequenceMatcher(None, mine, theirs, autojunk=False).get_matching_blocks()
        for i in range(block.a, block.a + block.size)
    }
    return " ".join(esc(word) if i in kept else f"<mark>{esc(word)}</mark>" for i, word in enumerate(mine))


def places_of(scores: F64) -> int:
    """Decimals that suit scores that stand side by side."""
    return 3 if not np.isfinite(scores).any() or float(np.nanmax(np.abs(scores))) < 1 else 2


def shade(value: float, low: float, high: float) -> str:
    """Style of a score's cell: the stronger the higher it lies between `low` and `high`."""
    share = 0.5 if high <= low or not np.isfinite(value) else float(np.clip((value - low) / (high - low), 0, 1))
    return f"--share:{100 * share:.0f}%"
