"""Which of many marks some samples carry more often than the rest of their class, tested all at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.records import F64, I64, Bool
from core.statistics.max_t import chunks, max_t
from core.statistics.permutation import permutation_p, studentised_excess
from core.statistics.permuter import Permuter

PERMUTATIONS = 5000
_CHUNK = 500


@dataclass(frozen=True, slots=True, eq=False)
class Represented:
    """Of k marks."""

    inside: F64
    """(k,) share of the members that carry it."""
    outside: F64
    """(k,) the same of the rest."""
    statistic: F64
    """(k,) members minus rest, classes taken out, over its standard error."""
    p: F64
    """(k,) adjusted over all k; nan where nothing can be permuted."""


def over_represented(
    present: Bool, members: Bool, strata: I64, groups: I64 | None, *, permutations: int = PERMUTATIONS, seed: int = 0
) -> Represented:
    """Compare members with the rest; which samples are members is permuted within strata, whole groups together, and
    the largest of the k statistics of each permutation is what a mark is held against.

    Args:
        present: (n, k) which sample carries which mark.
        members: (n,).
        strata: (n,) the class of each sample, or what else must not be exchanged.
        groups: (n,) samples that belong together, or None.

    Raises:
        InvalidInput: all samples are members, or none is.
    """
    if not 0 < members.sum() < len(members):
        raise InvalidInput(
            f"{int(members.sum()):,} of {len(members):,} samples are members: there is no rest, or no one."
        )
    inside = present[members].mean(0)
    outside = present[~members].mean(0)
    if not present.shape[1]:
        return Represented(inside, outside, np.zeros(0), np.zeros(0))
    _, at = np.unique(strata, return_inverse=True)
    counts = np.maximum(np.bincount(at), 1)
    means = np.stack([np.bincount(at, column) / counts for column in present.T.astype(np.float64)], 1)
    values = present - means[at]
    permuter = Permuter(at.astype(np.int64), groups, members.astype(np.float64))
    rng = np.random.default_rng([seed, 47])
    sizes = chunks(permutations, _CHUNK)
    observed = _statistics(values, members[:, None])[0]
    largest = max_t(lambda way, n, rng: _statistics(values, members[way.draw(n, rng)]).max(1), permuter, rng, sizes)
    if np.ptp(largest) == 0:  # one stratum or group apiece: every permutation is the same
        return Represented(inside, outside, observed, np.full(len(observed), np.nan))
    return Represented(inside, outside, observed, np.array([permutation_p(float(one), largest) for one in observed]))


def _statistics(values: F64, members: Bool) -> F64:
    """(r, k) of r sets of members, (n, r)."""
    picked = members.T.astype(np.float64)
    size = picked.sum(1, keepdims=True)
    n = np.full((1, 1), float(len(values)))
    sums = (picked @ values, picked @ values**2, values.sum(0)[None], (values**2).sum(0)[None])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.asarray(studentised_excess(size, n, *sums), np.float64)
    return np.where(np.isfinite(found), found, -np.inf)
