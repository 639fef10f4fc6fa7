"""What is expected of fresh samples, and the test that they do worse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.checks.claims import Claim, expected_of, observed_of, row_of, worse_p
from core.records import F64, I64, Estimate, Measure, Outcomes
from core.statistics.intervals import likeness_within, wilson


def test_fresh_errors_are_expected_by_their_own_limits_too() -> None:
    """Near 1 a fresh rate falls short more easily than the normal interval of 0.99 says."""
    nobody = np.zeros(0, bool)
    claim = Claim("cluster", "", "all samples", nobody, "error rate", Estimate(0.99, 0.95, 1.0), 0.1)
    expected = expected_of(claim, 132, make_outcomes())
    assert expected.low == pytest.approx(0.99 - np.hypot(0.04, 0.99 - wilson(round(0.99 * 132), 132).low), abs=0.003)
    assert expected.high == 1.0
    loss = expected_of(
        replace(claim, measure="mean loss", predicted=Estimate(2.0, 1.7, 2.3), spread=2.0), 100, make_outcomes()
    )
    assert (loss.low, loss.high) == pytest.approx((2 - np.hypot(0.3, 0.392), 2 + np.hypot(0.3, 0.392)))


@pytest.mark.parametrize("measure", ["error rate", "mean loss"])
def test_what_is_expected_of_fresh_groups_knows_that_their_rows_fail_together(measure: Measure) -> None:
    """Groups of one to nine rows that are alike by 0.6, in the run and afresh: the frozen interval holds what is seen,
    and that of as many single rows does not."""

    def rows(count: int, rng: np.random.Generator) -> tuple[F64, I64]:
        groups = np.repeat(np.arange(count), rng.integers(1, 10, count))
        if measure == "mean loss":
            together, alone = rng.normal(0, 0.6**0.5, count), rng.normal(0, 0.4**0.5, len(groups))
            return 2 + together[groups] + alone, groups
        shared, own = rng.random(count) < 0.4, rng.random(len(groups)) < 0.4
        return np.where(rng.random(len(groups)) < 0.6**0.5, shared[groups], own).astype(float), groups

    held = np.zeros(2)
    for seed in range(300):
        rng = np.random.default_rng(seed)
        (known, own), (seen, fresh) = rows(60, rng), rows(30, rng)
        outcomes = Outcomes(known, "loss", "loss", "made", errors=known > 0.5 if measure == "error rate" else None)
        predicted = observed_of(known, measure, own)
        likeness = likeness_within(known, own)
        claim = Claim("cluster", "", "all samples", np.ones(len(seen), bool), measure, predicted, known.std(), likeness)
        for at, groups in enumerate((fresh, None)):
            expected = row_of(claim, len(seen), None, None, outcomes, groups).expected
            held[at] += expected.low <= seen.mean() <= expected.high
    assert held[0] / 300 > 0.92
    assert held[1] / 300 < 0.88


def make_outcomes() -> Outcomes:
    return Outcomes(np.arange(10.0), "loss", "loss", "made")


@pytest.mark.parametrize("sizes", [(200, 10), (10, 200)])
def test_the_level_of_fresh_losses_holds_with_a_heavy_tail_on_either_side(
    sizes: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Welch's own t says "worse" of nothing in a fifth of these, or hardly ever."""
    monkeypatch.setattr("core.checks.claims.MAX_PERMUTATIONS", 499)  # enough to tell a p of 0.2
    inside, said = np.arange(sum(sizes)) < sizes[0], 0
    for seed in range(100):
        losses = np.random.default_rng(seed).lognormal(0, 1.2, sum(sizes))
        said += worse_p(losses, None, inside, np.ones(len(inside), bool), "mean loss") <= 0.2
    assert 8 <= said <= 34  # 20 of 100 by chance: beyond these in 1 of 1,000


def test_losses_of_one_value_are_no_worse_than_themselves_and_of_many_rows_less_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside = np.arange(30) < 10
    assert worse_p(np.ones(30), None, inside, np.ones(30, bool), "mean loss") == 1.0
    monkeypatch.setattr("core.checks.claims.PERMUTED_VALUES", 700 * 30)
    monkeypatch.setattr("core.checks.claims.BATCH_VALUES", 250 * 30)
    assert worse_p(-np.arange(30.0), None, inside, np.ones(30, bool), "mean loss") == 1 / 701


@pytest.mark.parametrize("grouped", [False, True])
def test_losses_far_from_nought_have_the_same_p(grouped: bool) -> None:
    losses, inside = np.random.default_rng(0).gamma(1, 1, 40), np.arange(40) % 4 == 0
    groups = np.arange(40) // 2 if grouped else None
    near, far = (worse_p(of, groups, inside, np.ones(40, bool), "mean loss") for of in (losses, losses + 1e9))
    assert far == pytest.approx(near, abs=1e-3)
