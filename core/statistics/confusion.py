"""The class that the errors of a set go to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from core.records import Bool, Outcomes

MIN_ERRORS = 8
"""A set with fewer errors has no main confusion: their shares would be too coarse. A convention."""
MIN_CONFUSED_SHARE = 0.5
MIN_SHARE_GAP = 0.15
"""Share of a set's errors that must go to one class, and its lead over the share of the other errors, for the set to
count as confused with that class. Conventions: most errors, and clearly more than elsewhere."""
MAX_CHANCE = 0.02
"""Chance, over all classes that errors go to, up to which this large a share is not luck. A convention."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """The class that most errors of a set go to, and whether that stands out."""

    label: int
    share: float
    """Share of the set's errors."""
    elsewhere: float
    """Share of the other errors."""
    luck: float
    """Chance that at least as many errors of a random set of this size go to one class: the hypergeometric tail of the
    leading class times the number of classes that errors go to (Bonferroni). 1 where all errors lie in the set."""

    @property
    def stands_out(self) -> bool:
        """True if most of the errors go there, clearly more than elsewhere, and more than by luck."""
        return (
            self.share >= MIN_CONFUSED_SHARE
            and self.share >= self.elsewhere + MIN_SHARE_GAP
            and self.luck <= MAX_CHANCE
        )


def main_confusion(outcomes: Outcomes, inside: Bool, outside: Bool, n_classes: int) -> Confusion | None:
    """The class that most errors of a set go to; None without predictions, or with fewer than MIN_ERRORS errors.

    Args:
        inside: (n,) the set.
        outside: (n,) rows to compare it with.
    """
    if outcomes.errors is None or outcomes.predictions is None or not n_classes:
        return None
    wrong_in = inside & outcomes.errors
    wrong_out = outside & outcomes.errors
    predicted = outcomes.predictions[wrong_in]
    if wrong_in.sum() < MIN_ERRORS or not (predicted >= 0).any():
        return None
    counts = np.bincount(predicted[predicted >= 0], minlength=n_classes)
    top = int(counts.argmax())
    elsewhere = 0.0
    if wrong_out.any():
        elsewhere = float((outcomes.predictions[wrong_out] == top).mean())
    everywhere = outcomes.predictions[wrong_in | wrong_out]
    n_top = int((everywhere == top).sum())
    n_tests = len(np.unique(everywhere))
    tail = float(hypergeom.sf(counts[top] - 1, len(everywhere), n_top, wrong_in.sum()))
    return Confusion(top, float(counts[top] / wrong_in.sum()), elsewhere, min(1.0, n_tests * tail))
