"""SugarCrepe as published, and parts of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.systems.composition.readers import read_benchmark
from tests.support import benchmark_files as written
from tests.support.benchmark_files import write


def test_sugarcrepe_is_read_as_it_was_published(shared_data: Path) -> None:
    benchmark = read_benchmark("", shared_data / "sugarcrepe")
    counts = {
        "replace_obj": 1652,
        "replace_att": 788,
        "replace_rel": 1406,
        "swap_obj": 245,
        "swap_att": 666,
        "add_obj": 2062,
        "add_att": 692,
    }
    assert Counter(item.tags["kind"] for item in benchmark.items) == counts
    assert (len(benchmark), len(benchmark.pictures), benchmark.average, benchmark.headline) == (
        7511,
        1560,
        "kind",
        "pairwise",
    )
    assert benchmark.excluded == ()
    raw = json.loads((shared_data / "sugarcrepe" / "swap_obj.json").read_text())
    mine = {item.id: item for item in benchmark.items if item.tags["kind"] == "swap_obj"}
    assert {id: (i.captions, benchmark.pictures[i.pictures[0]].name) for id, i in mine.items()} == {
        f"swap_obj/{key}": ((" ".join(r["caption"].split()), " ".join(r["negative_caption"].split())), r["filename"])
        for key, r in raw.items()
    }


def test_missing_files_of_sugarcrepe_are_said(tmp_path: Path) -> None:
    benchmark = read_benchmark("sugarcrepe", write(tmp_path / "swap_obj.json", written.SUGARCREPE))
    assert [item.id for item in benchmark.items] == ["swap_obj/0", "swap_obj/2"]
    assert any("that are missing here" in note and "'replace_obj'" in note for note in benchmark.notes)


def test_an_empty_caption_leaves_its_item_out(tmp_path: Path) -> None:
    records = {**written.SUGARCREPE, "5": {"filename": "a.jpg", "caption": "A cat.", "negative_caption": "  "}}
    benchmark = read_benchmark("sugarcrepe", write(tmp_path / "swap_obj.json", records))
    assert benchmark.excluded == (("swap_obj/5", "a caption is empty"),)


def test_two_true_captions_stand_before_the_foil_and_what_cannot_be_asked_is_counted(tmp_path: Path) -> None:
    empty = {**written.TWO_TRUE[0], "id": 9, "caption2": "\u200b"}
    benchmark = read_benchmark("", write(tmp_path / "swap_obj.json", [*written.TWO_TRUE, empty]))
    assert [item.id for item in benchmark.items] == ["swap_obj/0", "swap_obj/7"]
    first = benchmark.items[0]
    assert first.captions == ("A cat sits on a mat.", "On a mat there is a cat.", "A mat sits on a cat.")
    assert (first.match, first.tags) == (((0, 0), (0, 1)), {"kind": "swap_obj"})
    assert (benchmark.headline, benchmark.average) == ("both", "kind")
    assert benchmark.excluded == (("swap_obj/9", "a caption is empty"),)
    assert any(
        "those of its five files that are missing here" in note and "'replace_obj'" in note for note in benchmark.notes
    )


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"filename": "a.jpg", "caption": "x", "negative_caption": "y"}, "record 1 has no 'caption2'"),
        ({**written.TWO_TRUE[0], "caption2": 3}, "caption2.* must be text"),
        ({**written.TWO_TRUE[0], "filename": "a\0.jpg"}, "an image's name must have"),
        (["a.jpg"], "record 1 must be an object"),
    ],
)
def test_a_wrong_record_of_two_true_captions_is_named(row: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_benchmark("sugarcrepe++", write(tmp_path / "swap_att.json", [written.TWO_TRUE[0], row]))
