"""Which labels of an image were wrong, where an image has several."""

from __future__ import annotations

from core.data.tasks.options import FALSE_LABELS, MISSED_LABELS
from core.records import Diagnosis

_WORDS = {MISSED_LABELS: "Missed", FALSE_LABELS: "Falsely predicted"}
MAX_NAMES = 200
"""Characters of the names in one line."""


def wrong_labels(diagnosis: Diagnosis, row: int) -> list[str]:
    """Return one line for the missed labels of the row's image and one for the falsely predicted ones, if any."""
    lines = list[str]()
    for column in diagnosis.samples.model_outputs:
        word = _WORDS.get(column.name)
        if word is None or column.values[row] is None:
            continue
        names = str(column.values[row])
        if len(names) > MAX_NAMES:
            names = f"{names[: MAX_NAMES - 1]}…"
        lines.append(f"{word}: {names}")
    return lines
