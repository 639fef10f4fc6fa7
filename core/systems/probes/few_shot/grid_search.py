"""Settings chosen on validation images: a coarse grid, then a finer one around its best. Nothing here is random."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, product

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
    """Its fixed default: what is kept unless another value is better."""
    values: tuple[float, ...]
    """Coarse grid, ascending; one value is no choice."""


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
    known: frozenset[tuple[float, ...]] = field(default=frozenset(), repr=False)

    @property
    def key(self) -> tuple[int, float]:
        """Larger is better."""
        return self.n_right, -self.cross_entropy


def geometric(low: float, high: float, n: int, *, zero: bool = False) -> tuple[float, ...]:
    """n values from low to high in equal ratios; with `zero`, 0 before them."""
    values = tuple(float(v) for v in np.geomspace(low, high, n))
    return (0.0, *values) if zero else values


def temperature_of(logits: F64, labels: I64) -> float:
    """What the logits of the chosen setting are divided by: the value of least cross-entropy on (v, k) logits of the
    validation images.

    A search for accuracy does not mind how sure the logits are, and this sets it right again; no prediction changes.
    Since the setting was
    chosen on the same images, some overconfidence stays. Source: Guo et al. 2017, arXiv 1706.04599, section 4.2.
    """
    tried = np.geomspace(0.2, 20, 93)
    return float(tried[np.argmin([losses.cross_entropy_of_logits(logits / t, labels).mean() for t in tried])])


def coarse_to_fine(
    axes: Sequence[Axis], logits_of: Callable[[Mapping[str, float]], F64], labels: I64, rounds: int = ROUNDS
) -> SearchResult:
    """The setting with most validation images right; of equals the one with the lower cross-entropy, and of those the
    first.

    Args:
        axes: the first changes slowest, so what only it decides can be kept between calls.
        logits_of: (v, k) logits of the validation images with these values.
        labels: (v,) their classes.
        rounds: each halves the distance (the ratio, where values are above 0) between neighboring values around the
            best.

    Source: the grids of Tip-Adapter and SuS-X (first strict improvement wins), made coarse to fine. SuS-X searches
    200,000 settings, and for five data sets on the test images; this one tries some hundreds and sees validation images
    alone. Accuracy first, as there, costs calibration: with name-only support sets and 4 validation images a class it
    was 3 to 4 points more accurate than cross-entropy first on two sets of photographs, at an expected calibration
    error of 0.16 to 0.27 against 0.06 to 0.12.
    """
    best = _judged({axis.name: axis.start for axis in axes}, logits_of, labels)
    grids = [axis.values for axis in axes]
    for _ in range(rounds + 1):
        best = _over(axes, grids, best, logits_of, labels)
        grids = [_around(grid, best.values[axis.name]) for axis, grid in zip(axes, grids)]
    return replace(best, known=frozenset(), temperature=temperature_of(logits_of(best.values), labels))


def choices_of(
    given: Mapping[str, float | None],
    defaults: Mapping[str, float],
    search: Callable[[dict[str, float]], SearchResult] | None,
) -> tuple[tuple[Choice, ...], SearchResult | None]:
    """Each weight as given, else as a search on validation images chose it, else its default; and that search.

    Args:
        given: by name; None where the user leaves it open.
        search: takes the weights that are given; None where there is nothing to search on.
    """
    known = {name: float(value) for name, value in given.items() if value is not None}
    if search is None or len(known) == len(given):
        return tuple(Choice(n, known.get(n, defaults[n]), "given" if n in known else "fixed") for n in given), None
    found = search(known)
    chosen = (Choice(n, found.values[n], "given" if n in known else "validation") for n in given)
    return (*chosen, Choice("temperature", found.temperature, "validation")), found


def _over(
    axes: Sequence[Axis],
    grids: Sequence[Sequence[float]],
    best: SearchResult,
    logits_of: Callable[[Mapping[str, float]], F64],
    labels: I64,
) -> SearchResult:
    known = set(best.known)
    for values in product(*grids):
        if values in known:
            continue
        known.add(values)
        here = _judged({axis.name: value for axis, value in zip(axes, values)}, logits_of, labels)
        if here.n_right > best.n_right or (
            here.n_right == best.n_right and here.cross_entropy < best.cross_entropy - 1e-12
        ):
            best = here
    return replace(best, tried=len(known), known=frozenset(known))


def _judged(values: Mapping[str, float], logits_of: Callable[[Mapping[str, float]], F64], labels: I64) -> SearchResult:
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
    points = set(sides) | {_middle(a, b) for a, b in pairwise(sides)}
    return tuple(sorted(points))


def _middle(a: float, b: float) -> float:
    return float(np.sqrt(a * b)) if a > 0 and b > 0 else (a + b) / 2
