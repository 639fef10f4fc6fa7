"""Whether the mean of a part is higher than that of the rest, whatever shapes the two have; and where it lies.

The rows of a part are weighted by random exponentials (the Bayesian bootstrap), and one row more lies at the worst
value that the data know: at the least for a lower bound, at the greatest for an upper one. The chance that the mean so
weighted lies below m is the p of "the mean is at most m". For 0/1 values this is Clopper and Pearson's interval, and
of two shares it is Fisher's exact p. Where rows come in groups, whole groups are weighted, and
the row more is a group of the size of the largest: of average size it could not stand for another large one.

Sources: Rubin 1981, Ann. Statist. 9 (Bayesian bootstrap); Gaffke 2005, Commun. Statist. 34 (the bound, whose level is
proven for special cases and held in all simulations known to us); Altham 1969, JRSS B 31 (Fisher's p as such a chance);
Lugannani & Rice 1980, Adv. Appl. Prob. 12 (the chance itself, without drawing). Ours: the mean of the rest is taken as
a gamma variable of the right three cumulants, and the least and greatest values are those that were seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from core.records import F64, I64, Bool, Estimate

_NODES = np.linspace(-8.0, 8.0, 49)
_WEIGHTS = np.exp(-(_NODES**2) / 2) / np.exp(-(_NODES**2) / 2).sum()
_MAX_NEWTON_STEPS = 40
_N_HALVINGS = 26


@dataclass(frozen=True, slots=True, eq=False)
class PartMeans:
    """Values in k parts, which share no row and have one each; u units: a row, or what a group has of a part.

    Values are held less their overall mean.
    """

    part: I64
    """(u,) part of each unit."""
    group: I64
    """(u,) group of each unit."""
    sums: F64
    """(u,) sum of its values."""
    sizes: F64
    """(u,) its rows."""
    level: float
    """What was taken off all values."""
    least: float
    greatest: float
    n_parts: int

    @classmethod
    def of(cls, values: F64, part: I64, n_parts: int, groups: I64 | None = None) -> PartMeans:
        """Of (n,) values in the parts 0 to n_parts - 1, and the (n,) groups that rows come in."""
        level = float(values.mean())
        centred = values - level
        group = np.arange(len(values)) if groups is None else np.unique(groups, return_inverse=True)[1]
        key, unit = np.unique(group * n_parts + part, return_inverse=True)
        n = len(key)
        sums = _sums(centred, unit, n)
        sizes = _sums(np.ones(len(values)), unit, n)
        ends = float(centred.min()), float(centred.max())
        return cls(key % n_parts, key // n_parts, sums, sizes, level, *ends, n_parts)

    @property
    def units(self) -> I64:
        """(k,) units of each part."""
        return np.bincount(self.part, minlength=self.n_parts)

    @property
    def means(self) -> F64:
        """(k,) plain means."""
        return self.level + self._of_part(self.sums) / self._of_part(self.sizes)

    def of_others(self, values: F64, part: I64, n_parts: int, groups: I64 | None = None) -> PartMeans:
        """Other values in parts of their own, to be held against the rest of a part of these (`excess_p`)."""
        made = PartMeans.of(values - self.level, part, n_parts, groups)
        sums = made.sums + made.level * made.sizes
        return PartMeans(made.part, made.group, sums, made.sizes, self.level, self.least, self.greatest, n_parts)

    def excess_p(self, beside: tuple[PartMeans, int] | None = None) -> F64:
        """(k,) one-sided p that the mean of a part is no higher than that of all other rows; 1 without others.

        Args:
            beside: values and one of their parts: then the mean of each part is held against the rest of that one.
        """
        if self.n_parts < 2 and beside is None:
            return np.ones(self.n_parts)
        if beside is None:
            mean, deviation, skew = self._rest()
        else:
            mean, deviation, skew = (np.full(self.n_parts, of_rest[beside[1]]) for of_rest in beside[0]._rest())
        p = np.zeros(self.n_parts)
        for node, weight in zip(_NODES, _WEIGHTS):
            rest = np.minimum(mean + deviation * _gamma_quantile(node, skew), self.greatest)
            p += weight * self._cdf(rest, self.least)
        return np.clip(p, 0.0, 1.0)

    def estimates(self, level: float) -> list[Estimate]:
        """The mean of each part, with an interval that misses on either side with at most (1 - level) / 2."""
        tail = (1 - level) / 2
        low = self._quantile(self.least, tail)
        high = self._quantile(self.greatest, 1 - tail)
        ends = np.minimum(low, self.means), self.means, np.maximum(high, self.means)
        return [Estimate(float(mean), float(low), float(high)) for low, mean, high in zip(*ends)]

    def _of_part(self, values: F64) -> F64:
        return _sums(values, self.part, self.n_parts)

    def _quantile(self, extreme: float, chance: float) -> F64:
        """(k,) the mean below which the weighted one lies with this chance."""
        low = np.full(self.n_parts, self.least)
        high = np.full(self.n_parts, self.greatest)
        for _ in range(_N_HALVINGS):
            middle = (low + high) / 2
            under = self._cdf(middle, extreme) < chance
            low = np.where(under, middle, low)
            high = np.where(under, high, middle)
        return self.level + (low + high) / 2

    def _cdf(self, means: F64, extreme: float) -> F64:
        """(k,) chance that the weighted mean of each part, with one unit of `extreme`, is at most its of the means."""
        largest = np.zeros(self.n_parts)
        np.maximum.at(largest, self.part, self.sizes)
        added = largest * (extreme - means)
        of = np.r_[self.part, np.arange(self.n_parts)]
        return chance_below_zero(np.r_[self.sums - self.sizes * means[self.part], added], of, self.n_parts)

    def _rest(self) -> tuple[F64, F64, F64]:
        """(k,) mean, deviation and skewness of the weighted mean of what is outside each part, with one unit of the
        greatest value."""
        n_groups = int(self.group.max()) + 1
        whole = np.bincount(self.group, self.sums, n_groups)
        rows = np.bincount(self.group, self.sizes, n_groups)
        left = whole[self.group] - self.sums
        of_rest = rows[self.group] - self.sizes

        def outside(power: int, of_size: int) -> F64:
            """Sum over the groups of the rest of sums ** power * sizes ** of_size."""
            taken = whole[self.group] ** power * rows[self.group] ** of_size - left**power * of_rest**of_size
            return float((whole**power * rows**of_size).sum()) - self._of_part(taken)

        size = outside(0, 1)
        count = n_groups - self._of_part((of_rest == 0).astype(np.float64))
        unit = float(rows.max())
        mean = (outside(1, 0) + unit * self.greatest) / (size + unit)
        ours = unit * (self.greatest - mean)
        second = outside(2, 0) - 2 * mean * outside(1, 1) + mean**2 * outside(0, 2) + ours**2
        third = outside(3, 0) - 3 * mean * outside(2, 1) + 3 * mean**2 * outside(1, 2) - mean**3 * outside(0, 3)
        # what differences of sums leave where all are equal
        least = max((1e-9 * (self.greatest - self.least)) ** 2, np.finfo(np.float64).tiny ** 0.25)
        variance = np.maximum(second / (size + unit) ** 2, least) * (count + 1) / (count + 2)
        cubed = 2 * (third + ours**3) / (size + unit) ** 3 * (count + 1) ** 2 / ((count + 2) * (count + 3))
        return mean, np.sqrt(variance), cubed / variance**1.5


def _sums(values: F64, part: I64, n_parts: int) -> F64:
    return np.bincount(part, values, n_parts).astype(np.float64, copy=False)


def chance_below_zero(values: F64, part: I64, n_parts: int) -> F64:
    """(k,) the chance that the sum of each part's values, weighted by independent unit exponentials, is at most 0.

    Args:
        values: (u,); part: (u,) of 0 to n_parts - 1, each with a value.

    Source: the saddlepoint formula of Lugannani & Rice; off by a hundredth of itself or less.
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
    chance = np.where(np.abs(w) < 1e-3, 0.5 + 2 * at_mean / (6 * np.sqrt(2 * np.pi)), chance)
    return np.where(mixed, np.clip(chance, 0.0, 1.0), np.where(high > 0, 0.0, 1.0))


def _saddlepoint(values: F64, part: I64, mixed: Bool, low: F64, high: F64) -> F64:
    """(k,) where the derivative of the cumulant generating function is 0: Newton's steps, kept inside by halving."""
    n_parts = len(low)
    left = np.where(mixed, 1 / np.minimum(low, -1e-300), -1.0)
    right = np.where(mixed, 1 / np.maximum(high, 1e-300), 1.0)
    point = np.zeros(n_parts)
    for _ in range(_MAX_NEWTON_STEPS):
        each = values / (1 - point[part] * values)
        first = _sums(each, part, n_parts)
        second = _sums(each**2, part, n_parts)
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
    """(k,) the quantile of a standardized gamma variable of each skewness, where a normal one has `normal`."""
    size = np.clip(np.abs(skew), 1e-3, 10.0)
    shape = 4 / size**2
    at = np.where(skew < 0, -normal, normal)
    value = np.where(
        at < 0, special.gammaincinv(shape, special.ndtr(at)), special.gammainccinv(shape, special.ndtr(-at))
    )
    found = np.where(skew < 0, -1, 1) * (value - shape) / np.sqrt(shape)
    return np.where(np.abs(skew) < 1e-3, normal, found)
