"""Texts of about one length go through a tower together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from core.encoders.text_batches import DEFAULT_BATCH_TEXTS, by_tokens, text_batches


@pytest.mark.parametrize("most", [1, 7, 40, 512])
def test_every_text_is_in_one_batch_of_a_bounded_size_with_those_of_about_its_length(most: int) -> None:
    lengths = np.random.default_rng(most).integers(1, 30, 203)
    batches = by_tokens(lengths, most)
    assert sorted(np.concatenate(batches).tolist()) == list(range(203))
    assert all(len(rows) == 1 or len(rows) * lengths[rows].max() <= most for rows in batches)
    for one, other in pairwise(batches):
        assert lengths[one].max() <= lengths[other].min()
        assert (len(one) + 1) * lengths[other[0]] > most  # one more would not have fitted


def test_equal_lengths_keep_their_order_and_no_text_makes_no_batch() -> None:
    assert [rows.tolist() for rows in by_tokens([3, 2, 3, 2], 6)] == [[1, 3], [0, 2]]
    assert by_tokens([], 6) == []


class _Tower:
    """A tower that says nothing of how it wants its texts."""


class _Small(_Tower):
    batch_size = 2


class _Own(_Small):
    def text_batches(self, texts: Sequence[str]) -> list[np.ndarray]:
        return [np.arange(len(texts))]


def test_a_tower_says_its_batches_or_its_size_or_gets_so_many_at_a_time() -> None:
    texts = ["ccc", "a", "bb"]
    assert [rows.tolist() for rows in text_batches(_Own(), texts)] == [[0, 1, 2]]
    assert [rows.tolist() for rows in text_batches(_Small(), texts)] == [[1, 2], [0]]
    assert [len(rows) for rows in text_batches(_Tower(), ["a"] * (DEFAULT_BATCH_TEXTS + 1))] == [DEFAULT_BATCH_TEXTS, 1]
