from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.common.class_descriptions import read_patterns
from core.systems.label_descriptions.tags import DescribedTags, read_tags, tag_directions, tag_patterns
from tests.support.word_tower import WordTower


def test_names_alone_are_described_in_plain_sentences_of_what_a_sample_is() -> None:
    assert read_tags("motion blur,  low   light", "image") == DescribedTags(
        ("motion blur", "low light"),
        (
            ("motion blur", "a photo with motion blur", "this photo has motion blur"),
            ("low light", "a photo with low light", "this photo has low light"),
        ),
    )
    assert read_tags("irony", "text").texts == (("irony", "a text with irony", "this text has irony"),)


def test_files_of_lines_of_json_and_of_numbered_rows_name_their_tags(tmp_path: Path) -> None:
    lines, table, own = tmp_path / "tags.txt", tmp_path / "manual_24.tsv", tmp_path / "own.json"
    lines.write_text("irony\n\nslang\n", "utf-8")
    table.write_text("1\tirony\tjust the term\n1\twry\n2\tslang\n", "utf-8")
    own.write_text('{"irony": ["wry"]}', "utf-8")
    assert read_tags(str(lines), "text").names == read_tags(str(table), "text").names == ("irony", "slang")
    assert read_tags(str(own), "text") == DescribedTags(("irony",), (("wry",),))


def test_names_stand_in_lines_and_json_or_tsv_may_be_given_as_text() -> None:
    assert read_tags("irony\nslang, puns", "text").names == ("irony", "slang", "puns")
    assert read_tags('{"irony": ["wry"]}', "text") == DescribedTags(("irony",), (("wry",),))
    assert read_tags("irony\twry\nirony\tdry", "text") == DescribedTags(("irony",), (("wry", "dry"),))
    with pytest.raises(InvalidInput, match="must be an object of lists"):
        read_tags('["irony"]', "text")


def test_the_causes_that_ship_are_of_texts() -> None:
    assert len(read_tags("failure-causes", "text").names) == 60
    with pytest.raises(InvalidInput, match="the samples are images"):
        read_tags("failure-causes", "image")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a, A", "Two tags have the same name: 'a' and 'A'"),
        ("a, b, a", "Two tags have the same name"),
        (" , ", "Name 1 to 500 tags"),
        (",".join(map(str, range(501))), "Name 1 to 500 tags, separated by commas: got 501"),
        ("nowhere.txt", "File 'nowhere.txt' not found"),
    ],
)
def test_what_names_no_tags_is_refused(source: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_tags(source, "text")


def test_directions_are_the_mean_of_the_texts_and_the_name_in_each_pattern() -> None:
    tower: Any = WordTower()
    tags, patterns = (
        DescribedTags(("red", "fog"), (("red", "crimson dye"), ("mist",))),
        read_patterns("<mask>\nin <mask>"),
    )
    found = tag_directions(tags, patterns, tower)
    mean = tower.encode_texts(["red", "crimson dye"]).astype(float).mean(0)
    np.testing.assert_allclose(found.described[0], mean / np.linalg.norm(mean), atol=1e-6)
    np.testing.assert_allclose(found.described[1], tower.encode_texts(["mist"])[0], atol=1e-6)
    np.testing.assert_allclose(found.worded[1, 1], tower.encode_texts(["in fog"])[0], atol=1e-6)


def test_texts_and_pictures_have_wordings_of_their_own() -> None:
    assert all("text" in p.string or "photo" not in p.string for p in tag_patterns("text"))
    assert any("photo" in p.string for p in tag_patterns("image"))
