"""How strongly a column goes with the loss: for the order of charts, described and not tested."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.records import F64, I64

MIN_VALUES = 3
"""Fewer values have no rank correlation that says anything."""


def number_association(values: F64, losses: F64) -> float:
    """Absolute Spearman correlation of a column (n,), nan where it is empty, with the losses (n,): 0 to 1."""
    column = pd.Series(values)
    known = column.notna()
    if known.sum() < MIN_VALUES or column[known].nunique() < 2:
        return 0.0
    ranks = pd.Series(losses).rank()
    if ranks[known].nunique() < 2:
        return 0.0
    return abs(float(column[known].rank().corr(ranks[known])))


def category_association(codes: I64, losses: F64) -> float:
    """Root of epsilon squared (Kelley 1935) of categories (n,), -1 where empty, with the ranks of the losses: 0 to 1.
    Without an association it averages 0, whatever the number of categories."""
    ranks = pd.Series(losses).rank().to_numpy()
    sizes = np.bincount(codes + 1)
    sums = np.bincount(codes + 1, ranks)
    held = sizes > 0
    n = len(codes)
    k = int(held.sum())
    total = float(((ranks - ranks.mean()) ** 2).sum())
    if k < 2 or n <= k or not total:
        return 0.0
    between = float((sums[held] ** 2 / sizes[held]).sum() - ranks.sum() ** 2 / n)
    within = (total - between) / (n - k)
    return float(np.sqrt(max(0.0, (between - (k - 1) * within) / total)))
