"""Local false discovery rate of a listed candidate, from how often permuted losses list one as strong."""

from __future__ import annotations

NULL_SHARE = 0.8
BETA_SHAPE = 0.2
"""pi0 and a of `local_fdr`, chosen so that on tuning seeds no group of sets was noise more often than stated (142 sets
of 62 planted data sets of two and ten classes, a fifth of them with nothing planted). The maximum-likelihood values,
0.14 and 0.02, understated it for sets with a chance near 1."""


def local_fdr(chance: float) -> float:
    """Probability that a listed set is noise, in the two-groups model: pi0 / (pi0 + (1 - pi0) a chance^(a - 1)).

    The chance of a noise set is uniform in (0, 1], that of a set that holds a failure Beta(a, 1), so a small chance is
    likelier there. The chance compares each set of a list with the strongest of a permuted list, so it is conservative
    for the later sets.

    Args:
        chance: in (0, 1], the share of permuted losses in which the strongest listable set is as strong,
            (b + 1) / (B + 1).

    Source: Efron, Tibshirani, Storey & Tusher 2001, JASA 96(456), for the model; Pounds & Morris 2003, Bioinformatics
    19(10), for the mixture of a uniform and a beta. Departure: they fit the model to the thousands of hypotheses of one
    study. A list has five sets, so pi0 and a come from planted data (`NULL_SHARE`, `BETA_SHAPE`). Where nothing fails
    at all, every listed set is noise whatever this returns; no single list can tell how often that is so.
    """
    return NULL_SHARE / (NULL_SHARE + (1 - NULL_SHARE) * BETA_SHAPE * chance ** (BETA_SHAPE - 1))
