"""Cola's two benchmarks as published, and files in their form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.composition.readers import read_benchmark
from core.systems.composition.readers.builder import counted
from core.systems.composition.scoring.published import figures_for
from tests.support import benchmark_files as written
from tests.support.benchmark_files import write


def test_cola_is_read_as_it_was_published(shared_data: Path) -> None:
    benchmark = read_benchmark("", shared_data / "cola")
    raw = json.loads((shared_data / "cola" / "COLA_multiobjects_matching_benchmark.json").read_text())
    assert (benchmark.name, len(benchmark), len(benchmark.pictures), benchmark.headline) == ("cola", 210, 218, "image")
    for item, row in zip(benchmark.items, raw, strict=True):
        first, second = (benchmark.pictures[at].name for at in item.pictures)
        assert [first, item.captions[0], second, item.captions[1]] == [
            row[0],
            " ".join(row[1].split()),
            row[2],
            " ".join(row[3].split()),
        ]
        assert item.match == ((0, 0), (1, 1))


def test_cola_pictures_are_listed_once_and_spaces_are_single(tmp_path: Path) -> None:
    benchmark = read_benchmark("cola", write(tmp_path / "b.json", written.COLA))
    assert [p.name for p in benchmark.pictures] == [f"https://a.org/vg/{i}.jpg" for i in (1, 2, 3)]
    assert benchmark.items[1].pictures == (1, 2)
    assert benchmark.items[1].captions[0] == "tall tree near low wall"


def cola_single(tmp_path: Path, document: Any = written.COLA_SINGLE, **options: Any) -> Any:
    return read_benchmark("cola-single", write(tmp_path / "COLA_singleobjects_benchmark_GQA.json", document), **options)


def test_a_query_ranks_every_picture_and_says_which_are_hard(tmp_path: Path) -> None:
    benchmark = cola_single(tmp_path)
    first, second = benchmark.items
    assert (benchmark.headline, benchmark.title) == ("map", "Cola, single-object (GQA)")
    assert first.captions == ("square white plate",)
    assert first.pictures == second.pictures == (0, 1, 2, 3)
    assert (first.match, second.match) == (((0, 0),), ((1, 0),))
    np.testing.assert_array_equal(first.hard, [True, True, False, False])
    np.testing.assert_array_equal(second.hard, [True, True, True, False])


def test_queries_that_cannot_be_ranked_are_counted(tmp_path: Path) -> None:
    benchmark = cola_single(tmp_path)
    assert benchmark.excluded == (
        ("green cup", "no image fits the query"),
        ("old clock", "the query has no hard image"),
    )
    assert "1 item because the query has no hard image" in counted(benchmark.excluded)
    assert any(
        note.startswith("1 times an image fits a query, but the file does not mark it as hard")
        for note in benchmark.notes
    )


def test_both_published_shapes_and_rows_without_annotation_read_the_same(tmp_path: Path) -> None:
    short = [[name, label, hard] for name, _, label, hard in written.COLA_SINGLE["data"]]
    a, b, c = (
        cola_single(tmp_path, d)
        for d in (written.COLA_SINGLE, [*written.COLA_SINGLE.values()], [written.COLA_SINGLE["labels"], short])
    )
    for other in (b, c):
        assert [(i.id, i.match, i.hard.tolist()) for i in a.items] == [
            (i.id, i.match, i.hard.tolist()) for i in other.items
        ]


def test_seen_queries_are_tagged_from_the_option_or_the_file(tmp_path: Path) -> None:
    by_option = cola_single(tmp_path, seen="round red plate\nno such query")
    by_file = cola_single(tmp_path, {**written.COLA_SINGLE, "seen": ["round red plate"]})
    for benchmark in (by_option, by_file):
        assert [item.tags["split"] for item in benchmark.items] == ["unseen", "seen"]
    assert "1 queries named as seen are not in the file: 'no such query'." in by_option.notes
    with pytest.raises(InvalidInput, match="seen: none of its 1 queries"):
        cola_single(tmp_path, seen=["else"])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            ["1.jpg", [1, 0, 0], [1, 1, 0, 0]],
            "data, row 0, label must be a list of 4 zeros and ones, one for each query: it has 3",
        ),
        (["1.jpg", [1, 0, 0, 2], [1, 1, 0, 0]], "data, row 0, label, entry 3 must be 0 or 1: it is 2"),
        (["1.jpg", [1, 0, 0, 0], [1, "0", 0, 0]], "hard list, entry 1 must be 0 or 1: it is text"),
        (["1.jpg", [1, 0, 0, 0]], "must have 3 or 4 entries"),
        ([7, [1, 0, 0, 0], [1, 0, 0, 0]], "row 0, image must be text: it is a number"),
    ],
)
def test_a_wrong_row_of_single_objects_is_named(row: list[Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=message):
        cola_single(tmp_path, {"labels": written.COLA_SINGLE["labels"], "data": [row]})


def test_tags_beside_a_file_in_colas_form_are_read_and_it_is_not_called_cola(tmp_path: Path) -> None:
    file = tmp_path / "COLA_multiobjects_matching_benchmark.json"
    file.write_text(json.dumps([["a.png", "one", "b.png", "two"], ["c.png", "three", "d.png", "four"]]), "utf-8")
    (tmp_path / "tags.json").write_text('{"0": {"split": "seen"}, "1": {"split": "unseen"}}', "utf-8")
    benchmark = read_benchmark("cola", file)
    assert benchmark.title == "Pairs in Cola's form"
    assert [item.tags["split"] for item in benchmark.items] == ["seen", "unseen"]
    assert figures_for(benchmark) == ()


@pytest.mark.parametrize("tags", ['["a"]', '{"0": 1}', '{"0": {"kind": 1}}', "no json"])
def test_tags_of_another_shape_are_refused(tags: str, tmp_path: Path) -> None:
    (tmp_path / "tags.json").write_text(tags)
    with pytest.raises(InvalidInput, match=r"tags\.json"):
        read_benchmark("cola", write(tmp_path / "b.json", written.COLA))
