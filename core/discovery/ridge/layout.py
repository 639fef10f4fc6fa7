"""The rows of a data set laid out for ridge heads: those of a head side by side, so that no product copies any."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from core.records import F32, F64, I64


@dataclass(frozen=True, eq=False)
class HeadRows:
    """Features in the order of their heads; several smoothers share one.

    Rows are numbered as the caller numbers them; where a row lies here is its place.
    """

    order: I64
    """(n,) number of the row at each place: by head, in it by class."""
    features: F32
    """(n, r) at each place."""
    blocks: I64
    """(n,) class at each place."""
    heads: I64
    """(n,) head at each place."""
    slices: tuple[slice, ...]
    """Where the rows of each head are."""

    @classmethod
    def of(cls, features: F32, blocks: I64, heads: I64 | None = None) -> HeadRows:
        """Of (n, r) features and the (n,) class and head (by default the class) of each row; a head takes whole
        classes."""
        if heads is None:
            heads = blocks
        order = np.lexsort((blocks, heads))
        bounds = np.r_[0, np.cumsum(np.bincount(heads))]
        slices = tuple(slice(int(a), int(b)) for a, b in pairwise(bounds))
        return cls(order, np.ascontiguousarray(features[order]), blocks[order], heads[order], slices)

    @cached_property
    def grams(self) -> F64:
        """(heads, r, r) X_c'X_c."""
        return np.stack([self.features[at].T @ self.features[at] for at in self.slices]).astype(np.float64)

    def moments(self, scores: F32) -> F32:
        """(heads, p, r) t'X_c of the (p, n) scores at each place."""
        return np.stack([scores[:, at] @ self.features[at] for at in self.slices])
