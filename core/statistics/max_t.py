"""The max-T test: what the largest of many statistics reaches where rows are permuted (Westfall & Young 1993)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat
from typing import Any, TypeVar

import numpy as np

from core.records import F32, F64
from core.statistics.permuter import Permuter

N = TypeVar("N", F32, F64)


def max_t(
    read: Callable[[Permuter, int, np.random.Generator], N],
    permuter: Permuter,
    rng: np.random.Generator,
    sizes: Sequence[int],
) -> N:
    """(..., b) the null that observed statistics are held against, by `core.statistics.permutation.permutation_p`.

    Args:
        read: draws so many permutations and gives (..., count), the largest statistic of each. Rows before the last
            axis are nulls of their own.
        sizes: permutations that are held at once (`chunks`), b together.
    """
    return conservative_null(nulls(read, permuter, rng, sizes))


def nulls(
    read: Callable[[Permuter, int, np.random.Generator], N],
    permuter: Permuter,
    rng: np.random.Generator,
    sizes: Sequence[int],
    *,
    every: Callable[..., Iterable[N]] | None = None,
    enough: Callable[[int, Sequence[N]], bool] = lambda way, parts: False,
) -> list[N]:
    """The null of each of the permuter's ways; arguments as for `max_t`.

    Args:
        every: maps a function over sizes and their generators, each size with one of its own, so that the result does
            not depend on how many are drawn at once. By default one after another, with the one generator.
        enough: whether to stop, by the number of the way and what was drawn in it so far.
    """
    found = list[Any]()
    for number, way in enumerate(permuter.exchange_schemes):
        draw = partial(read, way)
        parts = list[Any]()
        drawn = map(draw, sizes, repeat(rng)) if every is None else every(draw, sizes, rng.spawn(len(sizes)))
        for part in drawn:
            parts.append(part)
            if enough(number, parts):
                break
        found.append(np.concatenate(parts, axis=-1))
    return found


def conservative_null(ways: Sequence[N]) -> N:
    """(..., b) a null by which a statistic has the largest p that it has by any of them, each ascending or not.

    Those that were stopped early, whose p is far from any alpha, are shorter: the shortest is taken then.
    """
    if len({null.shape[-1] for null in ways}) > 1:
        return min(ways, key=lambda null: null.shape[-1])
    return ways[0] if len(ways) == 1 else np.maximum.reduce([np.sort(null) for null in ways])


def chunks(total: int, size: int) -> list[int]:
    """Lengths that add up to `total`, each at most `size`."""
    return [min(size, total - at) for at in range(0, total, size)]
