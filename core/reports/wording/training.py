"""What an adapter learned and what that cost, in lines for the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.numbers import clock

if TYPE_CHECKING:
    from core.training.adapted import Adapted


def trained_lines(adapted: Adapted) -> list[str]:
    """What was learned from how much, and the curve with the epoch that was kept."""
    from core.numbers import number, percent
    from core.reports.wording.composition import aligned

    record = adapted.record
    rows = [("epoch", "loss", "validation loss", "validation items right", "")]
    for epoch in record.curve:
        loss = "" if epoch.loss is None else number(epoch.loss, 3)
        kept = "<- kept" if epoch.number == record.best else ""
        rows.append(
            (str(epoch.number), loss, number(epoch.validation_loss, 3), percent(epoch.validation_accuracy), kept)
        )
    lines = [
        f"{adapted.name}: {record.n_parameters:,} parameters, learned from {record.n_training:,} items of "
        f"{record.benchmark}, stopped by {record.n_validation:,} others; {clock(record.seconds)} of computing",
        *aligned(rows),
    ]
    if record.best == 0:
        lines.append(
            "No epoch was better than the untrained module, which was kept: it learned nothing. "
            "Try more items, or another step size (--lr)."
        )
    return lines
