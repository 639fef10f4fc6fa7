"""The items that are shown: the most surely wrong first, with what was picked and what is true."""

from __future__ import annotations

import numpy as np

from core.composition.scoring.run import run_composition
from core.data.images.inline import InlinePictures
from core.records import F64
from core.reports.html.worst_items import MAX_SHOWN, ShownItem, worst_items
from tests.support.benchmarks import Given, benchmark, choices, pair, pictured, queries

NONE = InlinePictures(None, 0, 64)


def shown(bench: object, matrices: tuple[F64, ...], most: int = 12) -> tuple[ShownItem, ...]:
    result = run_composition(pictured(bench), Given(matrices), blind=False)  # type: ignore[arg-type]
    return worst_items(result, bench, NONE, most)  # type: ignore[arg-type]


def test_pairs_come_by_margin_and_right_ones_do_not() -> None:
    items = [pair(f"p{i}", (2 * i, 2 * i + 1), (f"a{i}", f"b{i}"), crossed=i == 1, kind="swap") for i in range(3)]
    bench = benchmark("pairs", items, "image")
    wrong = np.array([[0.5, 0.1], [0.9, 0.2]])
    found = shown(bench, (np.eye(2), np.eye(2), wrong))
    assert [item.id for item in found] == ["p1", "p2"]
    first, second = found
    assert first.margin == "−1.000"
    assert [[(c.score, c.true, c.picked) for c in cells] for _, cells in first.rows] == [
        [("1.000", False, True), ("0.000", True, False)],
        [("0.000", True, False), ("1.000", False, True)],
    ]
    assert [caption for caption, _ in second.rows] == ["a2", "b2"]
    assert [(c.true, c.picked) for c in second.rows[0][1]] == [(True, False), (False, True)]
    assert (second.tags, second.more) == ("kind: swap", "")
    assert [p.name for p in second.pictures] == ["4.png", "5.png"]
    assert len(shown(bench, (np.eye(2), np.eye(2), wrong), most=1)) == 1


def test_a_choice_shows_its_caption_and_the_highest_foils() -> None:
    bench = choices(1, 9)
    scores = np.array([[0.0, 0.1, 0.9, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]])
    (item,) = shown(bench, (scores,))
    assert [caption for caption, _ in item.rows] == [
        "true 0",
        "foil 0 2",
        "foil 0 8",
        "foil 0 7",
        "foil 0 6",
        "foil 0 5",
    ]
    assert [cells[0].picked for _, cells in item.rows] == [False, True, False, False, False, False]
    assert item.more == "3 captions not shown"


def test_a_query_shows_what_comes_first_and_a_picture_that_should_have() -> None:
    bench = queries(1, 20, np.random.default_rng(0))
    (true, _), *_ = bench.items[0].match
    scores = np.linspace(1, 0, 20)[:, None].copy()
    scores[true] = -0.5
    (item,) = shown(bench, (scores,))
    assert len(item.pictures) == MAX_SHOWN
    assert [c.true for c in item.rows[0][1]] == [False] * 5 + [True]
    assert [c.picked for c in item.rows[0][1]] == [True] + [False] * 5
    assert item.more == "14 pictures not shown; the first true picture has rank 20 of 20"
