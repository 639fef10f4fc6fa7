"""The bar below which a model is not sure of its answer, calibrated on answers whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import InvalidInput
from core.statistics.intervals import wilson

RELIABLE = 0.9
"""Share of answers at or above the bar that must be right, by the lower end of its interval."""
AT_ONCE = 60
"""Answers by which a bar is lowered: of fewer, three wrong ones are too many."""


def calibrated_bar(chances: Sequence[float], right: Sequence[bool], reliable: float = RELIABLE) -> float:
    """A probability of which answers at or above it are right in `reliable` of cases; 1 where none was found, so that
    the model is never sure. A chance that is no number counts as 0.

    The surest `AT_ONCE` answers are tried first, then as many more each time, until the lower end of Wilson's 95%
    interval falls below: tried in an order that was fixed before, none pays for the others, and a bar that holds
    less is set in at most about 2.5% of cases (fixed-sequence testing; Angelopoulos et al. 2021, arXiv 2110.01052,
    section 2.3). The lowest bar that passes alone, out of all, would be the luckiest one.

    Raises:
        InvalidInput: there is no answer.
    """
    if not len(chances):
        raise InvalidInput("A bar needs answers of which it is known whether they are right: there are none.")
    known = np.nan_to_num(np.asarray(chances, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    order = np.argsort(-known, kind="stable")
    ok = np.asarray(right, bool)[order]
    sorted_chances = known[order]
    bar = 1.0
    for at in range(AT_ONCE, len(ok) + AT_ONCE, AT_ONCE):
        least = sorted_chances[min(at, len(ok)) - 1]
        n = int(np.searchsorted(-sorted_chances, -least, side="right"))  # with those as sure as the last
        if wilson(int(ok[:n].sum()), n).low < reliable:
            break
        bar = float(least)
    return bar
