"""ARO: relations, attributes and the order of words."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.composition.readers import read_benchmark
from core.systems.composition.readers.aro import SYMMETRIC, shuffled, tidy_words
from tests.support import benchmark_files as written
from tests.support.benchmark_files import write


def test_relations_that_aro_leaves_out_are_scored_outside_the_headline(tmp_path: Path) -> None:
    rows = [written.relation(name, i) for i, name in enumerate(["on", "next to", "eating", "with"])]
    benchmark = read_benchmark("aro-relation", write(tmp_path / "r.json", rows))
    assert benchmark.average == "relation"
    kept, out = "relation", "relation left out"
    assert [item.tags for item in benchmark.items] == [{kept: "on"}, {out: "next to"}, {kept: "eating"}, {out: "with"}]
    assert any(note.startswith("2 of 4 items have one of 2 relations that ARO leaves out") for note in benchmark.notes)
    assert len(SYMMETRIC) == 157
    assert benchmark.items[0].captions == ("the horse is on the grass", "the grass is on the horse")
    assert (benchmark.pictures[0].name, benchmark.pictures[0].box) == ("0.jpg", (1.0, 2.0, 30.0, 20.0))


def test_crops_of_one_picture_are_pictures_of_their_own(tmp_path: Path) -> None:
    rows = [written.relation("on"), {**written.relation("on"), "bbox_x": 5}, written.relation("in")]
    benchmark = read_benchmark("aro-relation", write(tmp_path / "r.json", rows))
    assert [item.pictures for item in benchmark.items] == [(0,), (1,), (0,)]


def test_pairs_of_attributes_with_fewer_than_25_items_are_outside_the_headline(tmp_path: Path) -> None:
    rows = [written.attribution("red", "big", i) for i in range(25)] + [
        written.attribution("old", "wet", i) for i in range(24)
    ]
    benchmark = read_benchmark("aro-attribution", write(tmp_path / "a.json", rows))
    assert benchmark.average == "attributes"
    assert Counter(tuple(item.tags.items()) for item in benchmark.items) == {
        (("attributes", "red / big"),): 25,
        (("attributes left out", "pairs with fewer than 25 items"),): 24,
    }
    assert any(note.startswith("24 of 49 items belong to 1 pairs") for note in benchmark.notes)
    few = read_benchmark("aro-attribution", write(tmp_path / "a.json", rows[25:]))
    assert few.average == ""


def test_a_box_that_is_no_number_is_named(tmp_path: Path) -> None:
    rows = [written.relation("on"), {**written.relation("on"), "bbox_w": "wide"}]
    with pytest.raises(InvalidInput, match="record 1: 'bbox_w' must be a number: it is 'wide'"):
        read_benchmark("aro-relation", write(tmp_path / "r.json", rows))


def test_order_foils_hold_the_caption_s_words_and_the_seed_repeats_them(tmp_path: Path) -> None:
    file = write(tmp_path / "coco.json", written.ORDER)
    first, again, other = (read_benchmark("aro-order", file, seed=seed) for seed in (1, 1, 2))
    item = first.items[0]
    assert item.captions[0] == "a man with a red helmet on a small moped"
    assert len(item.captions) == 3
    assert all(
        Counter(foil.split()) == Counter(item.captions[0].split()) and foil != item.captions[0]
        for foil in item.captions[1:]
    )
    assert [i.captions for i in first.items] == [i.captions for i in again.items]
    assert [i.captions for i in first.items] != [i.captions for i in other.items]
    assert first.items[1].captions == ("dogs run", "run dogs")
    assert any("need a tagger" in note for note in first.notes)
    assert "1 captions are too short for both foils and have one." in first.notes


def test_one_foil_moves_groups_of_three_and_the_other_moves_words_within_them() -> None:
    words = [f"w{i}" for i in range(10)]
    groups = {tuple(words[at : at + 3]) for at in range(0, 10, 3)}
    for seed in range(20):
        moved, within = (foil.split() for foil in shuffled(words, np.random.default_rng(seed)))
        short = moved.index("w9")
        whole = moved[:short] + moved[short + 1 :]
        assert {tuple(whole[at : at + 3]) for at in range(0, 9, 3)} | {("w9",)} == groups
        assert [set(within[at : at + 3]) for at in range(0, 10, 3)] == [
            set(words[at : at + 3]) for at in range(0, 10, 3)
        ]


@pytest.mark.parametrize("words", [[], ["one"], ["same", "same"]])
def test_a_caption_with_one_order_has_no_foil(words: list[str]) -> None:
    assert shuffled(words, np.random.default_rng(0)) == ()


def test_captions_are_tidied_as_aro_does_it() -> None:
    text = '  A "man" (tall); well-dressed, runs: fast!\n'
    assert tidy_words(text, 30) == "a man tall well-dressed, runs fast".split()
    assert tidy_words("a b c d", 2) == ["a", "b"]


def test_ready_made_orders_are_used_as_they_are(tmp_path: Path) -> None:
    records = [
        {"image": "1.jpg", "caption_options": ["a dog runs", "runs dog a", "dog a runs", "a runs dog", "dog runs a"]}
    ]
    benchmark = read_benchmark("", write(tmp_path / "order.json", records))
    assert benchmark.items[0].captions == tuple(records[0]["caption_options"])
    assert not any("tagger" in note for note in benchmark.notes)


@pytest.mark.parametrize("options", [{"seed": -1}, {"max_words": 1}])
def test_options_of_order_are_checked(options: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="seed must be 0 or more and max_words at least 2"):
        read_benchmark("aro-order", write(tmp_path / "coco.json", written.ORDER), **options)
