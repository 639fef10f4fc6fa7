"""Whole classes, confused pairs and suspected labels, against counts made by hand."""

from __future__ import annotations

import warnings
from dataclasses import replace
from math import comb

import numpy as np
import pytest
from scipy import stats

from core.discovery.classes import MAX_PAIRS, class_findings, suspected_label_errors
from core.discovery.design import make_design
from core.discovery.superclasses import Superclasses
from core.records import I64, ClassFinding, Outcomes, SampleSet
from core.statistics.intervals import wilson
from core.statistics.off_diagonal import excess_p
from core.statistics.permutation import holm


def made(
    labels: I64, predictions: I64 | None = None, *, loss: np.ndarray | None = None, groups: I64 | None = None
) -> tuple[SampleSet, Outcomes]:
    n = len(labels)
    k = int(labels.max()) + 1
    names = ("cat", "dog", "fox")[:k] if k <= 3 else tuple(f"class {c}" for c in range(k))
    errors = None if predictions is None else predictions != labels
    given = errors.astype(float) if loss is None and errors is not None else loss
    assert given is not None
    samples = SampleSet(tuple(map(str, range(n))), labels=labels, class_names=names, groups=groups)
    return samples, Outcomes(given, "0/1 error", "error", "given", errors=errors, predictions=predictions)


def found(
    samples: SampleSet, outcomes: Outcomes, alpha: float = 0.05, testable: bool = True
) -> dict[str, ClassFinding]:
    design = make_design(samples)
    design = replace(design, testable=testable and design.testable)
    return {f.name: f for f in class_findings(samples, outcomes, design, alpha=alpha)}


def confusion(*rows: tuple[int, ...]) -> tuple[I64, I64]:
    """Labels and predictions with these counts: one row for each true class, one column for each prediction."""
    cells = [
        (true, predicted)
        for true, line in enumerate(rows)
        for predicted, count in enumerate(line)
        for _ in range(count)
    ]
    table = np.array(cells, dtype=np.int64)
    return table[:, 0], table[:, 1]


def fisher(wrong_in: int, n_in: int, wrong: int, n: int) -> float:
    """Chance of at least `wrong_in` of the `wrong` among the `n_in`, by counting."""
    return sum(comb(wrong, k) * comb(n - wrong, n_in - k) for k in range(wrong_in, min(wrong, n_in) + 1)) / comb(
        n, n_in
    )


def test_p_of_classes_and_pairs_are_fishers_and_hypergeometric_adjusted_by_holm() -> None:
    labels, predictions = confusion((30, 9, 1), (2, 36, 2), (3, 5, 32))
    results = found(*made(labels, predictions))
    wrong = [10, 4, 8]
    by_class = [fisher(w, 40, 22, 120) for w in wrong]
    # two lists: classes and pairs, of which cat → dog alone has ten on either margin
    expected = np.minimum(2 * holm(by_class), 1)
    for name, p in zip(("cat", "dog", "fox"), expected):
        assert results[name].p == pytest.approx(p)
        assert results[name].kind == "class"
        assert results[name].size == 40
    assert set(results) == {"cat", "dog", "fox", "cat → dog", "fox → dog"}  # four and fewer confusions are not listed
    # nine and five confusions are shown, and are too few for a test of their own
    assert results["cat → dog"].p is None
    assert results["cat → dog"].size == 9
    assert results["cat → dog"].error_rate.value == pytest.approx(9 / 40)


def test_every_pair_that_could_have_been_tested_is_paid_for() -> None:
    labels, predictions = confusion((62, 18, 0), (8, 62, 10), (16, 4, 60))
    results = found(*made(labels, predictions))
    table = np.array([(0, 18, 0), (8, 0, 10), (16, 4, 0)])
    # six pairs could have been tested: dog → cat, of eight confusions, and the two that are not listed are paid for
    raw = [*excess_p(table, np.array([[0, 1], [1, 2], [2, 0]])), 1.0, 1.0, 1.0]  # of at least ten
    for name, p in zip(("cat → dog", "dog → fox", "fox → cat"), 2 * holm(raw)):
        assert results[name].p == pytest.approx(p)
    assert results["dog → cat"].p is None
    assert results["cat → dog"].confirmed
    assert not results["cat"].confirmed


def test_a_wrong_answer_that_all_classes_favor_makes_no_pair_a_finding() -> None:
    claimed = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        labels = np.repeat(np.arange(8), 300)
        answers = np.r_[20.0, np.ones(7)] * (np.arange(8) != labels[:, None])
        answer = (answers.cumsum(1) < rng.random(len(labels))[:, None] * answers.sum(1, keepdims=True)).sum(1)
        predictions = np.where(rng.random(len(labels)) < 0.6, answer, labels)
        listed = found(*made(labels, predictions)).values()
        claimed += any(f.confirmed and f.kind == "confusion" for f in listed)
    assert claimed <= 3  # of 30 at a level of 0.025; by the answers of the other classes alone it was 30


def test_error_rates_have_wilson_intervals_and_classes_come_first_worst_first() -> None:
    labels, predictions = confusion((30, 9, 1), (2, 36, 2), (3, 5, 32))
    samples, outcomes = made(labels, predictions)
    listed = class_findings(samples, outcomes, make_design(samples), alpha=0.05)
    assert [f.name for f in listed] == ["cat", "fox", "dog", "cat → dog", "fox → dog"]
    expected = wilson(10, 40, 1 - 0.05 / 3)  # three classes at once
    rate = listed[0].error_rate
    assert (rate.value, rate.low, rate.high) == pytest.approx((expected.value, expected.low, expected.high))
    assert listed[0].mean_loss.low <= 0.25 <= listed[0].mean_loss.high


def test_a_failing_class_is_confirmed_and_an_even_table_confirms_nothing() -> None:
    bad = found(*made(*confusion((20, 10, 10), (1, 38, 1), (1, 1, 38))))
    assert bad["cat"].confirmed
    assert not bad["dog"].confirmed
    even = found(*made(*confusion((34, 3, 3), (3, 34, 3), (3, 3, 34))))
    assert not any(f.confirmed for f in even.values())
    assert even["cat"].p == 1


def test_with_two_classes_every_error_goes_to_the_other_and_no_pair_is_a_finding() -> None:
    results = found(*made(*confusion((10, 30), (4, 36))))
    assert results["cat → dog"].p == 1
    assert results["cat"].confirmed


def test_without_errors_mean_losses_are_compared_and_shown_as_they_are() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 50)
    loss = rng.gamma(1, 1, 100) + 1.5 * (labels == 1)
    samples, outcomes = made(labels, loss=loss)
    results = found(samples, replace(outcomes, clip=2.0))
    assert results["cat"].p is not None
    assert results["dog"].p is not None
    assert results["cat"].p > 0.9
    t = stats.ttest_ind(loss[50:], loss[:50], equal_var=False, alternative="greater").pvalue
    assert t / 10 < results["dog"].p < 1e-3 + 10 * t
    assert results["dog"].confirmed
    assert results["dog"].error_rate is None
    assert results["dog"].mean_loss.value == pytest.approx(loss[50:].mean())


def test_a_class_of_fewer_than_ten_rows_is_described_and_not_tested() -> None:
    results = found(*made(*confusion((0, 9), (0, 60))))
    assert results["cat"].p is None
    assert not results["cat"].confirmed
    assert results["cat"].error_rate.value == 1


def test_with_groups_whole_groups_are_weighted_and_pairs_are_described_only() -> None:
    labels, predictions = confusion((60, 20), (4, 76))
    order = np.argsort(predictions != labels, kind="stable")  # neighbors fail together
    labels, predictions = labels[order], predictions[order]
    plain = found(*made(labels, predictions))
    grouped = found(*made(labels, predictions, groups=np.arange(160) // 4))
    alone, together = plain["cat"], grouped["cat"]
    assert alone.p is not None
    assert together.p is not None
    assert alone.p < 0.01 < together.p
    assert together.error_rate.high - together.error_rate.low > 1.2 * (alone.error_rate.high - alone.error_rate.low)
    assert plain["cat → dog"].p is not None
    assert grouped["cat → dog"].p is None
    each_its_own = found(*made(labels, predictions, groups=np.arange(160)))["cat"]
    assert each_its_own.p == pytest.approx(alone.p)


def test_copies_in_groups_leave_the_p_of_a_pair_as_it_is_without_them() -> None:
    labels, predictions = confusion((60, 18, 2), (8, 60, 12), (16, 4, 60))
    plain = found(*made(labels, predictions))
    first = np.arange(0, 240, 2)  # half of the rows once more
    copied = found(
        *made(np.r_[labels, labels[first]], np.r_[predictions, predictions[first]], groups=np.r_[np.arange(240), first])
    )
    assert copied["cat → dog"].size > plain["cat → dog"].size
    for name in ("cat → dog", "dog → fox", "fox → cat"):
        assert copied[name].p == pytest.approx(plain[name].p)


def test_where_nothing_can_be_tested_or_there_is_one_class_nothing_is_said() -> None:
    labels, predictions = confusion((20, 20), (38, 2))
    assert all(f.p is None for f in found(*made(labels, predictions), testable=False).values())
    samples, outcomes = made(np.zeros(40, np.int64), loss=np.arange(40.0))
    assert found(samples, outcomes) == {}
    assert found(replace(samples, labels=None, class_names=()), outcomes) == {}


def many(k: int, each: int, seed: int) -> tuple[I64, I64, Superclasses]:
    """Labels, predictions of even errors (0.3), and superclasses of four classes in a row."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(k), each)
    wrong = rng.random(k * each) < 0.3
    predictions = np.where(wrong, (labels + rng.integers(1, k, k * each)) % k, labels)
    return labels, predictions, Superclasses(np.arange(k) // 4, tuple(f"s{i}" for i in range(k // 4)), "")


def test_confusions_too_rare_class_by_class_are_found_between_superclasses() -> None:
    labels, predictions, superclasses = many(80, 30, 0)
    rng = np.random.default_rng(1)
    lost = (labels // 4 == 2) & (predictions != labels) & (rng.random(2400) < 0.5)
    predictions[lost] = 28 + rng.integers(0, 4, lost.sum())  # any class of superclass 7
    samples, outcomes = made(labels, predictions)
    listed = {f.name: f for f in class_findings(samples, outcomes, make_design(samples, superclasses), alpha=0.05)}
    confirmed = [name for name, f in listed.items() if f.confirmed]
    assert confirmed == ["superclass s2 → superclass s7"]
    pooled = listed["superclass s2 → superclass s7"]
    assert pooled.size == ((labels // 4 == 2) & (predictions // 4 == 7)).sum()
    assert pooled.error_rate is not None
    assert pooled.error_rate.value == pytest.approx(pooled.size / 120)
    assert not any(
        " → " in name and len(set(name.split(" → "))) == 1 for name in listed
    )  # inside a superclass it is no pair of two


def test_a_superclass_that_fails_is_found() -> None:
    labels, predictions, superclasses = many(80, 30, 2)
    worse = (labels // 4 == 5) & (np.random.default_rng(3).random(2400) < 0.3)
    predictions[worse] = (labels[worse] + 40) % 80
    samples, outcomes = made(labels, predictions)
    listed = class_findings(samples, outcomes, make_design(samples, superclasses), alpha=0.05)
    assert "superclass s5" in [f.name for f in listed if f.confirmed]


@pytest.mark.slow
def test_a_thousand_classes_list_a_bounded_number_of_pairs() -> None:
    rng = np.random.default_rng(4)
    labels = np.repeat(np.arange(1000), 20)
    partner = labels ^ 1
    predictions = np.where(rng.random(20000) < 0.5, partner, labels)  # each class is half taken for its neighbor
    samples, outcomes = made(labels, predictions)
    superclasses = Superclasses(np.arange(1000) // 32, tuple(f"s{i}" for i in range(32)), "")
    listed = class_findings(samples, outcomes, make_design(samples, superclasses), alpha=0.05)
    pairs = [f for f in listed if f.kind == "confusion"]
    assert len(pairs) == MAX_PAIRS
    assert all(f.confirmed for f in pairs if f.size >= 10)
    assert sum(f.kind == "class" for f in listed) == 1032


def test_flipped_labels_are_suspected_and_need_probabilities_for_every_class() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3, 240)
    scores = np.full((240, 3), 0.05)
    scores[np.arange(240), truth] = 0.9
    labels = truth.copy()
    labels[:8] = (labels[:8] + 1) % 3
    samples, outcomes = made(labels, scores.argmax(1))
    suspects, notes = suspected_label_errors(samples, replace(outcomes, scores=scores))
    assert set(suspects.tolist()) == set(range(8))
    assert notes == ()
    assert suspected_label_errors(samples, outcomes)[0].tolist() == []
    lone, row = replace(samples, labels=np.r_[labels[:-1], 3], class_names=tuple("abcd")), np.c_[scores, np.zeros(240)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        suspects, notes = suspected_label_errors(lone, replace(outcomes, scores=row))
    assert set(range(8)) <= set(suspects.tolist())
    assert notes == ("Errata may miss label errors in 1 class with a single sample.",)
    few = replace(outcomes, scores=np.c_[scores, np.zeros(240)])
    rows, why = suspected_label_errors(samples, few)
    assert rows.tolist() == []
    assert why == ("Errata did not look for label errors: 3 of 4 classes have rows.",)
