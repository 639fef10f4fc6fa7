from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidInput
from core.statistics.paired import mcnemar, paired_difference
from core.statistics.permutation import holm
from core.systems.composition.records import Benchmark, ComparedMetric, CompositionComparison, CompositionResult, Item
from core.systems.composition.scoring.compare import compare_results
from core.systems.composition.scoring.run import run_composition
from tests.support.benchmarks import Given, benchmark, choice, choices, pairs, pictured, queries, random_scores


def result(made: Benchmark, right: np.ndarray, name: str) -> CompositionResult:
    matrices = tuple(np.array([[1.0, 0.0 if r else 2.0]]) for r in right)
    return run_composition(pictured(made), Given(matrices, name=name), name=name, blind=False)


def row(found: CompositionComparison, key: str, scope: str = "all items") -> ComparedMetric:
    return next(r for r in found.rows if (r.key, r.scope) == (key, scope))


def test_right_and_wrong_are_compared_by_mcnemar_with_holm_over_the_scopes():
    made, i = choices(90), np.arange(90)
    a, b = i % 2 == 0, (i % 2 == 0) | (i % 3 == 0)
    found = compare_results(result(made, a, "a"), result(made, b, "b"))
    whole = row(found, "pairwise")
    assert (whole.n, whole.only_a, whole.only_b) == (90, 0, 15)
    assert whole.difference.to_dict() == paired_difference(~a, ~b).to_dict()
    assert whole.difference.value == pytest.approx(15 / 90) == whole.b.value - whole.a.value
    assert [r.scope for r in found.rows] == ["all items", "kind: kind 0", "kind: kind 1", "kind: kind 2"]
    plain = [mcnemar(0, 15), mcnemar(0, 15), 1.0, 1.0]
    np.testing.assert_allclose([r.p for r in found.rows], holm(plain))


def test_each_metric_is_adjusted_by_itself():
    made = pairs(60)
    rng = np.random.default_rng(0)
    a, b = (run_composition(pictured(made), Given(random_scores(made, rng), name=n)) for n in "ab")
    found = compare_results(a, b)
    assert [r.key for r in found.rows] == ["image"] * 3 + ["text"] * 3 + ["group"] * 3
    only_a, only_b = (
        (x & ~y).sum() for x, y in ((a.correct["text"], b.correct["text"]), (b.correct["text"], a.correct["text"]))
    )
    assert (row(found, "text").only_a, row(found, "text").only_b) == (only_a, only_b)


def test_both_sides_have_the_interval_of_their_own_result():
    made = pairs(60)
    rng = np.random.default_rng(1)
    a, b = (run_composition(pictured(made), Given(random_scores(made, rng), name=n)) for n in "ab")
    found = compare_results(a, b)
    for key in ("image", "text", "group"):
        for side, own in ((row(found, key).a, a), (row(found, key).b, b)):
            assert side.to_dict() == next(m for m in own.metrics if m.key == key).value.to_dict()


def test_items_that_only_one_has_are_left_out_and_counted():
    made = choices(30)
    part = replace(made, items=made.items[3:])
    found = compare_results(result(made, np.ones(30, bool), "a"), result(part, np.zeros(27, bool), "b"))
    assert row(found, "pairwise").n == 27
    assert found.notes == ("3 items are left out: only 'a' has a score, not 'b'.",)
    turned = replace(made, items=made.items[::-1])
    assert (
        row(
            compare_results(result(made, np.arange(30) < 5, "a"), result(turned, np.arange(30) >= 25, "b")), "pairwise"
        ).only_a
        == 0
    )


def test_swapping_the_models_turns_the_sign_and_keeps_p():
    made, rng = choices(60), np.random.default_rng(2)
    a, b = result(made, rng.random(60) < 0.5, "a"), result(made, rng.random(60) < 0.7, "b")
    one, other = row(compare_results(a, b), "pairwise"), row(compare_results(b, a), "pairwise")
    assert one.p == other.p
    assert one.difference.value == pytest.approx(-other.difference.value)
    assert one.difference.low == pytest.approx(-other.difference.high)
    assert (one.only_a, one.only_b) == (other.only_b, other.only_a)


def test_average_precision_is_compared_by_flipping_signs():
    rng = np.random.default_rng(3)
    made = queries(40, 24, rng)
    weak = random_scores(made, rng)
    strong = tuple(
        m + 3 * np.isin(np.arange(24), [p for p, _ in item.match])[:, None] for m, item in zip(weak, made.items)
    )
    a, b = (run_composition(pictured(made), Given(m, name=n)) for m, n in ((weak, "weak"), (strong, "strong")))
    found = compare_results(a, b)
    assert {r.key for r in found.rows} == {"map", "map all"}
    whole = row(found, "map")
    assert whole.difference.value == pytest.approx((b.values["map"] - a.values["map"]).mean())
    assert whole.difference.low > 0
    assert whole.p <= 3 / 10_000 + 1e-12  # the smallest that 9,999 flips can give, times three scopes
    assert (whole.only_a, whole.only_b) == (0, int((b.values["map"] > a.values["map"]).sum()))


def test_a_lower_rank_is_the_better_one():
    made = choices(40, 4)
    first = tuple(np.array([[4.0, 3.0, 2.0, 1.0]]) for _ in range(40))
    last = tuple(-m for m in first)
    found = compare_results(
        *(run_composition(pictured(made), Given(m, name=n), blind=False) for m, n in ((last, "last"), (first, "first")))
    )
    rank = row(found, "mean rank")
    assert (rank.difference.value, rank.only_a, rank.only_b) == (-3.0, 0, 40)


def test_a_mean_over_a_tag_is_compared_as_that_mean():
    items = [choice(f"{i}", i, ("a", "b"), kind="many" if i < 80 else "few") for i in range(100)]
    made = benchmark("choice", items, "pairwise", average="kind")
    i = np.arange(100)
    a, b = result(made, i < 40, "a"), result(made, (i < 40) | (i >= 90), "b")
    whole = row(compare_results(a, b), "pairwise")
    assert whole.a.value == 0.25
    assert whole.b.value == 0.5
    assert whole.difference.value == pytest.approx(0.25)
    assert whole.a.to_dict() == a.metrics[0].value.to_dict()
    assert whole.difference.low < 0.25 < whole.difference.high
    assert whole.p < 0.01


def test_groups_of_items_weaken_the_evidence():
    def made(shared: bool) -> Benchmark:
        items: list[Item] = [choice(f"{i}", i // 10 if shared else i, ("a", "b")) for i in range(400)]
        return benchmark("choice", items, "pairwise")

    a, b = np.zeros(400, bool), np.arange(400) // 10 % 10 == 0  # B has four images' items right
    alone, kept = (
        row(compare_results(result(m, a, "a"), result(m, b, "b")), "pairwise") for m in (made(False), made(True))
    )
    assert alone.p < 1e-6
    assert kept.p == pytest.approx(2 / 2**4, abs=0.02)


def test_models_that_agree_everywhere_differ_by_0_with_an_interval_and_p_1():
    for items in (
        [choice(f"{i}", i, ("a", "b")) for i in range(60)],
        [choice(f"{i}", i // 2, ("a", "b")) for i in range(60)],
    ):
        made = benchmark("choice", items, "pairwise")
        right = np.arange(60) < 20
        whole = row(compare_results(result(made, right, "a"), result(made, right, "b")), "pairwise")
        assert (whole.difference.value, whole.p) == (0.0, 1.0)
        assert whole.difference.low < 0 < whole.difference.high


def test_under_the_null_small_p_are_rare():
    made, rng = (
        replace(choices(60), items=tuple(replace(i, tags={}) for i in choices(60).items)),
        np.random.default_rng(5),
    )
    small = 0
    for _ in range(200):
        a, b = (result(made, rng.random(60) < 0.6, n) for n in "ab")
        small += row(compare_results(a, b), "pairwise").p < 0.05
    assert small <= 20


def test_results_of_different_benchmarks_are_refused_in_one_message():
    a, b = (
        result(choices(5), np.ones(5, bool), "a"),
        result(replace(choices(5), title="Another"), np.ones(5, bool), "b"),
    )
    with pytest.raises(InvalidInput, match="'a' is on Made choice and 'b' on Another"):
        compare_results(a, b)


def test_results_without_a_common_item_or_of_other_form_are_refused():
    made = choices(5)
    strangers = replace(made, items=tuple(replace(item, id=f"x{item.id}") for item in made.items))
    a = result(made, np.ones(5, bool), "a")
    with pytest.raises(InvalidInput, match="share no item of Made choice"):
        compare_results(a, result(strangers, np.ones(5, bool), "b"))
    longer = replace(a, matrices=tuple(np.zeros((1, 3)) for _ in range(5)))
    with pytest.raises(InvalidInput, match="'c0' has 1 x 2 and 1 x 3 scores"):
        compare_results(a, longer)
