"""How likely a listed set is to be nothing, by how often chance lists one that stands out as much."""

from __future__ import annotations

NOTHING, SHAPE = 0.7, 0.3
"""pi0 and a of `local_fdr`."""


def local_fdr(chance: float) -> float:
    """Probability that a listed set is nothing: pi0 / (pi0 + (1 - pi0) a chance^(a - 1)).

    Args:
        chance: in (0, 1], the share of permuted data sets that list a set as strong.
    """
    return NOTHING / (NOTHING + (1 - NOTHING) * SHAPE * chance ** (SHAPE - 1))
