"""Texts that look for their items."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.univl.retrieval import best_items, rank_items


def test_places_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    scores, own = rng.normal(size=(9, 6)).astype(np.float32).round(1), np.arange(9) % 6
    found = rank_items(scores, [f"text {k}" for k in range(9)], own, (1, 3))
    for k in range(9):
        before = sum(scores[k, j] >= scores[k, own[k]] for j in range(6) if j != own[k])
        assert found.ranks[k] == 1 + before
        assert found.nearest[k] == max(range(6), key=lambda j: scores[k, j])
    for place, item in enumerate(found.items.tolist()):
        best = max(scores[k, item] for k in range(9) if own[k] == item)
        assert found.item_ranks[place] == 1 + sum(scores[k, item] >= best for k in range(9) if own[k] != item)
    assert found.recall[1].value == pytest.approx(float((found.ranks == 1).mean()))
    assert found.recall[3].low <= found.recall[3].value <= found.recall[3].high
    assert found.median_rank == float(np.median(found.ranks))


def test_a_clip_of_the_same_words_is_no_mistake_and_a_tie_is_one() -> None:
    scores = np.array([[0.5, 0.9, 0.1], [0.5, 0.9, 0.1], [0.3, 0.3, 0.3]], np.float32)
    found = rank_items(scores, ["a cube", "A  cube", "a ball"], np.arange(3), (1,))
    assert found.ranks.tolist() == [1, 1, 3]


def test_all_ties_are_at_the_last_place() -> None:
    found = rank_items(np.zeros((4, 4), np.float32), list("abcd"), np.arange(4))
    assert found.ranks.tolist() == [4] * 4
    assert set(found.recall) == {1}


@pytest.mark.parametrize(
    ("scores", "said"), [(np.zeros((1, 1)), "at least 2"), (np.full((2, 2), np.nan), "not finite")]
)
def test_what_cannot_be_ranked_is_refused(scores: np.ndarray, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        rank_items(scores.astype(np.float32), ["a"] * len(scores), np.zeros(len(scores), np.int64))


def test_the_best_items_come_first() -> None:
    assert best_items(np.array([[0.1, 0.9, 0.5]], np.float32), 2).tolist() == [[1, 2]]
