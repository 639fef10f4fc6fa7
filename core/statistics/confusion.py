"""Which other class the errors of a set go to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.records import Bool, Outcomes

FEWEST = 8
"""Errors of a set of which it is told."""
MOST_GO, MORE = 0.5, 0.15
"""Share of the errors that go to one class, and by how much more than of the other errors, from which a set is said to
be mistaken for it."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """The class that most errors of a set go to."""

    label: int
    share: float
    """Of the set's errors."""
    elsewhere: float
    """Of the other errors."""

    @property
    def stands_out(self) -> bool:
        """Whether most of the errors go there, and clearly more than elsewhere."""
        return self.share >= MOST_GO and self.share >= self.elsewhere + MORE


def main_confusion(outcomes: Outcomes, inside: Bool, outside: Bool, n_classes: int) -> Confusion | None:
    """The class that most errors of a set go to; None without predictions, or of fewer than 8 errors.

    Args:
        inside: (n,) the set.
        outside: (n,) what it is held against.
    """
    if outcomes.errors is None or outcomes.predictions is None or not n_classes:
        return None
    wrong_in, wrong_out = inside & outcomes.errors, outside & outcomes.errors
    given = outcomes.predictions[wrong_in]
    if wrong_in.sum() < FEWEST or not (given >= 0).any():
        return None
    counts = np.bincount(given[given >= 0], minlength=n_classes)
    top = int(counts.argmax())
    elsewhere = float((outcomes.predictions[wrong_out] == top).mean()) if wrong_out.any() else 0.0
    return Confusion(top, float(counts[top] / wrong_in.sum()), elsewhere)
