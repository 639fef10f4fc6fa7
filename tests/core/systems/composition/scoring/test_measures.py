from __future__ import annotations

import numpy as np
import pytest

from core.statistics.intervals import wilson
from core.systems.composition.records import Benchmark, Metric, Picture
from core.systems.composition.scoring.judging import judge
from core.systems.composition.scoring.measures import POOLED, metrics_of, picture_groups, scopes_of, tags_of
from tests.support.benchmarks import benchmark, choice, choices, pair, pairs, queries, random_scores


def found(metrics: tuple[Metric, ...]) -> dict[str, Metric]:
    return {m.key: m for m in metrics}


def scored(made: Benchmark, right: np.ndarray) -> tuple[Metric, ...]:
    """The metrics of a pairwise benchmark on which those items are right."""
    return metrics_of(judge(made, [np.array([[1.0, 0.0 if r else 2.0]]) for r in right]))


def test_a_share_has_wilsons_interval_and_its_chance() -> None:
    metric = found(scored(choices(40), np.arange(40) < 30))["pairwise"]
    assert metric.value.to_dict() == wilson(30, 40).to_dict()
    assert (metric.n, metric.chance, metric.ties) == (40, 0.5, 0)


def test_clips_published_figure_on_cola_is_45_of_210() -> None:
    made = pairs(210)
    metric = found(metrics_of(judge(made, [np.eye(2) * (1 if i < 45 else -1) for i in range(210)])))["image"]
    assert f"{100 * metric.value.value:.2f}" == "21.43"  # the paper cuts it to 21.42
    assert 0.16 < metric.value.low < metric.value.value < metric.value.high < 0.28
    assert metric.chance == 0.25


def test_chance_of_the_group_score_is_a_sixth() -> None:
    made = pairs(3)
    metrics = found(metrics_of(judge(made, random_scores(made, np.random.default_rng(0)))))
    assert {k: m.chance for k, m in metrics.items()} == pytest.approx({"image": 0.25, "text": 0.25, "group": 1 / 6})


def test_items_that_share_pictures_are_one_group_also_through_others() -> None:
    items = [
        pair("a", (0, 1)),
        pair("b", (1, 2)),
        pair("c", (2, 3)),
        *(pair(f"d{i}", (10 + 2 * i, 11 + 2 * i)) for i in range(25)),
    ]
    groups, note = picture_groups(items)
    assert groups is not None
    assert len(set(groups[:3].tolist())) == 1
    assert len(set(groups.tolist())) == 26
    assert note.startswith("28 items share images, directly or through others, in 26 sets")


def test_crops_of_one_file_are_one_picture() -> None:
    made = choices(60)
    crops = tuple(Picture(f"{i // 2}.png", (0.0, 0.0, 1.0 + i, 1.0)) for i in range(60))
    groups, _ = picture_groups(made.items, crops)
    assert groups is not None
    assert (groups[::2] == groups[1::2]).all()
    assert len(set(groups.tolist())) == 30


def test_items_of_their_own_pictures_need_no_groups_and_few_groups_are_not_used() -> None:
    assert picture_groups(pairs(30).items) == (None, "")
    groups, note = picture_groups(queries(5, 8, np.random.default_rng(0)).items)
    assert groups is None
    assert "not other images" in note


def test_groups_of_equal_items_widen_the_interval() -> None:
    # 30 images of 10 items each, all right or all wrong together.
    made = benchmark("choice", [choice(f"{i}", i // 10, ("a", "b")) for i in range(300)], "pairwise")
    judged = judge(made, [np.array([[1.0, 2.0 * (i // 10 % 3 == 0)]]) for i in range(300)])
    alone = found(metrics_of(judged))["pairwise"].value
    kept = found(metrics_of(judged, picture_groups(made.items)[0]))["pairwise"].value
    assert kept.value == alone.value
    assert kept.high - kept.low > 2.5 * (alone.high - alone.low)


def test_with_few_groups_the_interval_is_as_wide_as_if_each_were_one_item() -> None:
    judged = judge(choices(40), [np.array([[1.0, 0.0]])] * 40)
    value = found(metrics_of(judged, np.arange(40) // 8))["pairwise"].value
    assert (value.value, value.low) == (1.0, wilson(5, 5).low)


def test_the_mean_over_a_tag_weighs_its_values_equally_and_holds_the_truth() -> None:
    made = benchmark(
        "choice", [choice(f"{i}", i, ("a", "b"), kind="many" if i < 90 else "few") for i in range(100)], "pairwise"
    )
    judged = judge(made, [np.array([[1.0, 0.0 if i < 90 else 2.0]]) for i in range(100)])
    tags = tags_of(made.items)
    macro = found(metrics_of(judged, strata=tags["kind"]))["pairwise"]
    assert (macro.value.value, macro.n, macro.chance) == (0.5, 100, 0.5)
    assert macro.title == "Pairwise accuracy, mean over 2 kinds of item"
    assert found(metrics_of(judged))["pairwise"].value.value == 0.9


def test_items_without_a_value_play_no_part_in_the_mean_over_values() -> None:
    judged = judge(choices(30), [np.array([[1.0, 0.0 if i < 20 else 2.0]]) for i in range(30)])
    macro = found(metrics_of(judged, strata=("a",) * 10 + ("b",) * 10 + ("",) * 10))["pairwise"]
    assert (macro.value.value, macro.n) == (1.0, 20)


def test_the_macro_interval_is_as_wide_as_theory_says() -> None:
    rng = np.random.default_rng(0)
    sizes, rates = np.array([400, 100]), np.array([0.8, 0.4])
    right = np.concatenate([rng.random(n) < p for n, p in zip(sizes, rates)])
    made = benchmark("choice", [choice(f"{i}", i, ("a", "b"), kind=str(i >= 400)) for i in range(500)], "pairwise")
    judged = judge(made, [np.array([[1.0, 0.0 if r else 2.0]]) for r in right])
    observed = np.array([right[:400].mean(), right[400:].mean()])
    error = np.sqrt((observed * (1 - observed) / sizes).sum()) / 2
    # The pairs are independent, so groups of two hardly matter.
    for groups in (None, np.arange(500, dtype=np.int64) // 2):
        value = found(metrics_of(judged, groups, strata=tags_of(made.items)["kind"]))["pairwise"].value
        assert value.value == pytest.approx(observed.mean())
        assert value.high - value.low == pytest.approx(2 * 1.96 * error, rel=0.2)


def test_all_right_still_has_an_interval() -> None:
    made = choices(60)
    value = found(metrics_of(judge(made, [np.array([[1.0, 0.0]])] * 60), strata=tags_of(made.items)["kind"]))[
        "pairwise"
    ].value
    assert (value.value, value.high) == (1.0, 1.0)
    assert value.low == wilson(60, 60).low


def test_mean_average_precision_is_the_mean_over_queries_with_a_bootstrap_interval() -> None:
    made = queries(40, 30, np.random.default_rng(1))
    judged = judge(made, random_scores(made, np.random.default_rng(2)))
    metric = found(metrics_of(judged))["map"]
    assert metric.value.value == pytest.approx(judged.values["map"].mean())
    assert metric.value.low < metric.value.value < metric.value.high
    assert metric.chance is not None
    assert metric.value.low < metric.chance < metric.value.high  # random scores
    assert metric.title == "Mean average precision over hard images"


def test_the_mean_rank_stands_beside_recall() -> None:
    made = choices(50, 4)
    judged = judge(made, random_scores(made, np.random.default_rng(4)))
    metrics = found(metrics_of(judged))
    assert list(metrics) == ["r@1", "r@3", "mean rank"]
    assert metrics["mean rank"].chance == 2.5
    assert metrics["r@3"].title == "Recall at 3"


def test_tags_are_broken_down_largest_first_and_small_values_are_pooled_last() -> None:
    values = ("a",) * 6 + ("b",) * 9 + ("c",) * 4 + ("d",) * 2 + ("",) * 3
    scopes = scopes_of({"kind": values})
    assert [(s.value, len(s.rows)) for s in scopes] == [("b", 9), ("a", 6), (POOLED, 6)]
    assert sorted(np.concatenate([s.rows for s in scopes]).tolist()) == list(range(21))


def test_a_tag_of_one_value_or_of_too_many_is_no_breakdown() -> None:
    assert scopes_of({"one": ("a",) * 30, "many": tuple(str(i // 5) for i in range(400))}) == ()


def test_the_tag_that_is_averaged_over_is_never_pooled() -> None:
    assert [(s.value, len(s.rows)) for s in scopes_of({"kind": ("a", "a", "b")}, "kind")] == [("a", 2), ("b", 1)]
