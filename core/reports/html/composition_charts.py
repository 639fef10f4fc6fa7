"""Small charts of composition, coloured by the style sheet of report or page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from core.composition.scoring.signature import GUESSED_RIGHT, GUESSED_SAME, Picks
from core.numbers import percent
from core.records import Estimate

if TYPE_CHECKING:
    from core.probes.epochs import Epoch

ROW = 16
"""Height of one model's bar, in the chart's own units; a chart is 300 wide."""
_WIDTH, _EDGE = 300, 4


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
                f'dy=".35em">{round(100 * share)}\u202f%</text>'
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


@dataclass(frozen=True, slots=True)
class TrainingCurve:
    """Accuracy on validation items by epoch, on a square of 100 by 100."""

    said: str
    epochs: int
    """Without the one before training."""
    lines: tuple[tuple[str, str], ...]
    """(class, points) of each line, the accuracy last."""
    dots: tuple[tuple[str, str, bool], ...]
    """(per cent from the left, from the top, whether it is the epoch that was kept) of each epoch's accuracy."""


def training_curve(epochs: Sequence[Epoch], best: int | None = None, *, losses: bool = False) -> TrainingCurve:
    """What is drawn of a training, from before it on.

    Args:
        best: number of the epoch that was kept; None takes that of the highest accuracy, of equals the lowest loss.
        losses: also draw the losses in training and on validation items, from 0 to the highest of both.
    """
    last = max(1, max(epoch.number for epoch in epochs))
    kept = next((e for e in epochs if e.number == best), None) or max(
        epochs, key=lambda e: (e.validation_accuracy, -e.validation_loss)
    )

    def placed(values: Sequence[float | None], highest: float = 1.0) -> list[tuple[str, str]]:
        return [
            (f"{100 * epoch.number / last:.1f}", f"{98 - 96 * value / highest:.1f}")
            for epoch, value in zip(epochs, values)
            if value is not None and np.isfinite(value)
        ]

    known = {"training": [e.loss for e in epochs], "loss": [e.validation_loss for e in epochs]} if losses else {}
    highest = max([1e-9, *(v for values in known.values() for v in values if v is not None and np.isfinite(v))])
    dots, right = (
        placed([e.validation_accuracy for e in epochs]),
        [e for e in epochs if np.isfinite(e.validation_accuracy)],
    )
    drawn = [*((name, placed(values, highest)) for name, values in known.items()), ("curve", dots)]
    said = f"Right on held-back items: {percent(epochs[0].validation_accuracy)} untrained"
    after = f", {percent(kept.validation_accuracy)} after epoch {kept.number}" if len(epochs) > 1 else ""
    return TrainingCurve(
        said + after,
        len(epochs) - 1,
        tuple((name, " ".join(f"{x},{y}" for x, y in points)) for name, points in drawn),
        tuple((*dot, epoch is kept) for dot, epoch in zip(dots, right)),
    )


def _at(value: float, top: float) -> float:
    return _EDGE + (_WIDTH - 2 * _EDGE) * min(max(value / top, 0.0), 1.0)
