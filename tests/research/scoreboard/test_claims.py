"""A claim is true where a planted slice is denser than around it, and an interval holds what it holds."""

from __future__ import annotations

import numpy as np
import pytest

from core.records import Estimate
from research.scoreboard.claims import ClaimedRows

MEMBERS = np.arange(10) < 4


@pytest.mark.parametrize(
    ("slice_rows", "false"),
    [([0, 1, 9], False), ([0, 8, 9], True), ([], True)],  # half against a sixth; a quarter against a third; nothing
)
def test_a_claim_without_more_of_the_failure_is_false(slice_rows, false):
    truth = np.isin(np.arange(10), slice_rows)
    assert ClaimedRows(MEMBERS, ~MEMBERS, np.zeros(10)).is_false((truth,)) is false


def test_where_nothing_is_planted_and_where_it_holds_no_row_every_claim_is_false():
    assert ClaimedRows(MEMBERS, ~MEMBERS, np.zeros(10)).is_false(())
    assert ClaimedRows(np.zeros(10, bool), ~MEMBERS, np.zeros(10)).is_false((MEMBERS,))


def test_an_interval_holds_the_difference_of_means_or_not():
    losses = np.where(MEMBERS, 1.5, 0.5)
    for low, high, held in ((0.5, 1.2, True), (1.1, 1.2, False)):
        claim = ClaimedRows(MEMBERS, ~MEMBERS, losses, Estimate(1.0, low, high))
        assert claim.holds() is held
    assert ClaimedRows(MEMBERS, ~MEMBERS, losses).holds() is None
