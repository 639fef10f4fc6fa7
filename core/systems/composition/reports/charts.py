"""Small charts of composition, coloured by the style sheet of report or page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from core.records import Estimate
from core.systems.composition.scoring.signature import GUESSED_RIGHT, GUESSED_SAME, Picks

ROW = 16
"""Height of one model's bar, in the chart's own units; a chart is 300 wide."""
_WIDTH = 300
_EDGE = 4


def bars(estimates: Sequence[tuple[Estimate, str]], chance: float | None, top: float = 1.0) -> Markup:
    """A bar for each (estimate, class of its colour), one under the other, from 0 to `top`, with interval; a dashed
    line at chance."""
    height = ROW * len(estimates)
    parts = [f'<path class="axis" d="M{_EDGE} 0V{height}"/>']
    for row, (estimate, colour) in enumerate(estimates):
        if not np.isfinite(estimate.value):
            continue
        middle = ROW * row + ROW / 2
        parts.append(
            f'<rect class="{colour}" x="{_EDGE}" y="{middle - 5}" '
            f'width="{_at(estimate.value, top) - _EDGE:.1f}" height="10"/>'
        )
        if np.isfinite(estimate.low) and np.isfinite(estimate.high):
            parts.append(
                f'<path class="whisker" d="M{_at(estimate.low, top):.1f} {middle}H{_at(estimate.high, top):.1f}"/>'
            )
    if chance is not None and np.isfinite(chance):
        parts.append(f'<path class="chance" d="M{_at(chance, top):.1f} 0V{height}"/>')
    return Markup(
        f'<svg class="bars" viewBox="0 0 {_WIDTH} {height}" role="presentation" '
        f'aria-hidden="true">{"".join(parts)}</svg>'
    )


def picks_bar(right: float, same: float, crossed: float, tied: float) -> Markup:
    """Four shares in one bar, each named by its figure where there is room."""
    parts: list[str] = []
    start = 0.0
    for name, share in (("right", right), ("same", same), ("crossed", crossed), ("tied", tied)):
        if share > 0:
            parts.append(f'<rect class="{name}" x="{600 * start:.1f}" y="0" width="{600 * share:.1f}" height="26"/>')
        if share >= 0.06:
            parts.append(
                f'<text class="{name}" x="{600 * (start + share / 2):.1f}" y="13" '
                f'dy=".35em">{round(100 * share)}%</text>'
            )
        start += share
    return Markup(
        '<svg class="picks" viewBox="0 0 600 26" preserveAspectRatio="xMinYMid" role="presentation" '
        f'aria-hidden="true">{"".join(parts)}</svg>'
    )


def picks_of(picks: Picks) -> Markup:
    """The bar of what was picked."""
    return picks_bar(picks.right.value, picks.same.value, picks.crossed.value, picks.tied.value)


def guessed_picks() -> Markup:
    """The bar of a guess."""
    return picks_bar(GUESSED_RIGHT, GUESSED_SAME, 1 - GUESSED_RIGHT - GUESSED_SAME, 0.0)


def _at(value: float, top: float) -> float:
    return _EDGE + (_WIDTH - 2 * _EDGE) * min(max(value / top, 0.0), 1.0)
