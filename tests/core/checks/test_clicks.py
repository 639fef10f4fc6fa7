"""Thirty clicks: what is drawn, what the answers say, and whether the intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.checks.clicks import Judgement, Strip, draw_strip, judge
from core.checks.prediction_powered import _maps_without_each, finite_share, prediction_powered
from core.errors import InvalidInput
from core.records import F64, Bool
from core.statistics.intervals import wilson

EVERY_ROW = np.ones(500, bool)
MEMBERS = np.arange(500) < 200


def answered(truth: Bool, score: F64, members: Bool = MEMBERS, seed: int = 0) -> Judgement:
    scope = np.ones(len(truth), bool)
    strip = draw_strip(members, scope, seed=seed)
    return judge(strip, [bool(a) for a in truth[strip.rows]], score, members, scope)


def half_true(seed: int = 0, help_: float = 0.0) -> tuple[Bool, F64]:
    """Truth for half of the members and none of the rest, and a score that tells it apart by `help_` standard
    deviations."""
    rng = np.random.default_rng(seed)
    truth = MEMBERS & (rng.random(500) < 0.5)
    return truth, rng.normal(size=500) + help_ * truth


def test_the_strip_holds_members_and_others_of_the_scope_once_each_and_mixed() -> None:
    scope = np.arange(500) >= 100
    strip = draw_strip(MEMBERS, scope, seed=3)
    assert len(set(strip.rows.tolist())) == len(strip) == 30
    assert strip.is_member.sum() == 20
    assert scope[strip.rows].all()
    np.testing.assert_array_equal(MEMBERS[strip.rows], strip.is_member)
    assert 0 < strip.is_member[:20].sum() < 20
    assert strip.notes == ()


def test_the_same_seed_draws_the_same_strip_and_another_seed_another() -> None:
    one, again, other = (draw_strip(MEMBERS, EVERY_ROW, seed=s).rows.tolist() for s in (1, 1, 2))
    assert one == again != other


def test_every_member_is_drawn_equally_often() -> None:
    counts = np.zeros(40)
    members, scope = np.arange(60) < 40, np.ones(60, bool)
    for seed in range(2000):
        rows = draw_strip(members, scope, seed=seed).rows
        counts[rows[rows < 40]] += 1
    assert stats.chisquare(counts).pvalue > 0.001


def test_fewer_rows_than_asked_are_all_shown_and_said_so() -> None:
    members = np.arange(25) < 5
    strip = draw_strip(members, np.arange(25) < 8)
    assert sorted(strip.rows.tolist()) == list(range(8))
    assert strip.notes == (
        "Showing 5 samples of the group instead of 20: there are no more.",
        "Showing 3 samples of the others instead of 10: there are no more.",
    )


def test_a_group_shows_a_second_row_only_once_every_group_has_shown_one() -> None:
    groups = np.arange(500) // 8  # 25 groups of members
    rows = draw_strip(MEMBERS, EVERY_ROW, groups=groups).rows
    assert len(set(groups[rows].tolist())) == 30
    few = np.arange(500) // 20  # 10 groups of members
    inside = [r for r in draw_strip(MEMBERS, EVERY_ROW, groups=few).rows.tolist() if MEMBERS[r]]
    assert len(inside) == 20
    assert set(few[inside].tolist()) == set(range(10))


@pytest.mark.parametrize(
    ("members", "scope", "n_cluster", "n_control", "message"),
    [
        (MEMBERS[:3], EVERY_ROW, 20, 10, "of one length"),
        (MEMBERS, ~EVERY_ROW, 20, 10, "The group has no member within its scope"),
        (MEMBERS, EVERY_ROW, 0, 10, "at least 1 sample of the group"),
        (MEMBERS, EVERY_ROW, 20, -1, "at least 1 sample of the group"),
    ],
)
def test_a_strip_that_cannot_be_drawn_is_refused(
    members: Bool, scope: Bool, n_cluster: int, n_control: int, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        draw_strip(members, scope, n_cluster, n_control)


@pytest.mark.parametrize(("k", "n"), [(0, 20), (7, 20), (20, 20), (1, 1)])
def test_the_share_of_an_endless_population_has_wilsons_interval(k: int, n: int) -> None:
    found, reference = finite_share(np.arange(n) < k, 10**9), wilson(k, n)
    np.testing.assert_allclose(
        [found.value, found.low, found.high], [reference.value, reference.low, reference.high], atol=1e-6
    )


def test_a_whole_cluster_that_was_answered_is_known_exactly() -> None:
    members = np.arange(500) < 12
    found = answered(np.arange(500) < 9, np.zeros(500), members)
    assert (found.share.value, found.share.low, found.share.high) == (0.75, 0.75, 0.75)
    assert found.method == "whole cluster"


def test_the_difference_is_newcombes() -> None:
    truth = np.zeros(500, bool)
    strip = Strip(np.r_[0:20, 200:210], np.arange(30) < 20)
    truth[[*range(14), 200, 201]] = True
    huge = np.concatenate([MEMBERS, np.zeros(10**6, bool)])
    huge[500 : 500 + 500_000] = True
    found = judge(strip, truth[strip.rows].tolist(), np.zeros(len(huge)), huge, np.ones(len(huge), bool))
    a, b = wilson(14, 20), wilson(2, 10)
    assert found.difference.value == pytest.approx(0.5)
    assert found.difference.low == pytest.approx(0.5 - np.hypot(0.7 - a.low, b.high - 0.2), abs=1e-4)
    assert found.difference.high == pytest.approx(0.5 + np.hypot(a.high - 0.7, 0.2 - b.low), abs=1e-4)
    assert found.balanced_accuracy.value == pytest.approx((14 / 20 + 8 / 10) / 2)
    assert found.balanced_accuracy.low == pytest.approx((1 + found.difference.low) / 2)


def test_skipped_rows_are_left_out_and_counted() -> None:
    truth, score = half_true()
    strip = draw_strip(MEMBERS, EVERY_ROW)
    answers: list[bool | None] = [bool(a) for a in truth[strip.rows]]
    first_member = int(np.flatnonzero(strip.is_member)[0])
    answers[first_member] = None
    found = judge(strip, answers, score, MEMBERS, EVERY_ROW)
    kept = np.delete(np.arange(30), first_member)
    assert (found.n_cluster, found.n_control, found.n_skipped) == (19, 10, 1)
    assert found.clicks.value == truth[strip.rows[kept]][strip.is_member[kept]].mean()
    assert found.notes == ("1 skipped and left out.",)


def test_without_any_answer_nothing_is_claimed() -> None:
    strip = draw_strip(MEMBERS, EVERY_ROW)
    found = judge(strip, [None] * 30, np.zeros(500), MEMBERS, EVERY_ROW)
    assert found.method == "none"
    assert np.isnan(
        [found.share.value, found.control.value, found.difference.value, found.balanced_accuracy.value]
    ).all()
    assert found.predicted is None


def test_without_controls_the_share_still_stands() -> None:
    found = answered(np.arange(30) < 12, np.zeros(30), np.ones(30, bool))
    assert np.isfinite(found.share.value)
    assert np.isnan(found.difference.value)
    assert found.n_control == 0


def test_a_score_that_tells_yes_from_no_narrows_the_interval_and_is_shown() -> None:
    truth, score = half_true(help_=5.0)
    found = answered(truth, score)
    assert found.method == "prediction-powered"
    assert found.predicted is found.share
    assert found.weight is not None
    assert found.weight > 0.5
    narrower = 1 - (found.share.high - found.share.low) / (found.clicks.high - found.clicks.low)
    assert narrower > 0.2
    assert f"members: {narrower:.0%} narrower than from the answers alone" in found.reason
    assert abs(found.share.value - truth[MEMBERS].mean()) < abs(found.clicks.value - truth[MEMBERS].mean()) + 0.02


@pytest.mark.parametrize("score", [np.zeros(500), np.full(500, 1e6)])
def test_a_constant_score_gets_no_weight(score: F64) -> None:
    truth, _ = half_true()
    found = answered(truth, score)
    assert found.method == "clicks"
    assert found.weight == 0
    assert found.predicted is not None
    assert found.predicted.value == pytest.approx(found.clicks.value)


def test_the_shown_interval_is_never_wider_than_the_clicks_alone() -> None:
    for seed in range(60):
        truth, score = half_true(seed, help_=seed % 4)
        found = answered(truth, score, seed=seed)
        assert found.share.high - found.share.low <= found.clicks.high - found.clicks.low
        assert 0 <= found.share.low <= found.share.value <= found.share.high <= 1


@pytest.mark.parametrize("n_yes", [0, 2, 18, 20])
def test_with_few_answers_of_one_kind_the_clicks_are_shown_alone(n_yes: int) -> None:
    strip = draw_strip(MEMBERS, EVERY_ROW)
    truth = np.zeros(500, bool)
    truth[strip.rows[strip.is_member][:n_yes]] = True
    found = judge(strip, truth[strip.rows].tolist(), truth + 0.0, MEMBERS, EVERY_ROW)
    assert (found.predicted, found.method) == (None, "clicks")
    assert "too few of one kind" in found.reason
    for n, known in ((14, False), (15, True)):
        few = prediction_powered(np.zeros(500), np.arange(n), np.arange(n) < 7, MEMBERS[:n], np.arange(200))[0]
        assert (few is not None) == known


def test_the_scale_of_the_score_does_not_matter() -> None:
    truth, score = half_true(help_=2.0)
    one, other = answered(truth, score), answered(truth, 1000 * score - 7)
    assert one.share.value == pytest.approx(other.share.value)
    assert one.share.low == pytest.approx(other.share.low)


def test_the_estimate_is_ppi_with_its_tuned_weight() -> None:
    truth, score = half_true(help_=1.5)
    strip = draw_strip(MEMBERS, EVERY_ROW)
    found, weight = prediction_powered(score, strip.rows, truth[strip.rows], strip.is_member, np.flatnonzero(MEMBERS))
    assert found is not None
    scaled = (score - score[MEMBERS].mean()) / score[MEMBERS].std()
    rows, y = strip.rows, truth[strip.rows].astype(float)
    excess: list[float] = []
    for i in np.flatnonzero(strip.is_member):
        a, b = (v[0] for v in _maps_without_each(scaled[rows], y, np.array([i])))
        says = 1 / (1 + np.exp(-(a + b * scaled)))
        excess.append(says[rows[i]] - says[MEMBERS].mean())
    inside = y[strip.is_member]
    tuned = np.cov(inside, excess)[0, 1] / np.var(excess, ddof=1)
    assert weight == pytest.approx(min(max(tuned, 0), 1))
    assert found.value == pytest.approx(np.mean(inside - weight * np.array(excess)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answers": [True]}, "1 answers for a strip of 30 samples"),
        ({"score": np.zeros(3)}, "of one length"),
        ({"score": np.full(500, np.nan)}, "not finite for every row"),
        ({"members": ~MEMBERS}, "drawn from another group"),
    ],
)
def test_answers_that_do_not_fit_are_refused(change: dict[str, object], message: str) -> None:
    given = {"answers": [True] * 30, "score": np.zeros(500), "members": MEMBERS, "scope": EVERY_ROW} | change
    with pytest.raises(InvalidInput, match=message):
        judge(draw_strip(MEMBERS, EVERY_ROW), **given)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("yes", [True, np.True_, 1, np.int64(1), 1.0])
@pytest.mark.parametrize("no", [False, np.False_, 0])
def test_every_way_to_say_yes_and_no_counts_alike(yes: object, no: object) -> None:
    truth, score = half_true()
    strip = draw_strip(MEMBERS, EVERY_ROW)
    said = [yes if a else no for a in truth[strip.rows]]
    found = judge(strip, said, score, MEMBERS, EVERY_ROW)  # pyright: ignore[reportArgumentType]
    assert found.share.to_dict() == answered(truth, score).share.to_dict()


@pytest.mark.parametrize("answer", ["yes", 2, float("nan")])
def test_an_answer_that_is_neither_is_refused(answer: object) -> None:
    strip = draw_strip(MEMBERS, EVERY_ROW)
    said = [answer, *[True] * (len(strip) - 1)]
    with pytest.raises(InvalidInput, match="True or 1 for yes"):
        judge(strip, said, np.zeros(500), MEMBERS, EVERY_ROW)  # pyright: ignore[reportArgumentType]
