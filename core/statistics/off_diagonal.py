"""Which wrong answer is given for which class more often than the totals of classes and answers explain.

A table of confusions has an empty diagonal: a wrong answer is never the class itself. So rows and columns are not
independent even where each class draws its wrong answers from one common list: errors of the class that everybody
answers must go elsewhere, and look like a preference. The model without a preference is quasi-independence (Goodman
1968, J. Amer. Statist. Assoc. 63): cell = row effect x column effect, off the diagonal.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from core.records import F64, I64

MAX_STEPS = 2_000
MAX_CHANGE = 1e-9
"""Steps of the fit at most, and the relative change of an effect at which it stops; tables of 3 to 300 classes take 10
to 200."""


def quasi_independence(rows: F64, columns: F64) -> tuple[F64, F64]:
    """Fit row effects a and column effects b of a (k, k) table by iterative proportional fitting: a_i b_j, summed off
    the diagonal, gives both totals.

    Args:
        rows: (k,) totals of the rows, without the diagonal.
        columns: (k,) totals of the columns, with the same sum.
    """
    a = rows / max(rows.sum(), 1.0)
    b = columns.astype(np.float64)
    for _ in range(MAX_STEPS):
        last = a
        a = _over(rows, b.sum() - b)
        b = _over(columns, a.sum() - a)
        if (np.abs(a - last) <= MAX_CHANGE * a).all():
            break
    return a, b


def _over(totals: F64, others: F64) -> F64:
    return np.where(totals > 0, totals / np.maximum(others, 1e-300), 0.0)


def excess_p(table: I64, cells: I64) -> F64:
    """(m,) the one-sided p of each cell against quasi-independence; 1 where the totals leave it no choice.

    Given the totals, the count of a cell has Fisher's noncentral hypergeometric distribution in the table of row i or
    not, column j or not. Its odds ratio is that of the fit; without the empty diagonal it would be 1, and this Fisher's
    exact test. The other totals would narrow it further, so that p errs to the large side with few classes.

    Args:
        table: (k, k) counts; the diagonal is ignored.
        cells: (m, 2) row and column of each.
    """
    counts = table.astype(np.float64)
    np.fill_diagonal(counts, 0.0)
    rows = counts.sum(1)
    columns = counts.sum(0)
    total = counts.sum()
    a, b = quasi_independence(rows, columns)
    p = np.ones(len(cells))
    for number, (i, j) in enumerate(cells.tolist()):
        expected = a[i] * b[j]
        beside = rows[i] - expected
        below = columns[j] - expected
        elsewhere = total - rows[i] - columns[j] + expected
        if min(expected, beside, below, elsewhere) > 1e-6 * total:  # the fit only approaches 0
            odds = expected * elsewhere / (beside * below)
            p[number] = _tail(int(counts[i, j]), int(total), int(rows[i]), int(columns[j]), odds)
    return p


def _tail(least: int, total: int, drawn: int, marked: int, odds: float) -> float:
    """The chance of at least so many marked ones among those drawn."""
    x = np.arange(max(0, drawn + marked - total), min(drawn, marked) + 1, dtype=np.float64)
    logs = x * np.log(odds) - (
        gammaln(x + 1) + gammaln(drawn - x + 1) + gammaln(marked - x + 1) + gammaln(total - drawn - marked + x + 1)
    )
    chances = np.exp(logs - logs.max())
    return float(chances[x >= least].sum() / chances.sum())
