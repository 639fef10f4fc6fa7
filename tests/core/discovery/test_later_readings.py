"""Readings after the first cluster stop early, and change nothing by it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.discovery import clusters
from core.discovery.search import family_test
from core.discovery.search.family_test import FamilyTest, read_family
from tests.core.discovery.test_clusters import noise, search


@pytest.mark.parametrize("seed", range(3))
def test_a_reading_that_stops_once_it_cannot_pass_confirms_what_all_permutations_do(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    vectors, losses = noise(500, 8, seed)
    labels = np.arange(500) % 2
    planted = losses + 2.5 * ((labels == 0) & (vectors[:, 0] > 1.1)) + seed * ((labels == 1) & (vectors[:, 1] < -1.1))
    lengths: list[int] = []

    def read(*given: Any, give_up: int, **how: Any) -> FamilyTest:
        lengths.append(len((made := read_family(*given, give_up=give_up if stops else 0, **how)).null))
        return made

    monkeypatch.setattr(clusters, "read_family", read)
    monkeypatch.setattr(family_test, "BATCH_CELLS", 16 * 500)  # looks after every 64 permutations
    stops = True
    early = search(vectors, planted, labels=labels).confirmed
    drawn, stops = [*lengths], False
    whole = search(vectors, planted, labels=labels).confirmed
    assert drawn[0] == 199
    assert sum(drawn) < 199 * len(drawn)  # one at least stopped
    assert [one.members.tolist() for one in early] == [one.members.tolist() for one in whole]
    assert [one.p for one in early] == [one.p for one in whole]
