"""Files that are broken, too large or made to hurt: each is answered with one message that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.systems.composition.readers import builder as building, fields as files, read_benchmark
from tests.support import benchmark_files as written
from tests.support.benchmark_files import write

JSON_READERS = (
    "cola cola-single colorswap sugarcrepe sugarcrepe++ aro-relation aro-attribution aro-order valse clevr own"
).split()


@pytest.mark.parametrize("name", JSON_READERS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[" * 100_000, "nested too deep|invalid JSON"),
        (b'["caf\xe9"]', "is not UTF-8 text"),
        (b"[NaN]", "it holds NaN, which is not a number"),
        (b"[Infinity]", "it holds Infinity"),
        (b"[1" + b"0" * 5000 + b"]", "unreadable JSON"),
        (b'{"a": 1, "a": 2}', "the key 'a' appears twice"),
        (b'[["a",', "invalid JSON at column"),
        (b"", "invalid JSON"),
        (b"3", "must be"),
        (b"null", "must be"),
        (b"[[], 3]", "must"),
    ],
)
def test_a_broken_file_is_answered_with_one_message(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match=message) as raised:
        read_benchmark(name, file)
    assert "broken.json" in str(raised.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            ["a.jpg", "x", "b.jpg"],
            r"row 1 must be a list of four texts, image, caption, image, caption: it has 3 entries",
        ),
        (["a.jpg", "x", "b.jpg", None], r"row 1 must be text: it is null"),
        (["a.jpg", 3, "b.jpg", "y"], r"row 1 must be text: it is a number"),
        ({"a": 1}, r"row 1 must be a list of .* it is an object"),
        (["", "x", "b.jpg", "y"], r"row 1: an image's name must have 1 to 1,000 characters: got ''"),
        (["a\0.jpg", "x", "b.jpg", "y"], r"an image's name must have"),
        (["a.jpg", "x\ud800", "b.jpg", "y"], r"b\.json(, line \d+)?: character \d+ is not valid UTF-8"),
    ],
)
def test_a_wrong_row_is_named_with_what_was_expected_and_found(row: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_benchmark("cola", write(tmp_path / "b.json", [written.COLA[0], row]))


def test_one_caption_that_is_too_long_leaves_its_item_out_and_not_the_benchmark(tmp_path: Path) -> None:
    long, most = ["a.jpg", "x" * 2001, "b.jpg", "y"], ["c.jpg", "x" * 2000, "d.jpg", "y"]
    found = read_benchmark("cola", write(tmp_path / "b.json", [long, most]))
    assert [reason for _, reason in found.excluded] == ["a caption is longer than 2,000 characters"]
    assert [len(item.captions[0]) for item in found.items] == [2000]
    with pytest.raises(InvalidInput, match=r"no item can be used \(1 item because a caption is longer than 2,000"):
        read_benchmark("cola", write(tmp_path / "b.json", [long]))


def test_a_missing_key_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    file = write(tmp_path / "swap_obj.json", {"7": {"filename": "a.jpg", "caption": "x"}})
    with pytest.raises(
        InvalidInput, match=r"swap_obj\.json, entry '7' has no 'negative_caption'; it has 'filename', 'caption'"
    ):
        read_benchmark("sugarcrepe", file)


def test_a_broken_line_of_json_lines_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"examples\.jsonl, line 3: invalid JSON"):
        read_benchmark("winoground", write(tmp_path / "examples.jsonl", written.WINOGROUND + "\n{"))


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 10)
    with pytest.raises(InvalidInput, match=r"b\.json has [\d,.]+ (bytes|KiB); the limit is 10 bytes"):
        read_benchmark("cola", write(tmp_path / "b.json", written.COLA))


def test_a_sparse_file_of_201_mb_is_refused(tmp_path: Path) -> None:
    for name, suffix in (("cola", ".json"), ("crepe", ".csv"), ("winoground", ".jsonl")):
        file = tmp_path / f"large{suffix}"
        with file.open("wb") as out:
            out.truncate(201 * 2**20)
        with pytest.raises(InvalidInput, match="has 201 MiB; the limit is 200 MiB"):
            read_benchmark(name, file)


def test_more_items_than_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "MAX_ITEMS", 1)
    with pytest.raises(InvalidInput, match="Cola, multi-object has more than 1 items"):
        read_benchmark("cola", write(tmp_path / "b.json", written.COLA))


def test_a_file_of_which_nothing_is_left_says_why(tmp_path: Path) -> None:
    file = write(tmp_path / "plurals.json", {"a": written.valse(0), "b": written.valse(1)})
    with pytest.raises(
        InvalidInput, match=r"VALSE: no item can be used .2 items because fewer than 2 annotators confirmed"
    ):
        read_benchmark("valse", file)


def test_a_table_without_a_column_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"x\.csv has no column 'x'; it has 'image_id', 'caption', 'hard_negs'"):
        read_benchmark("crepe", write(tmp_path / "x.csv", "image_id,caption,hard_negs\n1,a,['b']\n"))


def test_the_same_id_twice_gets_a_number(tmp_path: Path) -> None:
    benchmark = read_benchmark(
        "winoground", write(tmp_path / "examples.jsonl", written.WINOGROUND.replace('"id": 1', '"id": 0'))
    )
    assert [item.id for item in benchmark.items] == ["0", "0 #2"]
