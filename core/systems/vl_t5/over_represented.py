"""Which of many marks some samples carry more often than the others of their class, tested jointly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.records import F64, I64, Bool
from core.statistics.max_t import chunks, max_t
from core.statistics.permutation import permutation_p, studentised_excess
from core.statistics.permuter import Permuter

PERMUTATIONS = 5000
CHUNK_PERMUTATIONS = 500


@dataclass(frozen=True, slots=True, eq=False)
class Represented:
    """Result of the test of k marks."""

    inside: F64
    """(k,) share of members that carry the mark."""
    outside: F64
    """(k,) share of the others that carry it."""
    statistic: F64
    """(k,) members minus others after subtracting class means, over its standard error."""
    p: F64
    """(k,) adjusted over all k marks; nan where nothing can be permuted."""


def over_represented(
    present: Bool, members: Bool, strata: I64, groups: I64 | None, *, permutations: int = PERMUTATIONS, seed: int = 0
) -> Represented:
    """Compare how often members and others carry each mark.

    Membership is permuted within strata, whole groups together, and each mark is compared with the largest of the k
    statistics of each permutation.

    Args:
        present: (n, k) which sample carries which mark.
        members: (n,).
        strata: (n,) each sample's class, or another stratum to permute within.
        groups: (n,) related samples, or None.

    Raises:
        InvalidInput: all samples are members, or none.
    """
    if not 0 < members.sum() < len(members):
        raise InvalidInput(
            f"{int(members.sum()):,} of {len(members):,} samples are members. Choose members and others to compare."
        )
    inside = present[members].mean(0)
    outside = present[~members].mean(0)
    if not present.shape[1]:
        return Represented(inside, outside, np.zeros(0), np.zeros(0))
    # A mark that merely goes with a class must not count, so class means are subtracted and only samples of one
    # stratum trade places. The maximum over marks keeps the error rate of all k tests together at the level of one.
    _, stratum = np.unique(strata, return_inverse=True)
    counts = np.maximum(np.bincount(stratum), 1)
    means = np.stack([np.bincount(stratum, column) / counts for column in present.T.astype(np.float64)], 1)
    values = present - means[stratum]
    permuter = Permuter(stratum.astype(np.int64), groups, members.astype(np.float64))
    rng = np.random.default_rng([seed, 47])
    sizes = chunks(permutations, CHUNK_PERMUTATIONS)
    observed = _statistics(values, members[:, None])[0]
    largest = max_t(lambda way, n, rng: _statistics(values, members[way.draw(n, rng)]).max(1), permuter, rng, sizes)
    if np.ptp(largest) == 0:  # each stratum or group has one sample: every permutation is the same
        return Represented(inside, outside, observed, np.full(len(observed), np.nan))
    p = np.array([permutation_p(float(statistic), largest) for statistic in observed])
    return Represented(inside, outside, observed, p)


def _statistics(values: F64, members: Bool) -> F64:
    """(r, k) statistics for r sets of members, (n, r)."""
    picked = members.T.astype(np.float64)
    size = picked.sum(1, keepdims=True)
    n = np.full((1, 1), float(len(values)))
    sums = (picked @ values, picked @ values**2, values.sum(0)[None], (values**2).sum(0)[None])
    with np.errstate(divide="ignore", invalid="ignore"):
        statistics = np.asarray(studentised_excess(size, n, *sums), np.float64)
    return np.where(np.isfinite(statistics), statistics, -np.inf)
