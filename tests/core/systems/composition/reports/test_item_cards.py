"""The items that are shown: the most surely wrong first, with what was picked and what is true."""

from __future__ import annotations

import numpy as np

from core.records import F64
from core.systems.composition.reports.item_cards import MAX_PICTURES, ScoredItem, changed_words, worst_items
from core.systems.composition.scoring.run import run_composition
from tests.support.benchmarks import Given, benchmark, choices, pair, pictured, queries


def none(at: int) -> None:
    """No image has an address."""


def shown(bench: object, matrices: tuple[F64, ...], most: int = 12) -> list[tuple[ScoredItem, str]]:
    result = run_composition(pictured(bench), Given(matrices), blind=False)  # type: ignore[arg-type]
    return worst_items(result, bench, none, most)  # type: ignore[arg-type]


def test_pairs_come_by_margin_and_right_ones_do_not() -> None:
    items = [pair(f"p{i}", (2 * i, 2 * i + 1), (f"a{i}", f"b{i}"), crossed=i == 1, kind="swap") for i in range(3)]
    bench = benchmark("pairs", items, "image")
    wrong = np.array([[0.5, 0.1], [0.9, 0.2]])
    found = shown(bench, (np.eye(2), np.eye(2), wrong))
    assert [facts for _, facts in found] == ["p1; kind: swap; margin −1.000", "p2; kind: swap; margin −0.400"]
    first, second = (item for item, _ in found)
    assert [[(c.score, c.true, c.share) for c in row.cells] for row in first.rows] == [
        [("1.00", False, "100"), ("0.00", True, "0")],
        [("0.00", True, "0"), ("1.00", False, "100")],
    ]
    assert [row.words for row in second.rows] == [(("a2", True),), (("b2", True),)]
    assert [row.outcome.text for row in second.rows if row.outcome] == ["picks the other", "picks its image"]
    assert [pick.text for pick in second.picks if pick] == ["picks its caption", "picks the other"]
    assert [p.name for p in second.pictures] == ["4.png", "5.png"]
    assert len(shown(bench, (np.eye(2), np.eye(2), wrong), most=1)) == 1


def test_a_choice_shows_its_caption_and_the_highest_foils() -> None:
    bench = choices(1, 9)
    scores = np.array([[0.0, 0.1, 0.9, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]])
    ((item, _),) = shown(bench, (scores,))
    captions = [" ".join(word for word, _ in row.words) for row in item.rows]
    assert captions == ["true 0", "foil 0 2", "foil 0 8", "foil 0 7", "foil 0 6", "foil 0 5"]
    assert [pick.text for pick in item.picks if pick] == ["picks a foil"]
    assert all(row.outcome is None and not row.foil for row in item.rows)
    assert item.note == "3 weaker foils not shown."


def test_a_query_shows_what_comes_first_and_a_picture_that_should_have() -> None:
    bench = queries(1, 20, np.random.default_rng(0))
    (true, _), *_ = bench.items[0].match
    scores = np.linspace(1, 0, 20)[:, None].copy()
    scores[true] = -0.5
    ((item, _),) = shown(bench, (scores,))
    assert len(item.pictures) == MAX_PICTURES
    assert [p.fits for p in item.pictures] == [False] * 5 + [True]
    assert item.pictures[0].said == "✗ 1. 1.00"
    assert item.pictures[-1].said == "✓ 20. −0.50"
    assert item.note.startswith("first right image at rank 20 of 20, average precision 0.1")


def test_the_words_that_differ_are_marked() -> None:
    assert changed_words("a red cube", "a blue cube") == (("a", False), ("red", True), ("cube", False))


def test_what_two_captions_swap_is_marked_whole_and_not_what_stays() -> None:
    def marked(text: str, second: str) -> list[str]:
        return [words for words, changed in changed_words(text, second) if changed]

    assert marked("an orange star and a cyan cone", "a cyan star and an orange cone") == ["orange", "cyan"]
    assert marked("a cyan ball left of a red cube", "a red cube left of a cyan ball") == ["cyan ball", "red cube"]
    assert marked("a dog runs", "a dog that sleeps runs") == []
    assert marked("a dog that sleeps runs", "a dog runs") == ["that sleeps"]
