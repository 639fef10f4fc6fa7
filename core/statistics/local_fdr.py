"""How likely a listed set is to be nothing, by how often chance lists one that stands out as much."""

from __future__ import annotations

NULL_SHARE = 0.8
BETA_SHAPE = 0.2
"""pi0 and a of `local_fdr`, so chosen that on tuning seeds no group of sets was nothing more often than was said (142
sets of 62 planted data sets of two and ten classes, a fifth of them with nothing planted). The likeliest values, 0.14
and 0.02, said too little of sets of a chance near 1."""


def local_fdr(chance: float) -> float:
    """Probability that a listed set is nothing, in the two-groups model: pi0 / (pi0 + (1 - pi0) a chance^(a - 1)).

    A set that is nothing has a chance uniform in (0, 1], one that holds a failure a Beta(a, 1), so a small chance is
    likelier there. The chance compares each set of a list with the strongest of a permuted one, so for the later sets
    it is larger than it need be.

    Args:
        chance: in (0, 1], the share of permuted losses in which the strongest set that could be listed stands out as
            much, (b + 1) / (B + 1).

    Source: Efron, Tibshirani, Storey & Tusher 2001, JASA 96(456), for the model; Pounds & Morris 2003, Bioinformatics
    19(10), for the mixture of a uniform and a beta. Departure: both are fitted to the thousands of hypotheses of one
    study; a list has five sets, so pi0 and a are those of planted data (`NULL_SHARE`, `BETA_SHAPE`). Where nothing
    fails at all, every listed set is nothing, whatever this says; how often that is so among data sets is for no list
    to know."""
    return NULL_SHARE / (NULL_SHARE + (1 - NULL_SHARE) * BETA_SHAPE * chance ** (BETA_SHAPE - 1))
