"""The curve of a training, for report and page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.numbers import percent

if TYPE_CHECKING:
    from core.systems.common.epochs import Epoch


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
    best_epoch = next((e for e in epochs if e.number == best), None) or max(
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
    dots = placed([e.validation_accuracy for e in epochs])
    right = [e for e in epochs if np.isfinite(e.validation_accuracy)]
    drawn = [*((name, placed(values, highest)) for name, values in known.items()), ("curve", dots)]
    text = f"Right on held-out items: {percent(epochs[0].validation_accuracy)} untrained"
    after = ""
    if len(epochs) > 1:
        after = f", {percent(best_epoch.validation_accuracy)} after epoch {best_epoch.number}"
    return TrainingCurve(
        text + after,
        len(epochs) - 1,
        tuple((name, " ".join(f"{x},{y}" for x, y in points)) for name, points in drawn),
        tuple((*dot, epoch is best_epoch) for dot, epoch in zip(dots, right)),
    )
