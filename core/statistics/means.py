"""Tests whether the mean of a part exceeds that of the other rows, for any shapes of the two; and its interval.

The rows of a part are weighted by random exponentials (the Bayesian bootstrap), and one extra row lies at the worst
observed value: the least for a lower bound, the greatest for an upper one. It stands for what was not seen. The
chance that the weighted mean lies below m is the p of "the mean is at most m". For 0/1 values this is Clopper and
Pearson's interval, and for two shares it is Fisher's exact p. Where rows come in groups, whole groups are weighted, and
the extra row is a group of the size of the largest: one of average size could not stand for another large one.

Why not ranks, a t test or permutation: ranks answer another question, the t of a small skewed sample can be infinite,
and permutation gives all classes one shape (docs/decisions/classes.md).

Sources: Rubin 1981, Ann. Statist. 9 (Bayesian bootstrap); Gaffke 2005, Commun. Statist. 34 (the bound, whose level is
proven for special cases and held in all simulations known to us); Altham 1969, JRSS B 31 (Fisher's p as a Bayesian
probability); Lugannani & Rice 1980, Adv. Appl. Prob. 12 (the chance itself, without drawing). Ours: the mean of the
others is approximated by a gamma variable with the same three cumulants, and the least and greatest values are the
observed ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from core.records import F64, I64, Bool, Estimate

_NODES = np.linspace(-8.0, 8.0, 49)
_WEIGHTS = np.exp(-(_NODES**2) / 2) / np.exp(-(_NODES**2) / 2).sum()
"""Quadrature over a standard normal, 49 nodes a third apart: what lies beyond 8 deviations is below 1e-14."""
_MAX_NEWTON_STEPS = 40
"""Newton's method stops earlier where it converges; the rest are kept inside by halving."""
_N_HALVINGS = 26
"""Halvings of the range of the values: each limit is exact to 2^-26 of the range, 1.5e-8."""


@dataclass(frozen=True, slots=True, eq=False)
class PartMeans:
    """Values in k disjoint, non-empty parts; u units, each a row, or the rows that a group has in a part.

    Values are stored minus their overall mean.
    """

    part: I64
    """(u,) part of each unit."""
    group: I64
    """(u,) group of each unit."""
    sums: F64
    """(u,) sum of each unit's values."""
    sizes: F64
    """(u,) rows of each unit."""
    level: float
    """Overall mean, subtracted from all values."""
    least: float
    greatest: float
    n_parts: int

    @classmethod
    def of(cls, values: F64, part: I64, n_parts: int, groups: I64 | None = None) -> PartMeans:
        """Part means of (n,) values in the parts 0 to n_parts - 1, with (n,) groups of rows."""
        level = float(values.mean())
        centred = values - level
        group = np.arange(len(values))
        if groups is not None:
            group = np.unique(groups, return_inverse=True)[1]
        key, unit = np.unique(group * n_parts + part, return_inverse=True)
        n = len(key)
        sums = _sums(centred, unit, n)
        sizes = _sums(np.ones(len(values)), unit, n)
        least = float(centred.min())
        greatest = float(centred.max())
        return cls(key % n_parts, key // n_parts, sums, sizes, level, least, greatest, n_parts)

    @property
    def units(self) -> I64:
        """(k,) number of units of each part."""
        return np.bincount(self.part, minlength=self.n_parts)

    @property
    def means(self) -> F64:
        """(k,) plain means."""
        return self.level + self._of_part(self.sums) / self._of_part(self.sizes)

    def of_others(self, values: F64, part: I64, n_parts: int, groups: I64 | None = None) -> PartMeans:
        """Part means of new values on the same scale, to be compared with the others of a part of these
        (`excess_p`)."""
        new = PartMeans.of(values - self.level, part, n_parts, groups)
        sums = new.sums + new.level * new.sizes
        return PartMeans(new.part, new.group, sums, new.sizes, self.level, self.least, self.greatest, n_parts)

    def excess_p(self, beside: tuple[PartMeans, int] | None = None) -> F64:
        """(k,) one-sided p that the mean of a part is not above that of all other rows; 1 without other rows.

        Args:
            beside: part means and the number of a part: each part is then compared with the rows outside that one.
        """
        if beside is not None:
            mean, deviation, skew = (np.full(self.n_parts, moment[beside[1]]) for moment in beside[0]._others())
        elif self.n_parts < 2:
            return np.ones(self.n_parts)
        else:
            mean, deviation, skew = self._others()
        p = np.zeros(self.n_parts)
        for node, weight in zip(_NODES, _WEIGHTS):
            others = np.minimum(mean + deviation * _gamma_quantile(node, skew), self.greatest)
            p += weight * self._cdf(others, self.least)
        return np.clip(p, 0.0, 1.0)

    def estimates(self, level: float) -> list[Estimate]:
        """The mean of each part, with an interval that misses on either side with at most (1 - level) / 2."""
        tail = (1 - level) / 2
        means = self.means
        lows = np.minimum(self._quantile(self.least, tail), means)
        highs = np.maximum(self._quantile(self.greatest, 1 - tail), means)
        return [Estimate(float(mean), float(low), float(high)) for mean, low, high in zip(means, lows, highs)]

    def _of_part(self, values: F64) -> F64:
        return _sums(values, self.part, self.n_parts)

    def _quantile(self, extreme: float, chance: float) -> F64:
        """(k,) quantile of each part's weighted mean, with one extra unit of `extreme`."""
        low = np.full(self.n_parts, self.least)
        high = np.full(self.n_parts, self.greatest)
        for _ in range(_N_HALVINGS):
            middle = (low + high) / 2
            under = self._cdf(middle, extreme) < chance
            low = np.where(under, middle, low)
            high = np.where(under, high, middle)
        return self.level + (low + high) / 2

    def _cdf(self, means: F64, extreme: float) -> F64:
        """(k,) probability that each part's weighted mean, with one extra unit of `extreme`, is at most `means`."""
        largest = np.zeros(self.n_parts)
        np.maximum.at(largest, self.part, self.sizes)
        added = largest * (extreme - means)
        parts = np.r_[self.part, np.arange(self.n_parts)]
        return chance_below_zero(np.r_[self.sums - self.sizes * means[self.part], added], parts, self.n_parts)

    def _others(self) -> tuple[F64, F64, F64]:
        """(k,) mean, standard deviation and skewness of the weighted mean of the rows outside each part, with one extra
        unit of the greatest value."""
        n_groups = int(self.group.max()) + 1
        whole = np.bincount(self.group, self.sums, n_groups)
        rows = np.bincount(self.group, self.sizes, n_groups)
        left = whole[self.group] - self.sums
        rows_left = rows[self.group] - self.sizes

        def outside(power: int, size_power: int) -> F64:
            """Sum over the groups outside of sums ** power * sizes ** size_power."""
            taken = whole[self.group] ** power * rows[self.group] ** size_power - left**power * rows_left**size_power
            return float((whole**power * rows**size_power).sum()) - self._of_part(taken)

        size = outside(0, 1)
        count = n_groups - self._of_part((rows_left == 0).astype(np.float64))
        unit = float(rows.max())
        mean = (outside(1, 0) + unit * self.greatest) / (size + unit)
        extra = unit * (self.greatest - mean)
        second = outside(2, 0) - 2 * mean * outside(1, 1) + mean**2 * outside(0, 2) + extra**2
        third = outside(3, 0) - 3 * mean * outside(2, 1) + 3 * mean**2 * outside(1, 2) - mean**3 * outside(0, 3)
        # rounding error of the differences of sums where all values are equal
        least = max((1e-9 * (self.greatest - self.least)) ** 2, np.finfo(np.float64).tiny ** 0.25)
        variance = np.maximum(second / (size + unit) ** 2, least) * (count + 1) / (count + 2)
        cubed = 2 * (third + extra**3) / (size + unit) ** 3 * (count + 1) ** 2 / ((count + 2) * (count + 3))
        return mean, np.sqrt(variance), cubed / variance**1.5


def _sums(values: F64, part: I64, n_parts: int) -> F64:
    return np.bincount(part, values, n_parts).astype(np.float64, copy=False)


def chance_below_zero(values: F64, part: I64, n_parts: int) -> F64:
    """(k,) the probability that the sum of each part's values, weighted by independent unit exponentials, is at most 0.

    Args:
        values: (u,); part: (u,) of 0 to n_parts - 1, each with a value.

    Source: the saddlepoint formula of Lugannani & Rice; its relative error is at most a hundredth.
    """
    low = np.zeros(n_parts)
    high = np.zeros(n_parts)
    np.minimum.at(low, part, values)
    np.maximum.at(high, part, values)
    mixed = (low < 0) & (high > 0)
    scale = np.where(mixed, np.maximum(-low, high), 1.0)
    scaled = np.where(mixed[part], values / scale[part], 0.0)
    point = _saddlepoint(scaled, part, mixed, low / scale, high / scale)
    left = 1 - point[part] * scaled
    minus_cumulant = _sums(np.log(left), part, n_parts)
    second = _sums((scaled / left) ** 2, part, n_parts)
    w = np.sign(point) * np.sqrt(np.maximum(2 * minus_cumulant, 0.0))
    u = point * np.sqrt(second)
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = special.ndtr(w) - np.exp(-(w**2) / 2) / np.sqrt(2 * np.pi) * (1 / u - 1 / w)
    at_mean = _sums(scaled**3, part, n_parts) / np.maximum(_sums(scaled**2, part, n_parts), 1e-100) ** 1.5
    # near the mean 1/u - 1/w cancels; there its limit, which depends on the skewness alone
    chance = np.where(np.abs(w) < 1e-3, 0.5 + 2 * at_mean / (6 * np.sqrt(2 * np.pi)), chance)
    return np.where(mixed, np.clip(chance, 0.0, 1.0), np.where(high > 0, 0.0, 1.0))


def _saddlepoint(values: F64, part: I64, mixed: Bool, low: F64, high: F64) -> F64:
    """(k,) zeros of the derivative of the cumulant generating function, by Newton's steps kept inside by halving."""
    n_parts = len(low)
    left = np.where(mixed, 1 / np.minimum(low, -1e-300), -1.0)
    right = np.where(mixed, 1 / np.maximum(high, 1e-300), 1.0)
    point = np.zeros(n_parts)
    for _ in range(_MAX_NEWTON_STEPS):
        terms = values / (1 - point[part] * values)
        first = _sums(terms, part, n_parts)
        second = _sums(terms**2, part, n_parts)
        left = np.where(first < 0, point, left)
        right = np.where(first > 0, point, right)
        new = point - first / np.maximum(second, 1e-300)
        new = np.where((new > left) & (new < right), new, (left + right) / 2)
        done = np.abs(new - point) * np.sqrt(second) < 1e-7
        point = new
        if done[mixed].all():
            break
    return np.where(mixed, point, 0.0)


def _gamma_quantile(normal: float, skew: F64) -> F64:
    """(k,) quantiles of a standardized gamma variable of each skewness, at the probability of `normal`."""
    size = np.clip(np.abs(skew), 1e-3, 10.0)
    shape = 4 / size**2
    at = np.where(skew < 0, -normal, normal)
    # the tail on the near side, so that small probabilities keep their digits
    value = np.where(
        at < 0, special.gammaincinv(shape, special.ndtr(at)), special.gammainccinv(shape, special.ndtr(-at))
    )
    quantile = np.where(skew < 0, -1, 1) * (value - shape) / np.sqrt(shape)
    return np.where(np.abs(skew) < 1e-3, normal, quantile)
