"""A re-ranker orders the encoder's candidates anew and touches nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import F64
from core.systems.composition.training.reranking import MARGIN, WEIGHTS, RerankingScorer, choose_weight, rerank
from tests.support.benchmarks import Given, choices, pairs, pictured, queries, random_scores


def order(scores: F64) -> list[list[int]]:
    return np.argsort(-scores, axis=1, kind="stable").tolist()


def made(seed: int = 0) -> tuple[F64, F64]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(20, 30)), 50 * rng.normal(size=(20, 30))


@pytest.mark.parametrize("k", [1, 7, 30, 99])
def test_only_candidates_move_and_only_among_themselves(k: int) -> None:
    first, second = made()
    for was, now in zip(order(first), order(rerank(first, second, k=k, weight=5))):
        assert was[k:] == now[k:]
        assert sorted(was[:k]) == sorted(now[:k])


def test_the_order_of_candidates_matches_a_plain_loop() -> None:
    first, second = made(1)
    k, weight = 6, 0.7
    spread = {"first": 0.0, "second": 0.0}
    for q in range(20):
        best = order(first)[q][:k]
        spread["first"] += float(np.var([first[q, i] for i in best]))
        spread["second"] += float(np.var([second[q, i] for i in best]))
    scale = (spread["first"] / spread["second"]) ** 0.5
    ranked = order(rerank(first, second, k=k, weight=weight))
    for q in range(20):
        best = order(first)[q][:k]
        assert ranked[q][:k] == sorted(best, key=lambda i: -(first[q, i] + weight * scale * second[q, i]))


def test_a_weight_of_nothing_and_a_scorer_that_says_nothing_keep_the_order() -> None:
    first, second = made(2)
    assert order(rerank(first, second, weight=0)) == order(first)
    assert order(rerank(first, np.ones_like(second))) == order(first)


def test_units_play_no_part() -> None:
    first, second = made(3)
    assert order(rerank(first, second)) == order(rerank(first * 100, second / 7))


def test_what_is_no_candidate_need_not_be_scored() -> None:
    first, second = made(4)
    second[first < np.sort(first, axis=1)[:, -10:].min(axis=1, keepdims=True)] = np.nan
    assert np.isfinite(rerank(first, second)).all()


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nan or infinite"):
        rerank(made()[0], np.full((20, 30), np.nan))


def test_as_a_scorer_pairs_and_choices_are_mixed_on_one_scale() -> None:
    for made_up in (pairs(12), choices(12, 4)):
        a, b = (random_scores(made_up, np.random.default_rng(seed)) for seed in (0, 1))
        b = tuple(40 * matrix for matrix in b)
        found = RerankingScorer(Given(a, "encoder"), Given(b, "adapter"), weight=0.5).score(pictured(made_up))
        scale = (np.mean([m.var() for m in a]) / np.mean([m.var() for m in b])) ** 0.5
        for mixed, first, second in zip(found.matrices, a, b):
            np.testing.assert_allclose(mixed, first + 0.5 * scale * second)
        assert found.model == "encoder, re-ranked by adapter"


def test_as_a_scorer_a_query_keeps_what_is_no_candidate() -> None:
    made_up = queries(5, 20, np.random.default_rng(0))
    a, b = (random_scores(made_up, np.random.default_rng(seed)) for seed in (0, 1))
    b[0][3] = np.nan
    found = RerankingScorer(Given(a), Given(b, unreadable={3: "3.png is no image."}), k=5).score(pictured(made_up))
    assert np.isnan(found.matrices[0][3, 0])
    assert found.unreadable == {3: "3.png is no image."}
    for mixed, first in zip(found.matrices[1:], a[1:]):
        assert order(mixed.T)[0][5:] == order(first.T)[0][5:]
        assert sorted(order(mixed.T)[0][:5]) == sorted(order(first.T)[0][:5])


def test_a_picture_that_neither_could_read_stays_unread() -> None:
    made_up = pairs(3)
    a, b = (random_scores(made_up, np.random.default_rng(seed)) for seed in (0, 1))
    for scores in (a, b):
        scores[1][0] = np.nan
    found = RerankingScorer(Given(a), Given(b)).score(pictured(made_up))
    assert np.isnan(found.matrices[1][0]).all()
    assert np.isfinite(found.matrices[0]).all()


def test_the_weight_is_the_best_that_keeps_what_is_found_first() -> None:
    rng, n = np.random.default_rng(0), 60
    true = np.eye(n, dtype=bool)
    blind = [(np.array([[0.2, 0.2], [0.1, 0.1]]), np.array([[4.0, -4.0], [-4.0, 4.0]]), np.eye(2, dtype=bool))] * 5
    first = true + 0.3 * rng.normal(size=(n, n))
    harmless, harmful = np.zeros((n, n)), -5.0 * true
    weight, rows = choose_weight(blind, first, harmless, true)
    assert [row.weight for row in rows] == list(WEIGHTS)
    assert weight == next(row.weight for row in rows if row.right == 1.0) > rows[0].right == 0.0
    weight, rows = choose_weight(blind, first, harmful, true)
    chosen = rows[WEIGHTS.index(weight)]
    assert chosen.found >= rows[0].found - MARGIN > rows[-1].found
    useless = [(first[:2, :2], np.zeros((2, 2)), np.eye(2, dtype=bool))]
    assert choose_weight(useless, first, harmless, true)[0] == 0
