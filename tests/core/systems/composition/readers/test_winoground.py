"""Winoground and ColorSwap."""

from __future__ import annotations

from pathlib import Path

from core.systems.composition.readers import read_benchmark
from tests.support import benchmark_files as written
from tests.support.benchmark_files import write


def test_winoground_keeps_its_tags_and_names_without_ending(tmp_path: Path) -> None:
    benchmark = read_benchmark("winoground", write(tmp_path / "examples.jsonl", written.WINOGROUND))
    first = benchmark.items[0]
    assert [p.name for p in benchmark.pictures[:2]] == ["ex_0_img_0", "ex_0_img_1"]
    assert first.tags == {
        "collapsed tag": "Object",
        "tag": "Noun",
        "secondary tag": "Morpheme-Level",
        "main predicates": "1",
    }
    assert "secondary tag" not in benchmark.items[1].tags
    assert (first.captions[0], benchmark.headline) == ("a dog bites man 0", "group")


def test_colorswap_reads_both_parts_with_caption_1_for_image_1(tmp_path: Path) -> None:
    write(tmp_path / "train.json", written.COLORSWAP)
    write(tmp_path / "test.json", written.COLORSWAP[:1])
    benchmark = read_benchmark("", tmp_path)
    assert [item.id for item in benchmark.items] == ["test/0", "train/0", "train/1"]
    assert [item.tags["split"] for item in benchmark.items] == ["test", "train", "train"]
    item = benchmark.items[2]
    assert [benchmark.pictures[at].name for at in item.pictures] == ["images/img_1_1.png", "images/img_1_2.png"]
    assert item.captions == ("red hat, blue shoe 1", "blue hat, red shoe 1")
