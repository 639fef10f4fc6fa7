"""Batches of texts of about one length."""

from __future__ import annotations

import numpy as np

from core.encoders.batches import by_length


def test_every_text_is_in_one_batch_and_lengths_rise() -> None:
    rng = np.random.default_rng(0)
    texts = ["x" * int(n) for n in rng.integers(1, 9, 23)]
    found = by_length(texts, 5)
    assert [len(rows) for rows in found] == [5, 5, 5, 5, 3]
    order = np.concatenate(found).tolist()
    assert order == sorted(range(23), key=lambda row: len(texts[row]))
    assert by_length([], 5) == []
