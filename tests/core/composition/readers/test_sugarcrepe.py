"""SugarCrepe as published, and parts of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from core.composition.readers import read_benchmark
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
    assert any("these are not here" in note and "'replace_obj'" in note for note in benchmark.notes)


def test_an_empty_caption_leaves_its_item_out(tmp_path: Path) -> None:
    records = {**written.SUGARCREPE, "5": {"filename": "a.jpg", "caption": "A cat.", "negative_caption": "  "}}
    benchmark = read_benchmark("sugarcrepe", write(tmp_path / "swap_obj.json", records))
    assert benchmark.excluded == (("swap_obj/5", "a caption is empty"),)
