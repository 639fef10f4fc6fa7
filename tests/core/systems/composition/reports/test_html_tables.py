"""The rows of the tables of composition: figures in their style, folded and signed as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.records import Estimate
from core.systems.composition.records import ComparedMetric, CompositionComparison, CompositionResult
from core.systems.composition.reports.html_tables import by_tag, compared_tables, forgetting_rows
from core.systems.composition.scoring.compare import compare_results
from core.systems.composition.scoring.run import run_composition
from tests.support.benchmarks import Given, pairs, pictured, random_scores
from tests.support.forgetting import lost_accuracy

BETTER = ComparedMetric(
    "image", "all items", 60, Estimate(0.2, 0.1, 0.3), Estimate(0.4, 0.3, 0.5), Estimate(0.2, 0.1, 0.3), 0.01, 2, 14
)
RANK = replace(BETTER, key="mean rank", a=Estimate(3.0, 2.0, 4.0), b=Estimate(4.0, 3.0, 5.0))


def run(seed: int, name: str) -> CompositionResult:
    bench = pairs(30)
    return run_composition(pictured(bench), Given(random_scores(bench, np.random.default_rng(seed))), name=name)


def test_a_clear_difference_is_better_or_worse_and_an_unclear_one_is_neither() -> None:
    rows = (BETTER, replace(BETTER, scope="kind: a", p=0.5), RANK)
    image, rank = compared_tables(CompositionComparison("a", "b", "made", rows))
    assert (image.title, rank.title) == ("Image score", "Mean rank of the true caption")
    assert [line["change"] for line in image.shown] == ["better", ""]
    assert [line["change"] for line in rank.shown] == ["worse"]  # a higher rank is worse
    assert image.shown[0]["a"] == "20.0%"
    assert image.shown[0]["difference"] == "+20.0 points (+10.0 to +30.0)"
    assert "points" not in rank.shown[0]["difference"]
    assert image.shown[0]["bar"] is None


def test_all_items_and_the_first_two_tags_are_shown_and_the_others_folded() -> None:
    rows = (BETTER, *(replace(BETTER, scope=f"{tag}: x") for tag in "abc"))
    (table,) = compared_tables(CompositionComparison("a", "b", "made", rows), bars=True)
    assert [line["row"].scope for line in table.shown] == ["all items", "a: x", "b: x"]
    assert [line["row"].scope for line in table.folded] == ["c: x"]
    assert all(line["bar"] is not None for line in (*table.shown, *table.folded))


def test_every_row_of_a_comparison_is_in_one_table() -> None:
    found = compare_results(run(0, "a"), run(1, "b"))
    tables = compared_tables(found)
    assert sum(len(table.shown) + len(table.folded) for table in tables) == len(found.rows)


def test_what_a_training_cost_is_told_by_sign_and_word() -> None:
    row = lost_accuracy()
    lost, kept = forgetting_rows((row, replace(row, verdict="kept")), bars=True)
    assert (lost["verdict"], lost["kind"], kept["verdict"], kept["kind"]) == ("▼ lost", "bad", "= kept", "held")
    assert (lost["task"], lost["before"]) == ("Zero-shot, accuracy", "87% (80 to 90%)")
    assert (lost["difference"], lost["interval"]) == ("−4.0 points", "(−7.0 to −1.0)")
    assert forgetting_rows((row,))[0]["bar"] is None


def test_the_headline_of_each_result_stands_by_tag_and_value() -> None:
    first, second = run(0, "a"), run(1, "b")
    found = by_tag([first, second])
    assert set(found) == {entry.tag for entry in first.by_tag}
    for values in found.values():
        for rows in values.values():
            assert [at for at, _ in rows] == [0, 1]
            assert {metric.key for _, metric in rows} == {first.headline}
