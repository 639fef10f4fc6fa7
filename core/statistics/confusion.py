"""Which other class the errors of a set go to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from core.records import Bool, Outcomes

MIN_ERRORS = 8
"""Errors of a set of which it is told."""
MIN_CONFUSED_SHARE = 0.5
MIN_SHARE_GAP = 0.15
"""Share of the errors that go to one class, and by how much more than of the other errors, from which a set is said to
be mistaken for it."""
MAX_CHANCE = 0.02
"""Chance, over all classes that errors go to, up to which as many going there is no luck."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """The class that most errors of a set go to."""

    label: int
    share: float
    """Of the set's errors."""
    elsewhere: float
    """Of the other errors."""
    luck: float
    """Chance that at least as many errors of a random set of this size go to one class, by the hypergeometric tail of
    the leading class times the number of classes that errors go to; 1 where all errors lie in the set."""

    @property
    def stands_out(self) -> bool:
        """Whether most of the errors go there, clearly more than elsewhere, and more than by luck."""
        return (
            self.share >= MIN_CONFUSED_SHARE
            and self.share >= self.elsewhere + MIN_SHARE_GAP
            and self.luck <= MAX_CHANCE
        )


def main_confusion(outcomes: Outcomes, inside: Bool, outside: Bool, n_classes: int) -> Confusion | None:
    """The class that most errors of a set go to; None without predictions, or of fewer than 8 errors.

    Args:
        inside: (n,) the set.
        outside: (n,) what it is held against.
    """
    if outcomes.errors is None or outcomes.predictions is None or not n_classes:
        return None
    wrong_in = inside & outcomes.errors
    wrong_out = outside & outcomes.errors
    given = outcomes.predictions[wrong_in]
    if wrong_in.sum() < MIN_ERRORS or not (given >= 0).any():
        return None
    counts = np.bincount(given[given >= 0], minlength=n_classes)
    top = int(counts.argmax())
    elsewhere = float((outcomes.predictions[wrong_out] == top).mean()) if wrong_out.any() else 0.0
    everywhere = outcomes.predictions[wrong_in | wrong_out]
    n_top = int((everywhere == top).sum())
    tried = len(np.unique(everywhere))
    tail = float(hypergeom.sf(counts[top] - 1, len(everywhere), n_top, wrong_in.sum()))
    return Confusion(top, float(counts[top] / wrong_in.sum()), elsewhere, min(1.0, tried * tail))
