"""Two models side by side: the four counts, the corrected difference, and what a verdict needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.checks.compare import compare, compare_outcomes, names_of
from core.checks.paired_errors import MARGIN, MODEL, _adjusted, _ended, judged
from core.errors import InvalidInput
from core.records import Bool, Diagnosis, Estimate, FourWay, Outcomes
from core.reports.wording.comparison import verdict_words
from core.statistics.intervals import simultaneous_level
from core.statistics.paired import mcnemar, paired_difference
from core.systems.probes.records import with_results
from tests.support.diagnoses import make_diagnosis
from tests.support.probes import made_probe


def other(errors: np.ndarray) -> Outcomes:
    return Outcomes(errors.astype(np.float64), "0/1 error", "error", "made", errors=errors)


def mistakes(run: Diagnosis) -> Bool:
    assert run.outcomes.errors is not None
    return run.outcomes.errors


@pytest.fixture
def run() -> Diagnosis:
    """A diagnosis whose model's errors are drawn with a seed."""
    found = make_diagnosis()
    errors = np.random.default_rng(3).random(len(found.samples)) < 0.4
    return replace(found, outcomes=replace(found.outcomes, errors=errors), samples=replace(found.samples, groups=None))


def test_the_four_counts_are_those_of_a_plain_loop_and_add_up(run: Diagnosis) -> None:
    a, b = mistakes(run), np.random.default_rng(4).random(len(run.samples)) < 0.3
    found = compare_outcomes(run, other(b))
    loop = {"fixed": 0, "broken": 0, "both": 0, "neither": 0}
    for x, y in zip(a.tolist(), b.tolist()):
        loop["both" if x and y else "fixed" if x else "broken" if y else "neither"] += 1
    counts = {key: getattr(found.overall, key) for key in loop}
    assert counts == loop
    assert found.overall.n == sum(loop.values()) == len(run.samples)
    assert found.overall.p == mcnemar(loop["fixed"], loop["broken"])
    assert found.overall.difference.to_dict() == paired_difference(a, b).to_dict()
    assert sum(c.n for c in found.classes) == len(run.samples)
    assert [c.cluster for c in found.clusters] == [c.id for c in run.clusters]


def test_the_intervals_of_classes_of_five_rows_and_more_hold_together(run: Diagnosis) -> None:
    labels = np.repeat([0, 1, 2], [5, 4, 51])
    few = replace(run, samples=replace(run.samples, labels=labels, class_names=("cat", "dog", "fox")))
    wrong = np.random.default_rng(4).random(60) < 0.3
    found = compare_outcomes(few, other(wrong)).classes
    assert [c.p is None for c in found] == [False, True, False]
    for number, one in enumerate(found):
        own = labels == number
        alone = paired_difference(mistakes(few)[own], wrong[own], level=simultaneous_level(2))
        assert one.difference.to_dict() == pytest.approx(alone.to_dict())


def test_the_difference_is_positive_where_the_second_model_is_better(run: Diagnosis) -> None:
    never_wrong = compare_outcomes(run, other(np.zeros(len(run.samples), bool)))
    assert never_wrong.overall.difference.value == pytest.approx(run.outcomes.errors.mean())
    assert never_wrong.overall.verdict == "fixed"
    always = compare_outcomes(run, other(np.ones(len(run.samples), bool)))
    assert always.overall.difference.value < 0
    assert always.overall.verdict == "broken"


def test_the_same_errors_differ_nowhere(run: Diagnosis) -> None:
    found = compare_outcomes(run, other(run.outcomes.errors.copy()))
    assert found.overall.difference.value == 0
    assert found.overall.p == 1
    assert found.agreement == pytest.approx(1)
    assert not {c.verdict for c in found.classes} - {"open"}


def test_inside_a_cluster_the_difference_pays_for_how_the_cluster_was_chosen(run: Diagnosis) -> None:
    cluster, many = run.clusters[0], len(run.samples)
    inside = cluster.membership >= 0.5
    plain = float(mistakes(run)[inside].mean())
    chosen = replace(cluster, error_rate=replace(cluster.excess_loss, value=plain - 0.15, low=0.0, high=0.9))

    def beside(wrong: np.ndarray, rate: object = chosen.error_rate) -> FourWay:
        return compare_outcomes(replace(run, clusters=(replace(chosen, error_rate=rate),)), other(wrong)).clusters[0]

    better, free = (beside(np.zeros(many, bool), rate) for rate in (chosen.error_rate, None))
    assert better.difference.value == pytest.approx(plain - 0.15)
    assert better.difference.low == pytest.approx(free.difference.low - 0.15)
    assert better.difference.high == free.difference.high  # what was added is reckoned itself
    assert (better.p or 0) > (free.p or 0)
    worse, plainly = (beside(np.ones(many, bool), rate) for rate in (chosen.error_rate, None))
    assert worse.p == plainly.p  # a correction makes nothing surer
    half = mistakes(run) & (np.cumsum(mistakes(run) & inside) % 2 == 0)  # it fails on every other one of them
    shared = float(half[inside].sum() / mistakes(run)[inside].sum())
    assert 0.4 < shared < 0.6
    alike, other_half = (beside(half, rate) for rate in (chosen.error_rate, None))
    assert other_half.difference.value - alike.difference.value == pytest.approx(0.15 * (1 - shared), abs=0.02)
    same, without = (beside(mistakes(run), rate) for rate in (chosen.error_rate, None))
    assert same.difference.low == pytest.approx(without.difference.low)  # who fails on the same rows was chosen with it


def test_a_second_model_that_fails_in_the_same_cluster_shares_it_and_one_that_does_not_leaves_it_the_models_own() -> (
    None
):
    rng = np.random.default_rng(0)
    base, n = make_diagnosis(), 60
    many = 10  # the small diagnosis ten times over, so that there is something to tell
    samples = replace(
        base.samples,
        ids=tuple(f"{i}-{c}" for c in range(many) for i in base.samples.ids),
        items=None,
        labels=None,
        groups=None,
        metadata=(),
        model_outputs=(),
        splits=None,
    )
    membership = np.tile(base.clusters[0].membership, many)
    inside = membership >= 0.5
    a = rng.random(n * many) < np.where(inside, 0.5, 0.05)
    cluster = replace(base.clusters[0], membership=membership, scope="all samples", error_rate=None)
    run = replace(base, samples=samples, clusters=(cluster,), outcomes=other(a))
    shared = compare_outcomes(run, other(rng.random(n * many) < np.where(inside, 0.9, 0.3))).clusters[0]
    own = compare_outcomes(run, other(rng.random(n * many) < 0.5)).clusters[0]
    fixed = compare_outcomes(run, other(rng.random(n * many) < 0.1)).clusters[0]
    assert (shared.verdict, own.verdict, fixed.verdict) == ("shared", "own", "fixed")
    hopeless = compare_outcomes(run, other(rng.random(n * many) < 0.97)).clusters[
        0
    ]  # its errors could not rise inside as the model's do
    assert hopeless.excess_gap.low > 0
    assert not hopeless.room
    assert hopeless.verdict == "broken"
    assert shared.shares.value == pytest.approx(0.6, abs=0.1)


def test_a_model_without_known_errors_is_not_compared(run: Diagnosis) -> None:
    blind = replace(run, outcomes=replace(run.outcomes, errors=None))
    assert MODEL not in names_of(blind)
    with pytest.raises(InvalidInput, match="The run has no labels"):
        compare_outcomes(blind, other(np.zeros(len(run.samples), bool)))


def test_a_name_that_is_not_there_is_answered_with_those_that_are(run: Diagnosis) -> None:
    named = with_results(run, (made_probe(run, name="lp++, 1 shot"),))
    with pytest.raises(InvalidInput, match=r"no result called 'coop'\. Choose from 'model', 'lp\+\+, 1 shot'\."):
        compare(named, MODEL, "coop")
    with pytest.raises(InvalidInput, match="No other model was run"):
        compare(run)
    with pytest.raises(InvalidInput, match="two different models"):
        compare(run, MODEL, MODEL)


def large(rate_a: tuple[float, float], names: int = 2) -> tuple[Diagnosis, np.ndarray, np.ndarray]:
    """A run of 1,200 samples in two classes whose one cluster of 300 fails at another rate than the rest; its members
    and labels."""
    base = make_diagnosis()
    many, labels = 1200, np.arange(1200) % names
    samples = replace(
        base.samples,
        ids=tuple(str(i) for i in range(many)),
        items=None,
        labels=labels,
        class_names=base.samples.class_names[:names],
        groups=None,
        metadata=(),
        model_outputs=(),
        splits=None,
    )
    inside = np.arange(many) < 300
    wrong = np.random.default_rng(0).random(many) < np.where(inside, rate_a[1], rate_a[0])
    cluster = replace(base.clusters[0], membership=inside.astype(float), scope="all samples", error_rate=None)
    return replace(base, samples=samples, clusters=(cluster,), outcomes=other(wrong)), inside, labels


def answering(errors: np.ndarray, labels: np.ndarray, names: int = 2) -> Outcomes:
    """Outcomes that name a class for each sample."""
    return replace(other(errors), predictions=np.where(errors, (labels + 1) % names, labels))


def test_a_model_that_knows_nothing_mends_and_shares_nothing() -> None:
    run, _, labels = large((0.1, 0.9))
    constant = compare_outcomes(run, answering(labels != 0, labels))
    guess = compare_outcomes(run, answering(np.random.default_rng(1).random(1200) < 0.5, labels))
    for found in (constant, guess):
        assert found.clusters[0].difference.low > 0  # it is better there than a model that is nearly always wrong
        assert (found.clusters[0].verdict, found.clusters[0].blind) == ("open", True)
        assert "not shown to be much better than chance" in verdict_words(found, found.clusters[0])
    run, _, labels = large((0.1, 0.3))
    worse = compare_outcomes(run, answering(labels != 0, labels)).clusters[0]
    assert worse.verdict == "broken"


def test_a_failure_is_not_the_models_own_beside_one_that_had_little_to_lose() -> None:
    run, _, labels = large((0.1, 0.3))
    rng = np.random.default_rng(4)
    able, weak = (
        compare_outcomes(run, answering(rng.random(1200) < rate, labels)).clusters[0] for rate in (0.27, 0.39)
    )
    assert (able.verdict, able.blind) == ("own", False)
    assert weak.excess_gap is not None
    assert weak.excess_gap.low > 0
    assert not weak.room
    assert weak.verdict != "own"


def test_the_same_is_said_where_both_intervals_lie_within_the_margin_and_not_of_few_rows() -> None:
    run, inside, labels = large((0.1, 0.5))
    mine = mistakes(run)
    again = np.where(np.random.default_rng(2).random(1200) < 0.05, ~mine, mine)
    found = compare_outcomes(run, answering(again, labels))
    one = found.clusters[0]
    assert one.verdict == "same"
    assert max(-one.difference.low, one.difference.high, -one.excess_gap.low, one.excess_gap.high) < MARGIN
    assert verdict_words(found, one, run).startswith("hard for both models: equally often wrong, within 10")
    few = replace(run, clusters=(replace(run.clusters[0], membership=(np.arange(1200) < 30).astype(float)),))
    assert compare_outcomes(few, answering(again, labels)).clusters[0].verdict != "same"
    elsewhere = np.where(inside, mine, np.random.default_rng(3).random(1200) < 0.5)
    assert compare_outcomes(run, answering(elsewhere, labels)).clusters[0].verdict != "same"  # alike inside alone


def test_where_the_cluster_adds_little_half_of_it_is_the_margin() -> None:
    near = Estimate(0.02, -0.03, 0.07)
    found = FourWay("x", "cluster", 99, 9, 9, 0, 81, near, 0.5, Estimate(0.3, 0.2, 0.4), 1.0, near)
    assert judged(found).verdict == "same"
    assert judged(replace(found, shares=Estimate(0.06, 0.0, 0.12))).verdict == "open"


def test_of_a_model_near_chance_no_more_than_that_it_is_worse_is_said() -> None:
    rises, gap = Estimate(0.01, -0.01, 0.02), Estimate(0.4, 0.3, 0.5)
    found = FourWay("x", "cluster", 99, 9, 50, 0, 40, Estimate(-0.4, -0.5, -0.3), 0.01, rises, 0.01, gap, blind=True)
    assert judged(found).verdict == "broken"
    assert judged(replace(found, p=0.4)).verdict == judged(replace(found, difference=gap)).verdict == "open"


def test_p_and_intervals_of_several_clusters_and_classes_are_adjusted_alike() -> None:
    run, _, labels = large((0.1, 0.5))
    b = answering(np.random.default_rng(5).random(1200) < 0.3, labels)
    alone = compare_outcomes(run, b)
    second = replace(run.clusters[0], id=1, membership=(np.arange(1200) >= 900).astype(float))
    both = compare_outcomes(replace(run, clusters=(run.clusters[0], second)), b)
    wide, narrow = both.clusters[0], alone.clusters[0]
    for pair in ((wide.difference, narrow.difference), (wide.excess_gap, narrow.excess_gap)):
        assert (pair[0].high - pair[0].low) / (pair[1].high - pair[1].low) == pytest.approx(2.24 / 1.96, rel=0.05)
    one = compare_outcomes(replace(run, clusters=()), b).classes[0]
    single = paired_difference(mistakes(run)[labels == 0], mistakes(replace(run, outcomes=b))[labels == 0])
    assert one.difference.low < single.low < single.high < one.difference.high


def test_what_p_tells_apart_after_holm_has_an_interval_that_ends_at_0() -> None:
    found = FourWay("x", "class", 9, 0, 0, 0, 9, Estimate(0.2, -0.01, 0.4), 0.04)
    low, passed = _adjusted([found, replace(found, p=0.001)])
    assert (low.difference.low, low.verdict, passed.difference.low) == (0, "fixed", 0)
    assert _adjusted([replace(found, p=0.06)])[0].difference.low == -0.01
    assert (_ended(Estimate(0.25, -0.02, 0.4), 0.04).low, _ended(Estimate(-0.2, -0.4, 0.1), 0.04).high) == (0, 0)
