from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.records import F32
from core.statistics.excess import studentised_excesses
from core.statistics.groups import cluster_variance_terms
from core.statistics.permutation import studentised_excess


def _sums(sets: F32, scores: F32, groups: Any, spans_apart: bool) -> tuple[Any, ...]:
    n = scores.shape[1]
    size, scope = sets.sum(1)[:, None].astype(np.float64), np.full((1, 1), n, np.float64)
    sums = size, scope, sets @ scores.T, sets @ np.square(scores).T, scores.sum(1)[None], np.square(scores).sum(1)[None]
    if groups is None:
        return sums
    terms = cluster_variance_terms(scores, groups)
    inside = [sets @ term.T for term in terms]
    if spans_apart:  # of slices each column has its own rows
        inside[2] = np.repeat(inside[2], len(scores), axis=1)
    return *sums, inside, [term.sum(1)[None] for term in terms]


@pytest.mark.parametrize("spans_apart", [False, True])
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("kind", ["normal", "heavy", "equal", "errors"])
def test_the_compiled_pass_gives_the_statistic_to_the_last_bit(kind: str, grouped: bool, spans_apart: bool) -> None:
    rng = np.random.default_rng(1)
    drawn = {
        "normal": rng.standard_normal((37, 90)),
        "heavy": rng.standard_cauchy((37, 90)) ** 3,
        "equal": np.zeros((37, 90)),
        "errors": (rng.random((37, 90)) < 0.1) - 0.1,
    }
    scores = drawn[kind].astype(np.float32)
    sets = (rng.random((23, 90)) < rng.uniform(0.1, 0.5, (23, 1))).astype(np.float32)
    sums = _sums(sets, scores, rng.integers(0, 30, 90) if grouped else None, spans_apart)
    expected = studentised_excess(*sums).astype(np.float32)
    found = studentised_excesses(*sums)
    assert np.isfinite(expected).all()
    assert np.array_equal(found, expected)


def test_no_sets_have_no_statistics() -> None:
    scores = np.ones((4, 20), np.float32)
    assert studentised_excesses(*_sums(np.zeros((0, 20), np.float32), scores, None, False)).shape == (0, 4)
