"""The largest statistic that any free question could have had: see `core.checks.questions`."""

from __future__ import annotations

import numpy as np

from core.discovery.design import Design
from core.language.directions import centred
from core.records import F32, F64, Words
from core.statistics.permutation import chunks

PERMUTATIONS = 2000


def question_null(words: Words, design: Design, scores: F64, *, seed: int, n_permutations: int = PERMUTATIONS) -> F32:
    """(b,) in each permutation, the largest statistic of any direction within `words.leading` in any scope.

    Args:
        scores: (n,) class-centred failure scores.
    """
    rng = np.random.default_rng([seed, 3])
    along = centred(words.joint.vectors, design.centre_of_row) @ words.leading.T  # (n, r)
    bases = [(s.rows, _orthonormal(along[s.rows])) for s in design.scopes]
    column = scores.astype(np.float32)
    nulls: list[F32] = []
    for count in chunks(n_permutations, 250):
        permuted = column[design.permuter.draw(count, rng)]
        best = np.zeros(count, np.float32)
        for rows, basis in bases:
            own = permuted[rows]
            own = own - own.mean(0)
            explained, total = ((basis.T @ own) ** 2).sum(0), np.maximum((own**2).sum(0), 1e-12)
            best = np.maximum(best, np.sqrt(len(rows) * explained / total))
        nulls.append(best)
    return np.concatenate(nulls)


def _orthonormal(rows: F32) -> F32:
    """(m, <= r) orthonormal basis of the centred columns."""
    left, values, _ = np.linalg.svd((rows - rows.mean(0)).astype(np.float64), full_matrices=False)
    return left[:, values > 1e-8 * max(float(values.max(initial=0.0)), 1e-12)].astype(np.float32)
