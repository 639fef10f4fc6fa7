"""One's own table: choices, pairs and tags."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.systems.composition.readers import read_benchmark
from tests.support import benchmark_files as written
from tests.support.benchmark_files import write


def test_own_choices_of_one_foil_are_pairwise_and_other_columns_are_tags(tmp_path: Path) -> None:
    benchmark = read_benchmark("own", write(tmp_path / "mine.csv", written.OWN_CHOICE))
    assert (benchmark.title, benchmark.headline) == ("mine", "pairwise")
    assert [item.captions for item in benchmark.items] == [("a red cup", "a blue cup"), ("two dogs", "two cats")]
    assert [item.tags for item in benchmark.items] == [{"place": "home"}, {}]


def test_own_choices_take_several_foils_from_columns_or_lists(tmp_path: Path) -> None:
    table = read_benchmark(
        "own", write(tmp_path / "a.csv", "Image,Caption,foil_1,foil_2\na.png,x y,y x,y y\nb.png,p,q,\nc.png,p,,\n")
    )
    lines = (
        '{"id": "k", "image": "a.png", "caption": "x y", "foils": ["y x", "y y"]}\n\n{"image": "b.png", '
        '"caption": "p", "foils": "q"}\n'
    )
    listed = read_benchmark("", write(tmp_path / "a.jsonl", lines))
    assert (
        [i.captions for i in table.items] == [i.captions for i in listed.items] == [("x y", "y x", "y y"), ("p", "q")]
    )
    assert table.excluded == (("2", "it has no foil"),)
    assert (table.headline, listed.headline, listed.items[0].id) == ("r@1", "r@1", "k")


def test_own_pairs_and_a_semicolon_between_columns(tmp_path: Path) -> None:
    benchmark = read_benchmark("", write(tmp_path / "mine.csv", written.OWN_PAIRS))
    assert (benchmark.kind, benchmark.headline, benchmark.blind) == ("pairs", "group", False)
    assert benchmark.items[0].captions == ("red cup, blue hat", "blue cup, red hat")


def test_a_column_of_many_values_is_no_tag_and_said(tmp_path: Path) -> None:
    rows = "".join(f"{i}.png,a {i},b {i},v{i},{i % 2}\n" for i in range(60))
    benchmark = read_benchmark("own", write(tmp_path / "mine.csv", "image,caption,foil,note,half\n" + rows))
    assert Counter(item.tags["half"] for item in benchmark.items) == {"0": 30, "1": 30}
    assert "note" not in benchmark.items[0].tags
    assert any(note.endswith("did not become tags: 'note'.") for note in benchmark.notes)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"image": "a.png", "caption": ["x"], "foil": "y"}', r"line 1: 'caption' must be text: it is a list"),
        (
            '{"image": "a.png", "caption": "x", "foil": {"a": 1}}',
            r"line 1: 'foil' must be text or a list of texts: it is an object",
        ),
        (
            '{"image": "a.png", "caption": "x", "foil": ["y", null]}',
            r"line 1: 'foil', entry 1 must be text: it is null",
        ),
        ('{"picture": "a.png", "caption": "x"}', r"lacks columns\. Your own: .* It has 'picture', 'caption'"),
        ('["a.png"]', r"line 1 must be an object"),
    ],
)
def test_a_wrong_cell_of_one_s_own_file_is_named(line: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_benchmark("own", write(tmp_path / "mine.jsonl", line))


def test_a_row_without_a_picture_is_left_out(tmp_path: Path) -> None:
    benchmark = read_benchmark("own", write(tmp_path / "mine.csv", "id,image,caption,foil\nu,,x,y\nv,b.png,x,y\n"))
    assert benchmark.excluded == (("u", "it names no image"),)
