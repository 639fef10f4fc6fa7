"""The max-T null: the largest of many statistics under permutation of the rows (Westfall & Young 1993)."""

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
    """(..., b) the null for `core.statistics.permutation.permutation_p`.

    Args:
        read: draws `count` permutations and returns (..., count), the largest statistic of each. Rows before the last
            axis are separate nulls.
        sizes: permutations held at once (`chunks`), b together.
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
    """The null of each of the permuter's exchange schemes; arguments as for `max_t`.

    Args:
        every: maps a function over sizes and their generators, one per size, so that the result does not depend on how
            many are drawn at once. By default sizes are drawn one after another, with the same generator.
        enough: whether to stop, by the number of the scheme and the parts drawn so far.
    """
    drawn = list[Any]()
    for number, scheme in enumerate(permuter.exchange_schemes):
        draw = partial(read, scheme)
        parts = list[Any]()
        pieces = map(draw, sizes, repeat(rng)) if every is None else every(draw, sizes, rng.spawn(len(sizes)))
        for part in pieces:
            parts.append(part)
            if enough(number, parts):
                break
        drawn.append(np.concatenate(parts, axis=-1))
    return drawn


def conservative_null(nulls: Sequence[N]) -> N:
    """(..., b) a null under which each statistic has its largest p of all the nulls, sorted or not.

    Where exchangeability is in doubt, a finding must pass every scheme, so the larger p counts. Sorted nulls of one
    length give it by their maximum, rank by rank. A null that stopped early is shorter, and its p is far from any
    alpha; the shortest is then returned.
    """
    if len({null.shape[-1] for null in nulls}) > 1:
        return min(nulls, key=lambda null: null.shape[-1])
    if len(nulls) == 1:
        return nulls[0]
    return np.maximum.reduce([np.sort(null) for null in nulls])


def chunks(total: int, size: int) -> list[int]:
    """Lengths that add up to `total`, each at most `size`."""
    return [min(size, total - at) for at in range(0, total, size)]
