"""Settings chosen on validation images: a coarse grid, then a finer one around its best value. Deterministic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Any, Literal

import numpy as np

from core.records import F64, I64
from core.statistics import losses
from core.systems.probes.records import Choice

ROUNDS = 2
"""Refinements after the coarse grid."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A number to choose."""

    name: str
    start: float
    """Its default, kept unless another value is better."""
    values: tuple[float, ...]
    """Coarse grid, ascending; a single value fixes it."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The best setting."""

    values: Mapping[str, float]
    n_right: int
    cross_entropy: float
    """Mean over the validation images, in nats."""
    temperature: float = 1.0
    """See `temperature_of`."""
    tried: int = 0
    """Settings that were compared."""

    @property
    def key(self) -> tuple[int, float]:
        """Larger is better."""
        return self.n_right, -self.cross_entropy


def axis_of(name: str, fixed: float | None, default: float, grid: tuple[float, ...]) -> Axis:
    """The axis of a weight that the user may have fixed."""
    if fixed is None:
        return Axis(name, default, grid)
    return Axis(name, fixed, (fixed,))


def geometric(low: float, high: float, n: int, *, zero: bool = False) -> tuple[float, ...]:
    """n values from low to high in equal ratios; with `zero`, 0 before them."""
    values = tuple(float(v) for v in np.geomspace(low, high, n))
    if zero:
        return (0.0, *values)
    return values


def temperature_of(logits: F64, labels: I64) -> float:
    """The divisor of the chosen setting's logits: the value with the least cross-entropy on (v, k) logits of the
    validation images.

    A search for accuracy ignores confidence, and this corrects it; no prediction changes. Since the setting was chosen
    on the same images, some overconfidence stays. Source: Guo et al. 2017, arXiv 1706.04599, section 4.2.
    """
    temperatures = np.geomspace(0.2, 20, 93)  # steps of 5%
    mean_losses = [losses.cross_entropy_of_logits(logits / t, labels).mean() for t in temperatures]
    return float(temperatures[np.argmin(mean_losses)])


def coarse_to_fine(
    axes: Sequence[Axis], logits_of: Callable[[Mapping[str, float]], F64], labels: I64, rounds: int = ROUNDS
) -> SearchResult:
    """The setting with most validation images right; ties go to the lower cross-entropy, then to the first.

    Args:
        axes: the first changes slowest, so results that depend on it alone can be cached between calls.
        logits_of: (v, k) logits of the validation images with these values.
        labels: (v,) their classes.
        rounds: each halves the distance (the ratio, where values are above 0) between neighboring values around the
            best.

    Source: the grids of Tip-Adapter and SuS-X (first strict improvement wins), made coarse to fine. SuS-X searches
    200,000 settings, and for five data sets on the test images; this one tries some hundreds, on validation images
    alone. Accuracy first, as there, costs calibration: with name-only support sets and 4 validation images a class it
    was 3 to 4 points more accurate than cross-entropy first on two sets of photographs, at an expected calibration
    error of 0.16 to 0.27 against 0.06 to 0.12.
    """
    best = _judge({axis.name: axis.start for axis in axes}, logits_of, labels)
    grids = [axis.values for axis in axes]
    tried = set[tuple[float, ...]]()
    for _ in range(rounds + 1):
        for values in product(*grids):
            if values in tried:
                continue
            tried.add(values)
            result = _judge({axis.name: value for axis, value in zip(axes, values)}, logits_of, labels)
            more_right = result.n_right > best.n_right
            if more_right or (result.n_right == best.n_right and result.cross_entropy < best.cross_entropy - 1e-12):
                best = result
        grids = [_around(grid, best.values[axis.name]) for axis, grid in zip(axes, grids)]
    return replace(best, tried=len(tried), temperature=temperature_of(logits_of(best.values), labels))


def choices_of(
    weights: Mapping[str, float | None],
    defaults: Mapping[str, float],
    search: Callable[[dict[str, float]], SearchResult] | None,
) -> tuple[tuple[Choice, ...], SearchResult | None]:
    """Each weight as set by the user, else as a search on validation images chose it, else its default; and the
    search.

    Args:
        weights: by name; None where the user leaves it open.
        search: takes the weights that the user set; None without validation images.
    """
    fixed = {name: float(value) for name, value in weights.items() if value is not None}
    result = None
    values: Mapping[str, float] = dict(defaults) | fixed
    how: Literal["fixed", "validation"] = "fixed"
    if search is not None and len(fixed) < len(weights):
        result = search(fixed)
        values = result.values
        how = "validation"
    choices = [Choice(n, values[n], "given" if n in fixed else how) for n in weights]
    if result is not None:
        choices.append(Choice("temperature", result.temperature, "validation"))
    return tuple(choices), result


def search_details(search: SearchResult | None) -> dict[str, Any]:
    """The details of a probe's result on its search; empty without a search."""
    if search is None:
        return {}
    return {"validation images right": search.n_right, "settings tried": search.tried}


def _judge(values: Mapping[str, float], logits_of: Callable[[Mapping[str, float]], F64], labels: I64) -> SearchResult:
    logits = logits_of(values)
    loss = losses.cross_entropy_of_logits(logits, labels)
    return SearchResult(values, int((logits.argmax(1) == labels).sum()), float(loss.mean()))


def _around(grid: Sequence[float], value: float) -> tuple[float, ...]:
    """The value, its neighbors in the grid, and the points between."""
    if len(grid) < 2:
        return tuple(grid)
    below = [v for v in grid if v < value]
    above = [v for v in grid if v > value]
    sides = [*below[-1:], value, *above[:1]]
    points = set(sides)
    for a, b in pairwise(sides):
        # the geometric mean keeps equal ratios; 0 has none, so the arithmetic mean beside it
        points.add(float(np.sqrt(a * b)) if a > 0 and b > 0 else (a + b) / 2)
    return tuple(sorted(points))
