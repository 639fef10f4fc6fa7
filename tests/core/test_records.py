"""Stores of items and their restriction to rows."""

from __future__ import annotations

import numpy as np

from core.records import ItemStore, ItemView


class Letters(ItemStore):
    """A store is one class of three methods."""

    def __len__(self) -> int:
        return 5

    def name(self, index: int) -> str:
        return "abcde"[index]

    def read(self, index: int) -> bytes:
        return self.name(index).upper().encode()


def test_a_store_of_three_methods_can_be_restricted_to_rows() -> None:
    kept = Letters().keep(np.array([4, 0, 0, 2]))
    assert [kept.name(i) for i in range(len(kept))] == ["e", "a", "a", "c"]
    assert kept.read(3) == b"C"


def test_rows_of_rows_are_rows_of_the_store_and_stay_shared() -> None:
    store = Letters()
    twice = ItemView(store, np.array([3, 1, 1]), shared=True).keep([2, 0])
    assert twice.base is store
    assert (twice.rows.tolist(), twice.shared) == ([1, 3], True)
